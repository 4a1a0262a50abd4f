"""A bot on every channel in turn, and the person it talks to: for what all channels promise."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest
from aiogram import Bot
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message, Update

from bot.channels.telegram import telegram_bot
from storage.database import Database
from storage.vault import Vault
from tests.botapi import BotApi, PrivateConversation
from tests.botapi.account import BotAccount
from tests.web_room import WebRoom, open_room

PIXEL = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\nIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82"
)
EMOJI = "👋"  # two UTF-16 units


@dataclass
class Shown:
    """A message as the person sees it."""

    id: int
    text: str
    buttons: list[str]


class Channel(Protocol):
    """A bot on one channel, and the person it talks to."""

    bot: Bot
    chat_id: int

    async def shown(self) -> list[Shown]:
        """What the bot has said that stands there now, oldest first."""

    async def write(self, text: str) -> Update:
        """The person writes; the update the bot gets."""

    async def tap(self, message: Message, data: str) -> Update: ...

    async def upload(self, content: bytes) -> Update:
        """The person sends a voice note."""

    async def toast(self, update: Update, text: str) -> str:
        """The bot answers the tap; what the person sees of it."""

    async def saw_typing(self) -> bool: ...


class OnTelegram:
    """Through aiogram's own session, against the test server."""

    def __init__(self, bot: Bot, account: BotAccount, chat: PrivateConversation) -> None:
        self.bot, self.chat_id = bot, chat.user.id
        self._chat, self._account = chat, account
        self._offset = 0

    async def shown(self) -> list[Shown]:
        said = [message for message in self._chat.messages if message.from_bot]
        return [Shown(message.message_id, message.text, message.labels) for message in said]

    async def write(self, text: str) -> Update:
        await self._chat.write(text)
        return await self._update()

    async def tap(self, message: Message, data: str) -> Update:
        here = next(m for m in self._chat.messages if m.message_id == message.message_id)
        self._pressed = self._chat.press(here, data)
        return await self._update()

    async def upload(self, content: bytes) -> Update:
        await self._chat.send_voice(content)
        return await self._update()

    async def toast(self, update: Update, text: str) -> str:
        assert update.callback_query is not None
        await self.bot.answer_callback_query(update.callback_query.id, text=text)
        return (await self._pressed.answered()).text

    async def saw_typing(self) -> bool:
        return "typing" in self._chat.chat.actions

    async def _update(self) -> Update:
        updates = await self.bot.get_updates(offset=self._offset, timeout=2)
        self._offset = updates[-1].update_id + 1
        return updates[-1]


class OnTheWeb:
    """Through the web session, seen and written to as the page does it."""

    def __init__(self, room: WebRoom, http: aiohttp.ClientSession, tag: str) -> None:
        self.bot, self.chat_id = room.channel.bot, room.chat_id
        self._room, self._http, self._tag = room, http, tag
        self._number = 0

    async def shown(self) -> list[Shown]:
        bubbles = await self._room.channel.conversations.before(self.chat_id, 2**30)
        said = [(b.message_id, b.body) for b in bubbles if b.body and not b.body.get("me")]
        return [
            Shown(
                number, body.get("text", ""), [b["text"] for r in body.get("inline", ()) for b in r]
            )
            for number, body in said
        ]

    async def write(self, text: str) -> Update:
        return await self._post({"text": text})

    async def tap(self, message: Message, data: str) -> Update:
        return await self._post({"tap": {"message_id": message.message_id, "data": data}})

    async def upload(self, content: bytes) -> Update:
        query = {"client_id": self._client_id(), "chat": self._tag, "kind": "voice", "name": "v"}
        async with self._http.post("/chat/upload", params=query, data=content) as response:
            assert response.status == 200, await response.text()
        return self._room.updates[-1]

    async def toast(self, update: Update, text: str) -> str:
        assert update.callback_query is not None
        with self._room.channel.live.open(self.chat_id) as page:
            await self.bot.answer_callback_query(update.callback_query.id, text=text)
            ((event, data),) = page.passing
        assert event == "toast"
        return str(data["text"])

    async def saw_typing(self) -> bool:
        with self._room.channel.live.open(self.chat_id) as page:
            await self.bot.send_chat_action(self.chat_id, "typing")
            return [event for event, _data in page.passing] == ["typing"]

    async def _post(self, what: dict[str, Any]) -> Update:
        payload = {"client_id": self._client_id(), "chat": self._tag, **what}
        async with self._http.post("/chat/send", json=payload) as response:
            assert response.status == 200, await response.text()
        return self._room.updates[-1]

    def _client_id(self) -> str:
        self._number += 1
        return f"client-id-number-{self._number}"


async def _on_telegram() -> AsyncIterator[Channel]:
    server = BotApi()
    await server.start()
    account = server.add_bot(token="123456:TEST", username="kinroom_bot")
    chat = server.add_user(first_name="Fang").open(account)
    bot = telegram_bot("123456:TEST", server.url)
    channel = OnTelegram(bot, account, chat)
    try:
        await chat.start()
        await channel._update()
        yield channel
    finally:
        await bot.session.close()
        await server.stop()


async def _on_the_web(db: Database, folder: Path) -> AsyncIterator[Channel]:
    async with open_room(db, folder) as room:
        room.answer = lambda _update, _chat: []
        base = room.url.removesuffix("/chat/")
        jar = aiohttp.CookieJar(unsafe=True)
        headers = {"Sec-Fetch-Site": "same-origin"}
        async with aiohttp.ClientSession(base, cookie_jar=jar, headers=headers) as http:
            async with http.get("/chat/") as response:
                page = await response.text()
            tag = page.partition('"chat":"')[2].partition('"')[0]
            start = {"client_id": "client-id-of-the-start", "chat": tag, "text": "/start"}
            async with http.post("/chat/send", json=start) as response:
                assert response.status == 200, await response.text()
            async with db.write() as tx:
                await room.join(tx, room.chat_id)
            yield OnTheWeb(room, http, tag)


@pytest.fixture(params=["web-sqlite", "web-postgresql", "telegram"])
def place(request: pytest.FixtureRequest) -> str | None:
    """The URL of the web chat's database; ``None`` for Telegram."""
    if request.param == "telegram":
        return None
    name = "sqlite_url" if request.param == "web-sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
async def channel(place: str | None, vault: Vault, tmp_path: Path) -> AsyncIterator[Channel]:
    if place is None:
        async for ready in _on_telegram():
            yield ready
        return
    (tmp_path / "words").mkdir()
    db = Database(place, vault)
    try:
        async for ready in _on_the_web(db, tmp_path / "words"):
            yield ready
    finally:
        await db.close()


def buttons(*data: str) -> InlineKeyboardMarkup:
    row = [InlineKeyboardButton(text=f"Button {item}", callback_data=item) for item in data]
    return InlineKeyboardMarkup(inline_keyboard=[row])

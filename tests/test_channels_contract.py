"""What every channel promises the handlers, tried on the web chat and on Telegram alike."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    Message,
    MessageEntity,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
    Update,
)

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


def plain(markup: InlineKeyboardMarkup | None) -> dict[str, Any] | None:
    return markup.model_dump(exclude_none=True) if markup is not None else None


class TestSaying:
    async def test_a_message_comes_back_as_aiogram_reads_it(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "你好 👋")
        assert isinstance(sent, Message)
        assert (sent.text, sent.chat.id, sent.chat.type) == ("你好 👋", channel.chat_id, "private")
        assert sent.date.tzinfo is not None
        assert sent.from_user is not None
        assert sent.from_user.id == channel.bot.id == (await channel.bot.get_me()).id
        assert sent.bot is channel.bot
        assert (await channel.shown())[-1] == Shown(sent.message_id, "你好 👋", [])

    async def test_numbers_grow(self, channel: Channel) -> None:
        numbers = [
            (await channel.bot.send_message(channel.chat_id, "…")).message_id for _ in range(3)
        ]
        assert numbers == sorted(set(numbers))

    async def test_what_surrounds_a_text_is_trimmed_and_entities_move_along(
        self, channel: Channel
    ) -> None:
        bold = MessageEntity(type="bold", offset=3, length=4)
        sent = await channel.bot.send_message(channel.chat_id, "\n\n bold \n", entities=[bold])
        assert sent.text == "bold"
        assert [(e.type, e.offset, e.length) for e in sent.entities or ()] == [("bold", 0, 4)]

    @pytest.mark.parametrize("unit", ["a", "好", EMOJI])
    async def test_a_text_ends_at_4096_utf16_units(self, channel: Channel, unit: str) -> None:
        longest = unit * (4096 // (len(unit.encode("utf-16-le")) // 2))
        assert (await channel.bot.send_message(channel.chat_id, longest)).text == longest
        with pytest.raises(TelegramBadRequest, match="message is too long"):
            await channel.bot.send_message(channel.chat_id, longest + "a")

    @pytest.mark.parametrize("text", ["", "  \n "])
    async def test_an_empty_text_is_refused(self, channel: Channel, text: str) -> None:
        with pytest.raises(TelegramBadRequest, match="empty"):
            await channel.bot.send_message(channel.chat_id, text)

    async def test_an_unknown_chat_is_refused(self, channel: Channel) -> None:
        with pytest.raises(TelegramBadRequest, match="chat not found"):
            await channel.bot.send_message(4_000_000_000_000, "?")
        with pytest.raises(TelegramBadRequest, match="chat not found"):
            await channel.bot.edit_message_text("?", chat_id=4_000_000_000_000, message_id=1)

    async def test_an_answer_quotes_what_it_answers(self, channel: Channel) -> None:
        first = await channel.bot.send_message(channel.chat_id, "first")
        reply = ReplyParameters(message_id=first.message_id)
        sent = await channel.bot.send_message(channel.chat_id, "second", reply_parameters=reply)
        assert sent.reply_to_message is not None
        assert sent.reply_to_message.message_id == first.message_id
        assert sent.reply_to_message.text == "first"

    async def test_an_answer_to_nothing_is_refused_unless_that_is_allowed(
        self, channel: Channel
    ) -> None:
        gone = ReplyParameters(message_id=10**6)
        with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
            await channel.bot.send_message(channel.chat_id, "?", reply_parameters=gone)
        anyway = ReplyParameters(message_id=10**6, allow_sending_without_reply=True)
        sent = await channel.bot.send_message(channel.chat_id, "!", reply_parameters=anyway)
        assert sent.reply_to_message is None


class TestButtons:
    async def test_they_stand_under_the_message(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("a", "b"))
        assert plain(sent.reply_markup) == plain(buttons("a", "b"))
        assert (await channel.shown())[-1].buttons == ["Button a", "Button b"]

    async def test_an_address_may_stand_on_one(self, channel: Channel) -> None:
        link = InlineKeyboardButton(text="Open", url="https://example.org/a?b=c")
        markup = InlineKeyboardMarkup(inline_keyboard=[[link]])
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=markup)
        assert plain(sent.reply_markup) == plain(markup)

    async def test_callback_data_has_64_bytes(self, channel: Channel) -> None:
        await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("好" * 21 + "a"))
        with pytest.raises(TelegramBadRequest, match="BUTTON_DATA_INVALID"):
            await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("好" * 22))

    async def test_a_tap_tells_the_message_and_its_buttons(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("yes"))
        query = (await channel.tap(sent, "yes")).callback_query
        assert query is not None
        assert (query.data, query.from_user.id) == ("yes", channel.chat_id)
        assert isinstance(query.message, Message)
        assert query.message.message_id == sent.message_id
        assert query.message.text == "?"
        assert plain(query.message.reply_markup) == plain(buttons("yes"))

    async def test_a_tap_is_answered_with_a_passing_word(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("yes"))
        update = await channel.tap(sent, "yes")
        assert await channel.toast(update, "Noted") == "Noted"

    async def test_an_answer_to_no_tap_is_refused(self, channel: Channel) -> None:
        with pytest.raises(TelegramBadRequest, match="query ID is invalid"):
            await channel.bot.answer_callback_query("12345", text="?")

    async def test_a_passing_word_has_200_units(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("yes"))
        query = (await channel.tap(sent, "yes")).callback_query
        assert query is not None
        with pytest.raises(TelegramBadRequest, match="MESSAGE_TOO_LONG"):
            await channel.bot.answer_callback_query(query.id, text="a" * 201)

    async def test_a_bar_of_choices_comes_and_goes(self, channel: Channel) -> None:
        keys = [
            [KeyboardButton(text="I'm fine"), KeyboardButton(text="Here", request_location=True)]
        ]
        bar = ReplyKeyboardMarkup(keyboard=keys)
        sent = await channel.bot.send_message(channel.chat_id, "Menu", reply_markup=bar)
        assert sent.reply_markup is None
        await channel.bot.send_message(channel.chat_id, "-", reply_markup=ReplyKeyboardRemove())
        await channel.bot.send_message(channel.chat_id, "Name?", reply_markup=ForceReply())
        assert [shown.text for shown in await channel.shown()] == ["Menu", "-", "Name?"]


class TestChanging:
    async def test_new_words_and_buttons_take_the_place_of_the_old(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("a"))
        changed = await channel.bot.edit_message_text(
            "!", chat_id=channel.chat_id, message_id=sent.message_id, reply_markup=buttons("b")
        )
        assert isinstance(changed, Message)
        assert (changed.message_id, changed.text) == (sent.message_id, "!")
        assert changed.edit_date is not None
        assert (await channel.shown())[-1] == Shown(sent.message_id, "!", ["Button b"])

    async def test_without_markup_the_buttons_go(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("a"))
        await sent.edit_text("Got it.")
        assert (await channel.shown())[-1] == Shown(sent.message_id, "Got it.", [])

    async def test_only_the_buttons_change(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("a"))
        await sent.edit_reply_markup(reply_markup=buttons("b"))
        assert (await channel.shown())[-1] == Shown(sent.message_id, "?", ["Button b"])
        await sent.edit_reply_markup(reply_markup=None)
        assert (await channel.shown())[-1].buttons == []

    async def test_no_change_is_refused(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("a"))
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await sent.edit_text("?", reply_markup=buttons("a"))
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await sent.edit_reply_markup(reply_markup=buttons("a"))

    async def test_what_is_not_there_is_refused(self, channel: Channel) -> None:
        with pytest.raises(TelegramBadRequest, match="message to edit not found"):
            await channel.bot.edit_message_text("?", chat_id=channel.chat_id, message_id=10**6)
        with pytest.raises(TelegramBadRequest, match="message to delete not found"):
            await channel.bot.delete_message(channel.chat_id, 10**6)

    async def test_what_the_person_said_is_theirs(self, channel: Channel) -> None:
        update = await channel.write("mine")
        assert update.message is not None
        with pytest.raises(TelegramBadRequest, match="message can't be edited"):
            await channel.bot.edit_message_text(
                "yours", chat_id=channel.chat_id, message_id=update.message.message_id
            )

    async def test_a_deleted_message_is_gone(self, channel: Channel) -> None:
        kept = await channel.bot.send_message(channel.chat_id, "kept")
        sent = await channel.bot.send_message(channel.chat_id, "?")
        assert await sent.delete()
        assert [shown.id for shown in await channel.shown()] == [kept.message_id]
        with pytest.raises(TelegramBadRequest, match="message to edit not found"):
            await sent.edit_text("!")
        with pytest.raises(TelegramBadRequest, match="message to delete not found"):
            await sent.delete()

    async def test_a_picture_has_a_caption_and_no_text(self, channel: Channel) -> None:
        photo = BufferedInputFile(PIXEL, "a.png")
        sent = await channel.bot.send_photo(channel.chat_id, photo, caption="one")
        with pytest.raises(TelegramBadRequest, match="there is no text in the message to edit"):
            await sent.edit_text("!")
        changed = await sent.edit_caption(caption="two")
        assert isinstance(changed, Message)
        assert changed.caption == "two"
        text = await channel.bot.send_message(channel.chat_id, "?")
        with pytest.raises(TelegramBadRequest, match="there is no caption in the message to edit"):
            await text.edit_caption(caption="!")


class TestFiles:
    async def test_a_picture_arrives_and_comes_back_whole(self, channel: Channel) -> None:
        photo = BufferedInputFile(PIXEL, "qr.png")
        sent = await channel.bot.send_photo(
            channel.chat_id, photo, caption="Scan me", reply_markup=buttons("a")
        )
        assert sent.caption == "Scan me"
        assert sent.photo is not None
        assert (sent.photo[-1].width, sent.photo[-1].height) == (1, 1)
        assert await _download(channel.bot, sent.photo[-1].file_id) == PIXEL
        assert (await channel.shown())[-1] == Shown(sent.message_id, "Scan me", ["Button a"])

    async def test_a_document_keeps_its_name(self, channel: Channel) -> None:
        document = BufferedInputFile(b"a,b\r\n1,2\r\n", "我的资料.csv")
        sent = await channel.bot.send_document(channel.chat_id, document)
        assert sent.document is not None
        assert sent.document.file_name == "我的资料.csv"
        assert sent.document.file_size == 10
        assert await _download(channel.bot, sent.document.file_id) == b"a,b\r\n1,2\r\n"

    async def test_a_voice_note_can_be_heard_and_sent_on(self, channel: Channel) -> None:
        update = await channel.upload(b"OggS and what was said")
        assert update.message is not None
        voice = update.message.voice
        assert voice is not None
        assert await _download(channel.bot, voice.file_id) == b"OggS and what was said"
        sent = await channel.bot.send_voice(channel.chat_id, voice.file_id, caption="From Fang")
        assert sent.voice is not None
        assert await _download(channel.bot, sent.voice.file_id) == b"OggS and what was said"

    async def test_a_file_nobody_has_is_refused(self, channel: Channel) -> None:
        with pytest.raises(TelegramBadRequest, match="file"):
            await channel.bot.get_file("no-such-file")
        with pytest.raises(TelegramBadRequest, match="file"):
            await channel.bot.send_document(channel.chat_id, "no-such-file")

    async def test_what_is_no_picture_is_refused(self, channel: Channel) -> None:
        with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
            await channel.bot.send_photo(channel.chat_id, BufferedInputFile(b"no", "a.png"))

    async def test_an_empty_file_is_refused(self, channel: Channel) -> None:
        with pytest.raises(TelegramBadRequest, match="file must be non-empty"):
            await channel.bot.send_document(channel.chat_id, BufferedInputFile(b"", "a.txt"))

    async def test_a_caption_has_1024_units(self, channel: Channel) -> None:
        photo = BufferedInputFile(PIXEL, "a.png")
        await channel.bot.send_photo(channel.chat_id, photo, caption=EMOJI * 512)
        with pytest.raises(TelegramBadRequest, match="caption is too long"):
            await channel.bot.send_photo(channel.chat_id, photo, caption=EMOJI * 512 + "a")


class TestBesides:
    async def test_what_the_person_writes_arrives(self, channel: Channel) -> None:
        message = (await channel.write("平安 👋")).message
        assert message is not None
        assert (message.text, message.chat.id) == ("平安 👋", channel.chat_id)
        assert message.from_user is not None
        assert message.from_user.id == channel.chat_id
        assert not message.from_user.is_bot

    async def test_typing_is_seen(self, channel: Channel) -> None:
        await channel.bot.send_chat_action(channel.chat_id, "typing")
        assert await channel.saw_typing()

    async def test_commands_may_be_set(self, channel: Channel) -> None:
        commands = [BotCommand(command="menu", description="Menu")]
        assert await channel.bot.set_my_commands(commands) is True


async def _download(bot: Bot, file_id: str) -> bytes:
    held = await bot.download(file_id)
    assert held is not None
    return held.read()


def test_the_telegram_channel_is_aiograms_own_session() -> None:
    bot = telegram_bot("123456:TEST", "http://127.0.0.1:1")
    assert isinstance(bot.session, AiohttpSession)
    assert isinstance(bot.session.api, TelegramAPIServer)

"""A small room for the web chat's tests: the real channel, and a bot of a few words.

It keeps the house's promises: one transaction an update, a known person's updates once, replies
sent after the commit.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

from aiogram import Bot
from aiogram.methods import (
    AnswerCallbackQuery,
    EditMessageText,
    SendMessage,
    TelegramMethod,
)
from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
    Update,
)
from aiogram.utils.i18n import I18n
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import delete

from bot.channels.web import BOT_ID, WebChannel, web_routes
from storage.database import Database, Tx
from storage.models import Account, Area, Person
from storage.talk.conversation import erase_chat, is_known
from storage.talk.intake import record_update, was_seen
from storage.vault import new_ref


class Unavailable(Exception):
    """The database cannot be reached."""


class Chinese(GNUTranslations):
    """Chinese from a dictionary; no catalog files are needed."""

    def __init__(self, sentences: dict[str, str]) -> None:
        super().__init__()
        self._sentences = sentences

    def gettext(self, message: str) -> str:
        return self._sentences.get(message, message)


class WebRoom:
    """``joined`` are chats with an account. ``failures``: how many updates to turn away."""

    def __init__(self, db: Database, channel: WebChannel) -> None:
        self.db = db
        self.channel = channel
        self.updates: list[Update] = []
        self.failures = 0
        self.person_ids: dict[int, int] = {}
        self.url = ""
        self.opened: list[int] = []
        self.answer: Callable[[Update, int], list[TelegramMethod[Any]] | None] | None = None

    async def take(
        self,
        bot: Bot,
        update: Update,
        *,
        alongside: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable
        now = datetime.now(UTC)
        event = update.message or update.callback_query
        assert event is not None
        assert event.from_user is not None
        chat_id = event.from_user.id
        async with self.db.write() as tx:
            known = await is_known(tx, BOT_ID, chat_id)
            if known and await was_seen(tx, BOT_ID, update.update_id):
                return
            replies = await self._handle(tx, update, chat_id)
            if await is_known(tx, BOT_ID, chat_id):
                await record_update(tx, bot_id=BOT_ID, update_id=update.update_id, now=now)
                if alongside is not None:
                    await alongside(tx)
        self.updates.append(update)
        for reply in replies:
            await bot(reply)

    async def _handle(self, tx: Tx, update: Update, chat: int) -> list[TelegramMethod[Any]]:
        if self.answer is not None and (own := self.answer(update, chat)) is not None:
            return own
        if (query := update.callback_query) is not None:
            assert isinstance(query.message, Message)
            if query.data == "agree":
                await self.join(tx, chat)
            done = f"Done: {query.data}"
            return [
                EditMessageText(chat_id=chat, message_id=query.message.message_id, text=done),
                AnswerCallbackQuery(callback_query_id=query.id, text="Noted"),
            ]
        message = update.message
        assert message is not None
        text = message.text or ""
        if text.startswith("/start"):
            buttons = [[_button("Agree", "agree"), _button("Decline", "decline")]]
            markup = InlineKeyboardMarkup(inline_keyboard=buttons)
            return [SendMessage(chat_id=chat, text="May we keep this?", reply_markup=markup)]
        if text == "erase":
            await self.erase(tx, chat)
            return [SendMessage(chat_id=chat, text="It's all gone.")]
        if text == "menu":
            rows = [["I'm fine", "My news"], ["Help"]]
            keys = [[KeyboardButton(text=word) for word in row] for row in rows]
            markup_below = ReplyKeyboardMarkup(keyboard=keys)
            return [SendMessage(chat_id=chat, text="Here you are.", reply_markup=markup_below)]
        said = f"You said: {text}" if text else "Got it."
        if message.reply_to_message is not None:
            said += f" (to {message.reply_to_message.text})"
        return [SendMessage(chat_id=chat, text=said)]

    async def join(self, tx: Tx, chat_id: int, *, language: str = "en") -> int:
        now = datetime.now(UTC)
        code = new_ref()
        area_id = await tx.scalar(
            tx.insert(Area)
            .values(
                code=code,
                name="南对河村",
                path=f"/{code}/",
                timezone="Asia/Shanghai",
                language=language,
                created_at=now,
            )
            .returning(Area.id)
        )
        person_id: int = await tx.scalar(
            tx.insert(Person)
            .values(ref=new_ref(), area_id=area_id, created_at=now)
            .returning(Person.id)
        )
        await tx.execute(
            tx.insert(Account).values(
                person_id=person_id,
                channel="web",
                bot_id=BOT_ID,
                chat_id=chat_id,
                state="reachable",
                state_at=now,
                created_at=now,
            )
        )
        self.person_ids[chat_id] = person_id
        return person_id

    async def erase(self, tx: Tx, chat_id: int) -> None:
        await tx.execute(delete(Account).where(Account.chat_id == chat_id))
        await erase_chat(tx, chat_id)

    @property
    def chat_id(self) -> int:
        """The chat that wrote last."""
        event = self.updates[-1].message or self.updates[-1].callback_query
        assert event is not None
        assert event.from_user is not None
        return event.from_user.id


def _button(text: str, data: str) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=text, callback_data=data)


@asynccontextmanager
async def open_room(
    db: Database, words: Path, *, chinese: dict[str, str] | None = None, demo: bool = False
) -> AsyncIterator[WebRoom]:
    """The room, served on loopback at ``room.url``."""
    i18n = I18n(path=words, domain="kinroom")
    i18n.locales["zh"] = Chinese(chinese or {})
    channel = WebChannel(db, i18n=i18n, public_url="http://127.0.0.1", demo=demo)
    room = WebRoom(db, channel)
    app = web.Application()

    async def on_open(chat_id: int) -> None:
        room.opened.append(chat_id)

    routes = web_routes(channel, take=room.take, unavailable=Unavailable, on_open=on_open)
    app.add_routes(routes)
    app.on_shutdown.append(lambda _: channel.close())
    await channel.start()
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    room.url = str(server.make_url("/chat/"))
    try:
        yield room
    finally:
        await channel.close()
        await asyncio.wait_for(server.close(), 10)

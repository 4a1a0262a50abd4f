"""An officer's phone for tests: real updates through a real dispatcher, replies looked at."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from aiogram import BaseMiddleware, Bot, Dispatcher
from aiogram.fsm.storage.memory import MemoryStorage
from aiogram.methods import (
    AnswerCallbackQuery,
    EditMessageText,
    SendMessage,
    SendPhoto,
    TelegramMethod,
)
from aiogram.types import InlineKeyboardMarkup, TelegramObject

from handlers.abilities import Abilities
from handlers.links import Links
from handlers.routes import conversations
from locales.catalogs import Catalogs
from storage.database import Database
from storage.people.who import Who, load_who
from tests.county import BOT

LINKS = Links("https://room.example", "kinroom_bot")
CATALOGS = Catalogs()


class Room(BaseMiddleware):
    """What the program gives a handler: one transaction, who speaks, and the hour."""

    def __init__(self, db: Database, now: datetime) -> None:
        self.db = db
        self.now = now
        self.bot = Bot(f"{BOT}:test")
        self.dispatcher = Dispatcher(storage=MemoryStorage())
        self.dispatcher.update.outer_middleware(self)
        self.dispatcher.include_router(conversations())
        self.dispatcher["links"] = LINKS
        self.dispatcher["abilities_of"] = defaultdict(Abilities)
        self._updates = 0

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        async with self.db.write() as tx:
            who = await load_who(tx, BOT, data["event_from_user"].id)
            data["tx"], data["now"], data["who"] = tx, self.now, who
            language = who.language if who is not None else "en"
            with CATALOGS.context(), CATALOGS.use_locale(language):
                return await handler(event, data)

    async def take(self, update: dict[str, Any]) -> list[TelegramMethod[Any]]:
        self._updates += 1
        said = await self.dispatcher.feed_raw_update(
            self.bot, {"update_id": self._updates, **update}
        )
        if isinstance(said, TelegramMethod):
            return [said]
        return list(said) if isinstance(said, list | tuple) else []


class Phone:
    """One officer's chat: ``shown`` is what stands in it, by message id."""

    def __init__(self, room: Room, who: Who) -> None:
        self.room = room
        self.who = who
        self.shown: dict[int, dict[str, Any]] = {}
        self.notes: list[str] = []
        self.photos: list[SendPhoto] = []
        self._last = 0

    async def write(self, text: str | None, *, reply_to: int | None = None, **other: Any) -> str:
        """Send a message; returns what was answered, as :meth:`_see` gives it."""
        self._last += 1
        message = self._message(self._last, from_bot=False) | other
        if text is not None:
            message["text"] = text
        if reply_to is not None:
            message["reply_to_message"] = self.shown.get(
                reply_to, self._message(reply_to, from_bot=True) | {"text": "something"}
            )
        return self._see(await self.room.take({"message": message}))

    async def tap(self, label: str) -> str:
        """Tap the newest button that begins with ``label``."""
        for message_id, message in sorted(self.shown.items(), reverse=True):
            for row in message.get("reply_markup", {}).get("inline_keyboard", []):
                for button in row:
                    if button["text"].startswith(label):
                        return await self.tap_data(button["callback_data"], message_id)
        raise AssertionError(f"no button {label!r} in {self.shown}")

    async def tap_data(self, data: str, message_id: int = 0) -> str:
        """Tap a button that carries ``data``, forged or old as it may be."""
        message = self.shown.get(message_id) or (
            self._message(message_id, from_bot=True) | {"text": "something"}
        )
        return self._see(
            await self.room.take(
                {
                    "callback_query": {
                        "id": "1",
                        "from": self._user(),
                        "chat_instance": "1",
                        "message": message,
                        "data": data,
                    }
                }
            )
        )

    def buttons(self) -> list[str]:
        """The labels under the newest message."""
        newest = self.shown[max(self.shown)]
        rows = newest.get("reply_markup", {}).get("inline_keyboard", [])
        return [button["text"] for row in rows for button in row]

    def data_of(self, label: str) -> str:
        """What the newest button that begins with ``label`` carries."""
        for _, message in sorted(self.shown.items(), reverse=True):
            for row in message.get("reply_markup", {}).get("inline_keyboard", []):
                for button in row:
                    if button["text"].startswith(label):
                        return str(button["callback_data"])
        raise AssertionError(f"no button {label!r}")

    def _see(self, said: list[TelegramMethod[Any]]) -> str:
        """Show what was said; returns all of its text, short notes included."""
        texts: list[str] = []
        for method in said:
            _check_limits(method)
            if isinstance(method, AnswerCallbackQuery):
                if method.text:
                    self.notes.append(method.text)
                    texts.append(method.text)
            elif isinstance(method, SendMessage):
                assert method.chat_id == self.who.chat_id
                self._last += 1
                self._show(self._last, method.text, method.reply_markup)
                texts.append(method.text)
            elif isinstance(method, EditMessageText):
                assert method.chat_id == self.who.chat_id
                assert method.message_id is not None
                self._show(method.message_id, method.text or "", method.reply_markup)
                texts.append(method.text or "")
            elif isinstance(method, SendPhoto):
                self.photos.append(method)
                self._last += 1
                texts.append(method.caption or "")
            else:
                self._last += 1
                texts.append(type(method).__name__)
        return "\n".join(texts)

    def _show(self, message_id: int, text: str, markup: Any) -> None:
        message = self._message(message_id, from_bot=True) | {"text": text}
        if isinstance(markup, InlineKeyboardMarkup):
            message["reply_markup"] = markup.model_dump(exclude_none=True)
        self.shown[message_id] = message

    def _message(self, message_id: int, *, from_bot: bool) -> dict[str, Any]:
        bot = {"id": BOT, "is_bot": True, "first_name": "Kinroom"}
        return {
            "message_id": message_id,
            "date": int(self.room.now.timestamp()),
            "chat": {"id": self.who.chat_id, "type": "private", "first_name": "x"},
            "from": bot if from_bot else self._user(),
        }

    def _user(self) -> dict[str, Any]:
        return {"id": self.who.chat_id, "is_bot": False, "first_name": "x"}


def _check_limits(method: TelegramMethod[Any]) -> None:
    """What Telegram would refuse."""
    text = getattr(method, "text", None)
    if text is not None:
        limit = 200 if isinstance(method, AnswerCallbackQuery) else 4096
        assert 0 < len(text.encode("utf-16-le")) // 2 <= limit, text
    markup = getattr(method, "reply_markup", None)
    with suppress(AttributeError):
        for row in markup.inline_keyboard:  # type: ignore[union-attr]
            for button in row:
                assert button.text
                assert len((button.callback_data or "").encode()) <= 64

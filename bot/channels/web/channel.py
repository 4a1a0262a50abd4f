"""The web channel: its bot, its conversations, and what its pages need to know."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from weakref import WeakValueDictionary

from aiogram import Bot
from aiogram.utils.i18n import I18n

from bot.channels.web.conversations import Conversations
from bot.channels.web.live import Live
from bot.channels.web.memory import Memory
from bot.channels.web.session import BOT_ID, TOKEN, WebSession
from bot.channels.web.visitors import Visitors
from handlers.abilities import Abilities
from storage.database import Database

ABILITIES: Final = Abilities(
    can_push=True, can_edit=True, max_buttons=100, max_text=4096, rate=0.0, device_links=True
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class WebChannel:
    """Built once. ``public_url`` has no trailing slash; https makes the cookie ``__Host-``.

    ``demo`` marks every page as showing made-up people. ``clock`` gives aware UTC times.
    """

    def __init__(
        self,
        db: Database,
        *,
        i18n: I18n,
        public_url: str,
        name: str = "Kinroom",
        demo: bool = False,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.db = db
        self.i18n = i18n
        self.public_url = public_url
        self.demo = demo
        self.clock = clock
        self.live = Live()
        self.conversations = Conversations(db, Memory(), self.live, bot_id=BOT_ID, clock=clock)
        self.visitors = Visitors(
            self.conversations, db.vault, secure=public_url.startswith("https://")
        )
        self.session = WebSession(self.conversations, name=name)
        self.bot = Bot(TOKEN, session=self.session)
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to notice what other processes write."""
        self._watch = asyncio.create_task(self.live.watch(self.db), name="web chat watch")

    async def close(self) -> None:
        """End every open stream, so that the server can stop."""
        self.live.close()
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await self.conversations.settle()

    def turn(self, chat_id: int) -> asyncio.Lock:
        """Held while one message of a conversation is taken in: the next waits for it."""
        return self._turns.setdefault(chat_id, asyncio.Lock())

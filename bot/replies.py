"""What a conversation says, after the commit that decided it: in order within a chat."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import AnswerCallbackQuery, TelegramMethod
from sqlalchemy.exc import SQLAlchemyError

from bot.speech import from_plain
from bot.telemetry import Metrics
from storage.database import Database
from storage.intake import forget_replies, take_unsent_replies
from storage.people import load_who, mark_account

log: Final = structlog.get_logger(__name__)
Source = tuple[int, int]
_WAITS: Final = (0.5, 2.0, 8.0)
_LONGEST_WAIT: Final = 60.0
_FORGET_EVERY: Final = 0.2
_RECOVER_EVERY: Final = 30.0


class Replies:
    """Sends replies in the background; the journal forgets them in batches once they are out.

    What could not be sent stays in the journal and is tried again every half minute, and at the
    next start, as long as it is of use.
    """

    def __init__(
        self,
        db: Database,
        bots: Mapping[int, Bot],
        metrics: Metrics,
        channels: Mapping[int, str],
        clock: Callable[[], datetime],
        *,
        spoke: Callable[[int, int], None] = lambda _bot_id, _chat_id: None,
    ) -> None:
        self._db = db
        self._bots = bots
        self._metrics = metrics
        self._channels = channels
        self._clock = clock
        self._spoke = spoke
        self._tails: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._speaking: set[Source] = set()
        self._spoken: list[Source] = []
        self._tending: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Say what an earlier process committed and did not send; then tend the journal."""
        await self._recover(everything=self._db.on_sqlite)
        self._tending = asyncio.create_task(self._tend())

    async def stop(self, patience: float = 5.0) -> None:
        """Let what is being said finish; what does not in ``patience`` seconds stays journaled."""
        if self._tending is not None:
            self._tending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._tending
        tails = list(self._tails.values())
        if tails:
            _done, late = await asyncio.wait(tails, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._forget()

    def speak(
        self,
        bot: Bot,
        chat_id: int,
        methods: Sequence[TelegramMethod[Any]],
        source: Source | None,
    ) -> None:
        """Send ``methods`` after what this chat is still being told. Returns at once."""
        key = (bot.id, chat_id)
        if source is not None:
            self._speaking.add(source)
        task = asyncio.create_task(
            self._say_after(self._tails.get(key), bot, chat_id, methods, source)
        )
        self._tails[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))

    def _ended(self, key: tuple[int, int], task: asyncio.Task[None]) -> None:
        if self._tails.get(key) is task:
            del self._tails[key]

    async def _say_after(
        self,
        before: asyncio.Task[None] | None,
        bot: Bot,
        chat_id: int,
        methods: Sequence[TelegramMethod[Any]],
        source: Source | None,
    ) -> None:
        if before is not None:
            await asyncio.wait((before,))
        try:
            said = await self._say_all(bot, chat_id, methods)
        finally:
            if source is not None:
                self._speaking.discard(source)
        if said and source is not None:
            self._spoken.append(source)

    async def _say_all(
        self, bot: Bot, chat_id: int, methods: Sequence[TelegramMethod[Any]]
    ) -> bool:
        """Whether the journal may forget them: they are out, or will never go."""
        channel = self._channels.get(bot.id, "?")
        for method in methods:
            try:
                await self._say(bot, method)
            except TelegramForbiddenError:
                self._metrics.replies.labels(channel, "failed").inc()
                await self._mark_blocked(bot, chat_id)
                return True
            except (TelegramBadRequest, TelegramEntityTooLarge) as refused:
                # An edit of what is gone, an answer to an old tap: the rest still has its use.
                self._metrics.replies.labels(channel, "failed").inc()
                log.info("a reply was refused", channel=channel, reason=refused.message)
            except TelegramAPIError as problem:
                self._metrics.replies.labels(channel, "late").inc()
                log.warning("a reply waits", channel=channel, reason=str(problem))
                return False
            else:
                self._metrics.replies.labels(channel, "sent").inc()
                self._spoke(bot.id, chat_id)
        return True

    async def _say(self, bot: Bot, method: TelegramMethod[Any]) -> None:
        for wait in (*_WAITS, None):
            try:
                await bot(method)
            except TelegramRetryAfter as asked:
                if wait is None:
                    raise
                await asyncio.sleep(min(float(asked.retry_after), _LONGEST_WAIT))
            except TelegramEntityTooLarge:
                raise
            except (TelegramNetworkError, TelegramServerError):
                if wait is None:
                    raise
                await asyncio.sleep(wait)
            else:
                return

    async def _mark_blocked(self, bot: Bot, chat_id: int) -> None:
        async with self._db.write() as tx:
            who = await load_who(tx, bot.id, chat_id)
            if who is not None:
                await mark_account(tx, who.account_id, "blocked", self._clock())

    async def _tend(self) -> None:
        loop = asyncio.get_running_loop()
        recover_at = loop.time() + _RECOVER_EVERY
        while True:
            await asyncio.sleep(_FORGET_EVERY)
            try:
                await self._forget()
                if loop.time() >= recover_at:
                    recover_at = loop.time() + _RECOVER_EVERY
                    await self._recover()
            except (SQLAlchemyError, OSError) as problem:
                log.warning("the journal cannot be tended now", reason=type(problem).__name__)

    async def _forget(self) -> None:
        if not self._spoken:
            return
        spoken, self._spoken = self._spoken, []
        try:
            async with self._db.write() as tx:
                await forget_replies(tx, spoken)
        except BaseException:
            self._spoken = spoken + self._spoken
            raise

    async def _recover(self, *, everything: bool = False) -> None:
        await self._forget()
        async with self._db.write() as tx:
            unsent = await take_unsent_replies(
                tx, self._clock(), list(self._bots), everything=everything
            )
        for row in unsent:
            source = (row.bot_id, row.update_id)
            if source in self._speaking or source in self._spoken:
                continue
            methods = [
                method
                for method in map(from_plain, row.replies)
                if not isinstance(method, AnswerCallbackQuery)
            ]
            chat_id = next((m.chat_id for m in methods if hasattr(m, "chat_id")), 0)
            self.speak(self._bots[row.bot_id], int(chat_id), methods, source)

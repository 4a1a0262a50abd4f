"""What a conversation says, after the commit that decided it: in order within a chat."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import AnswerCallbackQuery, TelegramMethod
from sqlalchemy.exc import SQLAlchemyError

from bot.metrics import Metrics
from bot.speech import as_plain, from_plain
from scheduler.outcomes import Decision, Kind, decide
from storage.database import Database
from storage.engine.problems import describe
from storage.people.who import load_who, mark_account
from storage.talk.intake import forget_replies, keep_replies, take_unsent_replies

log: Final = structlog.get_logger(__name__)
Source = tuple[int, int]
_WAITS: Final = (0.5, 2.0, 8.0)
_LONGEST_WAIT: Final = 60.0
_ROUNDS: Final = 2
_FORGET_EVERY: Final = 0.2
_RECOVER_EVERY: Final = 30.0
_PASSES: Final = (Kind.AGAIN, Kind.THROTTLED, Kind.UNSENT, Kind.LOST, Kind.NO_ENTRY)


@dataclass(slots=True)
class _Reply:
    """``rounds``: how often the channel was asked, with all retries, and did not take it."""

    method: TelegramMethod[Any]
    rounds: int = 0

    def as_plain(self) -> dict[str, Any]:
        return as_plain(self.method) | ({"rounds": self.rounds} if self.rounds else {})


@dataclass(frozen=True, slots=True)
class _Rest:
    """What of an update's replies is not out, and from when on anyone may try again."""

    replies: list[_Reply]
    until: datetime


class Replies:
    """Sends replies in the background; the journal forgets them in batches once they are out.

    What could not be sent stays in the journal, without what was before it, and is tried again
    once its lease is over, as long as it is of use. While a channel cannot be reached that goes
    on; a reply that the channel was asked twice to take, with all retries, is given up, so that
    those behind it go out. What a channel wants to wait for longer than a minute waits there too.
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
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._db = db
        self._bots = bots
        self._counter = cache(metrics.replies.labels)
        self._channels = channels
        self._clock = clock
        self._spoke = spoke
        self._pause = pause
        self._tails: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._speaking: set[Source] = set()
        self._spoken: list[Source] = []
        self._rests: dict[Source, _Rest] = {}
        self._paused: dict[tuple[int, int], datetime] = {}
        self._tending: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Say what an earlier process committed and did not send; then tend the journal."""
        await self.recover(everything=self._db.on_sqlite)
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
        self._speak(bot, chat_id, [_Reply(method) for method in methods], source)

    def _speak(self, bot: Bot, chat_id: int, replies: list[_Reply], source: Source | None) -> None:
        key = (bot.id, chat_id)
        if source is not None:
            self._speaking.add(source)
        task = asyncio.create_task(
            self._say_after(self._tails.get(key), bot, chat_id, replies, source)
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
        replies: list[_Reply],
        source: Source | None,
    ) -> None:
        until = self._clock()  # cut short, as when the service ends, the rest is free at once
        try:
            if before is not None:
                await asyncio.wait((before,))
            until = await self._say_all(bot, chat_id, replies)
        finally:
            if source is not None:
                self._speaking.discard(source)
                if replies:
                    self._rests[source] = _Rest(replies, until)
                else:
                    self._spoken.append(source)

    async def _say_all(self, bot: Bot, chat_id: int, replies: list[_Reply]) -> datetime:
        """Takes from ``replies`` what is out, or never will be; until when the rest waits."""
        channel = self._channels.get(bot.id, "?")
        while replies:
            paused = self._paused.get((bot.id, chat_id))
            if paused is not None and paused > self._clock():
                return paused
            reply = replies[0]
            problem = await self._say(bot, reply.method)
            if problem is None:
                self._counter(channel, "sent").inc()
                self._spoke(bot.id, chat_id)
                del replies[0]
                continue
            decision = decide(problem)
            if decision.kind is Kind.UNREACHABLE:
                self._counter(channel, "failed").inc()
                replies.clear()
                await self._mark_blocked(bot, chat_id)
                break
            if decision.kind in _PASSES and not self._is_enough(reply, decision):
                self._counter(channel, "late").inc()
                log.warning("a reply waits", channel=channel, reason=decision.reason)
                return self._resume_at((bot.id, chat_id), decision)
            # An edit of what is gone, an answer to an old tap: the rest still has its use.
            self._counter(channel, "failed").inc()
            log.info("a reply was refused", channel=channel, reason=decision.reason)
            del replies[0]
        return self._clock()

    def _is_enough(self, reply: _Reply, decision: Decision) -> bool:
        if decision.kind in (Kind.AGAIN, Kind.LOST):
            reply.rounds += 1
        return reply.rounds >= _ROUNDS

    def _resume_at(self, key: tuple[int, int], decision: Decision) -> datetime:
        now = self._clock()
        if decision.kind is not Kind.THROTTLED:
            return now + timedelta(seconds=_RECOVER_EVERY)
        # What is said to this chat meanwhile comes after it.
        self._paused = {chat: at for chat, at in self._paused.items() if at > now}
        until = self._paused[key] = now + timedelta(seconds=decision.retry_after)
        return until

    async def _say(self, bot: Bot, method: TelegramMethod[Any]) -> Exception | None:
        """Send it, with retries; what the channel said last when it did not take it."""
        for wait in (*_WAITS, None):
            try:
                await bot(method)
            except TelegramRetryAfter as asked:
                if wait is None or asked.retry_after > _LONGEST_WAIT:
                    return asked
                await self._pause(float(asked.retry_after))
            except Exception as problem:  # noqa: BLE001  # the table has a row for every error
                if wait is None or decide(problem).kind not in _PASSES:
                    return problem
                await self._pause(wait)
            else:
                return None
        raise AssertionError("the last round returns")

    async def _mark_blocked(self, bot: Bot, chat_id: int) -> None:
        try:
            async with self._db.write() as tx:
                who = await load_who(tx, bot.id, chat_id)
                if who is not None:
                    await mark_account(tx, who.account_id, "blocked", self._clock())
        except (SQLAlchemyError, OSError) as problem:
            # The next message to them tells it again.
            log.warning("a block could not be written down", reason=describe(problem))

    async def _tend(self) -> None:
        loop = asyncio.get_running_loop()
        recover_at = loop.time() + _RECOVER_EVERY
        while True:
            await asyncio.sleep(_FORGET_EVERY)
            try:
                await self._forget()
                if loop.time() >= recover_at:
                    recover_at = loop.time() + _RECOVER_EVERY
                    await self.recover()
            except (SQLAlchemyError, OSError) as problem:
                log.warning("the journal cannot be tended now", reason=type(problem).__name__)

    async def _forget(self) -> None:
        if not self._spoken and not self._rests:
            return
        spoken, self._spoken = self._spoken, []
        rests, self._rests = self._rests, {}
        try:
            async with self._db.write() as tx:
                if spoken:
                    await forget_replies(tx, spoken)
                for source, rest in rests.items():
                    left = [reply.as_plain() for reply in rest.replies]
                    await keep_replies(tx, *source, left, rest.until)
        except BaseException:
            self._spoken = spoken + self._spoken
            self._rests = rests | self._rests
            raise

    async def recover(self, *, everything: bool = False) -> None:
        """Say what has waited long enough; with ``everything`` also what a dead process held."""
        await self._forget()
        async with self._db.write() as tx:
            unsent = await take_unsent_replies(
                tx,
                self._clock(),
                list(self._bots),
                everything=everything,
                still_ours=list(self._speaking),
            )
        for row in unsent:
            source = (row.bot_id, row.update_id)
            if source in self._speaking or source in self._spoken or source in self._rests:
                continue
            replies = [
                _Reply(method, plain.get("rounds", 0))
                for plain in row.replies
                if not isinstance(method := from_plain(plain), AnswerCallbackQuery)
            ]
            chats = (getattr(reply.method, "chat_id", None) for reply in replies)
            chat_id = next((chat for chat in chats if chat is not None), 0)
            self._speak(self._bots[row.bot_id], int(chat_id), replies, source)

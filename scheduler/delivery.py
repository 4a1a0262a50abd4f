"""Delivery: the loop that takes messages from the outbox and sends them."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final, Protocol

import structlog
from aiogram import Bot

from scheduler.attempts import in_a_word
from scheduler.letters import Render
from scheduler.pace import Lane
from scheduler.preparing import Prepared, prepare
from scheduler.queues import Queues
from scheduler.sending import Sending
from scheduler.slots import Slots
from storage.database import Database, Tx
from storage.outbox.claims import Claimed, load_claimed
from storage.outbox.messages import settle_laneless
from storage.outbox.outcomes import AccountNews, Outcome, record_outcomes, recover_lost

_log = structlog.get_logger(__name__)

LEASE: Final = timedelta(seconds=75)
"""Longer than a fetch, a send and a slow record together."""
_IDLE: Final = 1.0
_GRACE: Final = 15.0
_AT_ONCE: Final = 128
_GATHER: Final = 0.05
"""How long outcomes wait for company before they are written, in seconds."""
_GATHER_FULL: Final = 0.25
"""The same while the lane is full: they go with its next claim, which they are about to make."""
_SHARE_OF_TIME: Final = 0.02
_PATIENCE: Final = 20.0
"""Seconds after which a turn is given up; each of its statements has less."""
_LONGEST_REST: Final = 1.0


class HasRate(Protocol):
    @property
    def rate(self) -> float: ...


class Delivery:
    """Sends what is due, a lane for each bot, until stopped.

    A message is claimed only when it can leave within a fifth of a second, so what is ``sending``
    is what is in flight: after a crash no more than that has an unknown fate.

    ``abilities[bot_id].rate`` is messages a second, 0 for no limit. ``counts`` counts what became
    of attempts, by ``(template, result)``; ``lanes`` show how each bot stands.
    """

    def __init__(
        self,
        db: Database,
        bots: Mapping[int, Bot],
        abilities: Mapping[int, HasRate],
        render: Render,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        seconds: Callable[[], float] = monotonic,
        at_once: int = _AT_ONCE,
    ) -> None:
        self._db = db
        self._render = render
        self._clock = clock
        self._seconds = seconds
        self.lanes = {bot_id: Lane(bot_id, abilities[bot_id].rate, at_once) for bot_id in bots}
        self._queues = {bot_id: Queues(bot_id, seconds) for bot_id in bots}
        self._slots = Slots(seconds, shared=not db.on_sqlite)
        self._sending = Sending(self.lanes, bots, clock, seconds, self._over)
        self.counts: Counter[tuple[str, str]] = Counter()
        self._wake = asyncio.Event()
        self._gathering: asyncio.TimerHandle | None = None
        self._stopping = False
        self._troubled = False
        self._exchanging = False
        self._loop: asyncio.Task[None] | None = None
        self._outcomes: list[Outcome] = []
        self._news: list[AccountNews] = []
        self._tend_at: float | None = None

    async def start(self) -> None:
        """Take back what a crash left in flight, and begin.

        On SQLite no other process delivers, so leases need not run out first.
        """
        async with self._db.write() as tx:
            found = await recover_lost(tx, self._clock(), LEASE, everything=self._db.on_sqlite)
        if found:
            _log.warning("recovered messages that were in flight when the service ended", n=found)
        self._loop = asyncio.create_task(self._run(), name="delivery")

    def nudge(self) -> None:
        """Something may be due: look now."""
        for queues in self._queues.values():
            queues.look_for_broadcasts()
        self._wake.set()

    def spoke(self, bot_id: int, chat_id: int) -> None:
        """A reply in a conversation left by itself: what waits in the outbox makes room for it."""
        if bot_id in self.lanes:
            self.lanes[bot_id].spoke(self._seconds(), chat_id)

    async def stop(self) -> None:
        """Claim nothing more, let what is in flight arrive, write it down."""
        self._stopping = True
        self._wake.set()
        self._sending.stop()
        if self._loop is not None:
            await self._loop
        await self.settle(_GRACE)

    async def settle(self, grace: float | None = None) -> None:
        """Wait for what is on its way and record it; give up what takes longer than ``grace``."""
        await self._sending.settle(grace)
        self._gathered()
        if self._outcomes or self._news:
            async with self._write() as tx:
                noted = await self._record(tx)
            self._recorded(*noted)

    async def _run(self) -> None:
        failures = 0
        while not self._stopping:
            self._wake.clear()
            try:
                pause = await self.turn()
                failures = 0
            except Exception:  # noqa: BLE001  # the loop outlives whatever its database does
                # The database is away, most likely. Outcomes are kept; nothing is claimed.
                failures += 1
                pause = min(_LONGEST_REST, 0.125 * 2.0**failures)
                _log.exception("delivery could not reach the outbox; trying again", seconds=pause)
            if pause > 0:
                await self._rest(pause)

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def turn(self) -> float:
        """Record what is over, send what is due; returns seconds until there may be more."""
        self._sending.release()
        await self._tend()
        now = self._seconds()
        open_lanes = [lane for lane in self.lanes.values() if lane.room(now) > 0]
        taken_from: set[int] = set()
        if self._outcomes or self._news or (open_lanes and await self._is_due(open_lanes)):
            # After trouble what is over is recorded by itself: it must not fail with a claim.
            taken_from = await self._exchange([] if self._troubled else open_lanes)
            if self._troubled:
                self._troubled = False
                return 0.0
        # A full lane is looked at again when a send ends, an empty one when it is nudged.
        worth_it = [
            lane.wait(self._seconds())
            for lane in self.lanes.values()
            if lane not in open_lanes or lane.bot_id in taken_from
        ]
        return min([_IDLE, self._until_written(), *worth_it])

    def _until_written(self) -> float:
        """Seconds for which outcomes may wait for company."""
        if not self._outcomes:
            return _IDLE
        if not self._sending:
            return 0.0
        full = any(lane.full for lane in self.lanes.values())
        return _GATHER_FULL if full else _GATHER

    async def _is_due(self, lanes: list[Lane]) -> bool:
        now = self._clock()
        async with self._timely(), self._db.read() as tx:
            for lane in lanes:
                if await self._queues[lane.bot_id].is_due(tx, now):
                    return True
        return False

    async def _tend(self) -> None:
        """Once a second: claims whose process died, messages whose account was lost."""
        began = self._seconds()
        if self._tend_at is not None and began < self._tend_at:
            return
        async with self._write() as tx:
            await recover_lost(tx, self._clock(), LEASE)
            failed = await settle_laneless(tx, self._clock(), self.running())
        self.counts["any", "failed"] += failed
        # Where a transaction is held open, looking for nothing can take long, too.
        took = self._seconds() - began
        self._tend_at = began + max(_IDLE, took / _SHARE_OF_TIME)
        for lane in self.lanes.values():
            lane.forget_idle(began)

    def running(self) -> list[int]:
        """The bots that messages can leave through."""
        return [bot_id for bot_id, lane in self.lanes.items() if lane.stopped is None]

    async def _exchange(self, lanes: list[Lane]) -> set[int]:
        """Record what is over, claim and send; the lanes that something was taken from.

        One transaction for both: its commit is what costs most.
        """
        now = self._clock()
        self._gathered()
        self._exchanging = True
        try:
            async with self._write() as tx:
                noted = await self._record(tx)
                await self._slots.tell_holds(tx, self.lanes)
                claimed = await self._claim(tx, lanes, now) if lanes else []
                ready = await prepare(tx, claimed, now, self._seconds(), self.lanes, self._render)
                await self._slots.give(tx, ready, self.lanes, now)
                await record_outcomes(tx, [outcome for _, outcome in ready.kept], [], now)
        except BaseException:
            self._troubled = True
            for queues in self._queues.values():
                queues.look_from_front()
            raise
        finally:
            self._exchanging = False
        self._recorded(*noted)
        self._slots.committed()
        self._send(ready)
        return {message.lane for message in claimed}

    async def _claim(self, tx: Tx, lanes: list[Lane], now: datetime) -> list[Claimed]:
        ids: list[int] = []
        for lane in lanes:
            if (room := lane.room(self._seconds())) > 0:
                ids += await self._queues[lane.bot_id].claim(tx, now, room, now + LEASE)
        return await load_claimed(tx, ids, self.running()) if ids else []

    def _send(self, ready: Prepared) -> None:
        for message, outcome in ready.kept:
            self._count(message.template, in_a_word(outcome))
        self._sending.hand_over(ready.leaving)

    def _over(self, message: Claimed, outcome: Outcome, news: AccountNews | None) -> None:
        """One is over; it is written with others, or with the next claim."""
        self._outcomes.append(outcome)
        if news is not None:
            self._news.append(news)
        self._count(message.template, in_a_word(outcome))
        if self._exchanging:
            return  # what is to be done next is looked at when it ends
        # None for what came along from a lane of no bot of ours: another message's lane took it.
        lane = self.lanes.get(message.lane)
        full = lane is not None and lane.full and lane.wait(self._seconds()) == 0
        if not self._sending or full:
            self._wake.set()
        elif self._gathering is None:
            loop = asyncio.get_running_loop()
            self._gathering = loop.call_later(self._until_written(), self._wake.set)

    def _gathered(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None

    async def _record(self, tx: Tx) -> tuple[int, int]:
        outcomes, news = list(self._outcomes), list(self._news)
        await record_outcomes(tx, outcomes, news, self._clock())
        return len(outcomes), len(news)

    def _recorded(self, outcomes: int, news: int) -> None:
        # Only after the commit: if the database is away, they are kept for the next turn.
        del self._outcomes[:outcomes], self._news[:news]

    @contextlib.asynccontextmanager
    async def _write(self) -> AsyncIterator[Tx]:
        async with self._timely(), self._db.write() as tx:
            yield tx

    def _timely(self) -> asyncio.Timeout:
        # SQLite answers, or says that it cannot; a connection may be cut without a word.
        return asyncio.timeout(None if self._db.on_sqlite else _PATIENCE)

    def _count(self, template: str, result: str) -> None:
        self.counts[template, result] += 1

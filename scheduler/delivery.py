"""Delivery: the loop that takes messages from the outbox and sends them."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final, Protocol

import structlog
from aiogram import Bot

from scheduler.attempts import in_a_word, later, send_letter, sent, settle_decision
from scheduler.leaving import Drop, Go, Hold, check_leave
from scheduler.letters import Letter, Ready, Render, Withheld
from scheduler.outcomes import Decision, Kind
from scheduler.pace import Lane
from storage.claims import Address, Claimed, claim_due, is_due
from storage.database import Database, Tx
from storage.outbox import settle_laneless
from storage.outcomes import AccountNews, Outcome, record_outcomes, recover_lost

_log = structlog.get_logger(__name__)

_LEASE: Final = timedelta(seconds=75)
"""Longer than a fetch, a send and a slow record together."""
_IDLE: Final = 1.0
_GRACE: Final = 15.0
_AT_ONCE: Final = 64
_GATHER: Final = 0.02
"""How long outcomes wait for company before they are written, in seconds."""


class HasRate(Protocol):
    @property
    def rate(self) -> float: ...


class Delivery:
    """Sends what is due, a lane for each bot, until stopped.

    A message is claimed only when it can leave at once, so what is ``sending`` is what is in
    flight: after a crash no more than that has an unknown fate.

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
        self._bots = bots
        self._render = render
        self._clock = clock
        self._seconds = seconds
        self._at_once = at_once
        self.lanes = {bot_id: Lane(bot_id, abilities[bot_id].rate) for bot_id in bots}
        self.counts: Counter[tuple[str, str]] = Counter()
        self._wake = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None
        self._in_flight: set[asyncio.Task[None]] = set()
        self._last_to: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._outcomes: list[Outcome] = []
        self._news: list[AccountNews] = []
        self._tended_at: float | None = None

    async def start(self) -> None:
        """Take back what a crash left in flight, and begin.

        On SQLite no other process delivers, so leases need not run out first.
        """
        async with self._db.write() as tx:
            found = await recover_lost(tx, self._clock(), everything=self._db.on_sqlite)
        if found:
            _log.warning("recovered messages that were in flight when the service ended", n=found)
        self._loop = asyncio.create_task(self._run(), name="delivery")

    def nudge(self) -> None:
        """Something may be due: look now."""
        self._wake.set()

    def spoke(self, bot_id: int, chat_id: int) -> None:
        """A reply in a conversation left by itself: what waits in the outbox makes room for it."""
        if bot_id in self.lanes:
            self.lanes[bot_id].spoke(self._seconds(), chat_id)

    async def stop(self) -> None:
        """Claim nothing more, let what is in flight arrive, write it down."""
        self._stopping = True
        self._wake.set()
        if self._loop is not None:
            await self._loop
        await self.settle(_GRACE)

    async def settle(self, grace: float | None = None) -> None:
        """Wait for what is in flight and record it. After ``grace`` seconds, give it up as lost."""
        if self._in_flight:
            _, late = await asyncio.wait(self._in_flight, timeout=grace)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        await self._record()

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
                pause = min(5.0, 0.25 * 2.0**failures)
                _log.exception("delivery could not reach the outbox; trying again", seconds=pause)
                await self._rest(pause)
                continue
            if pause > 0:
                await self._rest(pause)

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def turn(self) -> float:
        """Record what is finished, send what is due; returns seconds until there may be more."""
        await self._record()
        await self._tend()
        now = self._seconds()
        room = {
            bot_id: space
            for bot_id, lane in self.lanes.items()
            if (space := lane.room(now, self._at_once - lane.in_flight)) > 0
        }
        taken_from = await self._send_due(room) if room else set()
        waits = [_IDLE]
        for bot_id, lane in self.lanes.items():
            # A full lane is looked at again when a send ends, an empty one when it is nudged.
            empty = bot_id in room and bot_id not in taken_from
            if lane.in_flight < self._at_once and not empty:
                waits.append(lane.wait(self._seconds()))
        return min(waits)

    async def _tend(self) -> None:
        """Once a second: claims whose process died, messages whose account was lost."""
        now = self._seconds()
        if self._tended_at is not None and now < self._tended_at + _IDLE:
            return
        async with self._db.write() as tx:
            await recover_lost(tx, self._clock())
            failed = await settle_laneless(tx, self._clock(), self.running())
        self.counts["any", "failed"] += failed
        self._tended_at = now
        for lane in self.lanes.values():
            lane.forget_idle(now)

    def running(self) -> list[int]:
        """The bots that messages can leave through."""
        return [bot_id for bot_id, lane in self.lanes.items() if lane.stopped is None]

    async def _send_due(self, room: Mapping[int, int]) -> set[int]:
        """Claim and send; the lanes that something was taken from."""
        now = self._clock()
        async with self._db.read() as tx:
            if not await is_due(tx, now, room):
                return set()
        async with self._db.write() as tx:
            claimed: list[Claimed] = []
            for bot_id, space in room.items():
                claimed += await claim_due(
                    tx,
                    now,
                    lane=bot_id,
                    running=self.running(),
                    limit=space,
                    lease_until=now + _LEASE,
                )
            letters, kept = await self._prepare(tx, claimed, now)
            await record_outcomes(tx, kept, [], now)
        by_id = {message.id: message for message in claimed}
        for outcome in kept:
            self._count(by_id[outcome.id].template, in_a_word(outcome))
        for message, to, letter in letters:
            self._send(message, to, letter)
        return {message.lane for message in claimed}

    async def _prepare(
        self, tx: Tx, claimed: Sequence[Claimed], now: datetime
    ) -> tuple[list[tuple[Claimed, Address, Letter]], list[Outcome]]:
        """Part the claimed into what leaves now and what does not, with its outcome."""
        kept: list[Outcome] = []
        ready: list[Ready] = []
        for message in claimed:
            match check_leave(message, now):
                case Drop(state, reason):
                    kept.append(Outcome(message.id, message.attempts, state, reason))
                case Hold(until, reason):
                    kept.append(later(message, until, reason))
                case Go(silent):
                    if message.to is not None and message.to.bot_id != message.lane:
                        # Another account is the better one by now: it leaves through that lane.
                        kept.append(later(message, now, None, lane=message.to.bot_id))
                    else:
                        ready.append(Ready(message, silent))
        written = await self._render(tx, ready) if ready else {}
        letters: list[tuple[Claimed, Address, Letter]] = []
        seconds = self._seconds()
        for message in (it.message for it in ready):
            letter = written.get(message.id, Withheld("failed", "nothing was written for it"))
            if isinstance(letter, Withheld):
                kept.append(Outcome(message.id, message.attempts, letter.state, letter.reason))
                continue
            to = message.to
            assert to is not None  # check_leave dropped those without
            lane, amount = self.lanes[to.bot_id], len(letter.parts)
            if (wait := lane.chat_wait(seconds, to.chat_id, amount)) > 0:
                kept.append(later(message, now + timedelta(seconds=wait), "others came first"))
                continue
            lane.spoke(seconds, to.chat_id, amount)
            letters.append((message, to, letter))
        return letters, kept

    def _send(self, message: Claimed, to: Address, letter: Letter) -> None:
        chat = (to.bot_id, to.chat_id)
        task = asyncio.create_task(
            self._deliver(message, to, letter, after=self._last_to.get(chat)),
            name=f"delivery {message.id}",
        )
        self.lanes[to.bot_id].in_flight += 1
        self._in_flight.add(task)
        self._last_to[chat] = task

        def done(task: asyncio.Task[None]) -> None:
            self._in_flight.discard(task)
            self.lanes[to.bot_id].in_flight -= 1
            if self._last_to.get(chat) is task:
                del self._last_to[chat]
            if not self._in_flight or len(self._outcomes) >= self._at_once // 4:
                self._wake.set()
            else:
                asyncio.get_running_loop().call_later(_GATHER, self._wake.set)

        task.add_done_callback(done)

    async def _deliver(
        self, message: Claimed, to: Address, letter: Letter, after: asyncio.Task[None] | None
    ) -> None:
        if after is not None:
            try:
                await asyncio.wait([after])  # in order within a chat
            except asyncio.CancelledError:
                self._outcomes.append(later(message, self._clock(), "the service stopped"))
                raise
        lane = self.lanes[to.bot_id]
        result = await send_letter(letter, self._bots[to.bot_id], self._bots, self._seconds)
        if isinstance(result, Decision):
            if result.kind is Kind.LOST:
                _log.warning("a message may be lost", delivery=message.id, reason=result.reason)
            outcome, news = settle_decision(
                result, message, to, lane, self._clock(), self._seconds()
            )
            if news is not None:
                self._news.append(news)
        else:
            lane.got_through(result.started)
            outcome = sent(message, to, result.message_id)
        self._outcomes.append(outcome)
        self._count(message.template, in_a_word(outcome))

    async def _record(self) -> None:
        if not self._outcomes:
            return
        outcomes, news = list(self._outcomes), list(self._news)
        async with self._db.write() as tx:
            await record_outcomes(tx, outcomes, news, self._clock())
        # Only now: if the database is away, they are kept for the next turn.
        del self._outcomes[: len(outcomes)], self._news[: len(news)]

    def _count(self, template: str, result: str) -> None:
        self.counts[template, result] += 1

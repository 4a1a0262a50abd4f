"""The loop: a virtual clock that jumps to whatever is due next, and lets the program do it."""

import contextlib
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import perf_counter
from typing import Any, Final, cast

from sqlalchemy import func, select

from handlers.abilities import Abilities
from scheduler.clock import Clock
from scheduler.delivery import Delivery
from storage.database import Database
from storage.engine import sqlite
from storage.engine.prepared import Prepared
from storage.models import Checkin, Rollcall, RuleClock
from storage.models import Delivery as Row
from storage.outbox.messages import QUEUED
from tests.year.acts import Acts
from tests.year.founding import found_world
from tests.year.invariants import Broken, Invariants
from tests.year.transport import Channel, Marked
from tests.year.world import BOT, STARTS, ZONES, midnight

_TEND: Final = timedelta(hours=24)
"""How often the tick of every minute comes: more often where something waits for it."""
_PATIENCE: Final = 20
"""For how many virtual seconds something may be due and not be done."""
_DUE: Final = Prepared(
    select(
        select(func.min(RuleClock.next_at)).scalar_subquery().label("rules"),
        select(func.min(Checkin.next_at))
        .where(Checkin.next_at.is_not(None))
        .scalar_subquery()
        .label("steps"),
        select(func.min(Row.not_before)).where(QUEUED).scalar_subquery().label("messages"),
        select(func.min(Rollcall.next_at))
        .where(Rollcall.closed_at.is_(None))
        .scalar_subquery()
        .label("rollcalls"),
    )
)


@dataclass(frozen=True, slots=True)
class Lived:
    """What a run came to. ``factor``: how many times faster than life it was."""

    days: int
    workers: int
    moments: int
    messages: int
    seconds: float
    counts: dict[str, int]

    @property
    def factor(self) -> float:
        return self.days * 86_400 / self.seconds

    def __str__(self) -> str:
        counted = ", ".join(f"{n} {what}" for what, n in self.counts.items())
        return (
            f"{self.workers} workers lived {self.days} days in {self.seconds:.1f} s"
            f" ({self.factor:,.0f} × real time): {self.moments} moments, {counted}"
        )


@contextlib.contextmanager
def forgoing_disk() -> Iterator[None]:
    """SQLite connections that do not wait for the disk: nothing here is to outlive the machine."""
    kept = sqlite._PRAGMAS
    sqlite._PRAGMAS = ("synchronous = OFF", *kept[1:])
    try:
        yield
    finally:
        sqlite._PRAGMAS = kept


def _replay(db: Database, *, bare: bool, **given: Any) -> str:
    """The whole command; a database of PostgreSQL's is to be an empty one again."""
    options = [f"--{name} {value}" for name, value in given.items()]
    if not bare:
        options.append("--words")
    if not db.on_sqlite:
        options.append(f"--database {db.url.render_as_string()}")
    return f"python -m tests.year {' '.join(options)}"


class Year:
    """One run over an empty, migrated database.

    It wakes for all that is due, at the full ``step`` (minutes) after: a program that comes late
    must do no wrong either. 0: at the very second. ``bare``: see :class:`Marked`.
    """

    def __init__(
        self,
        db: Database,
        *,
        seed: int,
        workers: int,
        days: int,
        first: date = STARTS,
        step: int = 0,
        zones: int = len(ZONES),
        bare: bool = False,
    ) -> None:
        self._db = db
        drawn = {"seed": seed, "workers": workers, "days": days, "first": first}
        self.replay = _replay(db, bare=bare, **drawn, step=step, zones=zones)
        self._seed, self._workers, self._days = seed, workers, days
        self._zones, self._bare = zones, bare
        self._step = timedelta(minutes=step)
        self._start = self.now = midnight(first)
        self._moments = self._stuck = 0

    async def live(self) -> Lived:
        """Live through it; raises :class:`Broken` on the first day that something is wrong.

        Whatever it raises carries a note with the command that replays it.
        """
        try:
            return await self._live()
        except Exception as error:
            error.add_note(f"To replay it: {self.replay}")
            raise

    async def _live(self) -> Lived:
        world = await found_world(self._db, self._seed, self._workers, self._start, self._zones)
        self._world, self._acts = world, Acts(world, self._days)
        self._channel = Channel(world, lambda: self.now)
        self._delivery = Delivery(
            self._db,
            {BOT: cast("Any", self._channel)},
            {BOT: Abilities()},
            Marked(bare=self._bare),
            clock=lambda: self.now,
            seconds=self._seconds,
            at_once=512,
        )
        self._clock = Clock(
            self._db,
            nudge=lambda: None,
            running=self._delivery.running,
            clock=lambda: self.now,
        )
        self._invariants = Invariants(self._db, world, self._acts)
        gc.freeze()  # else all that is remembered of the year is looked through again and again
        began = perf_counter()
        await self._tend()
        async with self._db.write() as tx:
            await self._acts.subscribe_some(tx, self.now, dated=not self._bare)
        for day in range(self._days):
            await self._live_day(self._start + timedelta(days=day + 1))
            await self._invariants.check_day(self.now)
        seconds = perf_counter() - began
        gc.unfreeze()
        counts = self._invariants.counts
        return Lived(
            self._days, self._workers, self._moments, counts.total(), seconds, dict(counts)
        )

    def _seconds(self) -> float:
        return (self.now - self._start).total_seconds()

    async def _live_day(self, end: datetime) -> None:
        while (due := await self._next()) < end:
            self.now = min(max(self._rounded(due), self.now + timedelta(seconds=1)), end)
            await self._moment()
        self.now = end
        await self._moment()

    def _rounded(self, due: datetime) -> datetime:
        """When the program wakes for what is ``due``: at the next full step."""
        return due + (self._start - due) % self._step if self._step else due

    async def _next(self) -> datetime:
        times: list[datetime] = [it for it in await self._due() if it is not None]
        if self._acts.at_once is not None:
            times.append(self._acts.at_once)
        return min(times)

    async def _due(self) -> Any:
        async with self._db.read() as tx:
            return (await tx.run(_DUE, {}))[0]

    async def _moment(self) -> None:
        """Everything that is due now, until nothing is."""
        self._moments += 1
        if self._acts.is_waiting(self.now):
            async with self._db.write() as tx:
                changed = await self._acts.apply(tx, self.now)
            if self._acts.others.has_notices:
                await self._tick("broadcasts")
            if changed:
                await self._tend()
        if self.now >= self._tended + _TEND:
            await self._tend()
        before = None
        while True:
            due = await self._due()
            come = {what for what, at in due._asdict().items() if at and at <= self.now}
            if not come:
                self._stuck = 0
                return
            if due == before:
                # What was found to be out of reach just now ends a second later.
                self._stuck += 1
                if self._stuck > _PATIENCE:
                    raise Broken(f"{self.now}: something is due and is not done: {due}")
                return
            before = due
            if come & {"rules", "steps"}:
                await self._tick("second")
            if "rollcalls" in come:
                await self._tick("rollcalls")
            if "messages" in come:
                await self._deliver()

    async def _tend(self) -> None:
        await self._tick("minute")
        await self._tick("broadcasts")
        self._tended = self.now

    async def _tick(self, name: str) -> None:
        await getattr(self._clock, f"tick_{name}")()
        if self._clock.last.get(name) != self.now:
            raise Broken(f"{self.now}: the tick of each {name} failed, see the log")

    async def _deliver(self) -> None:
        await self._delivery.turn()
        await self._delivery.settle()
        for left in self._channel.refused:
            worker = self._world.by_id.get(left.person_id)
            if worker is not None and worker.cut_off is None:
                worker.cut_off = left.at
        self._channel.refused.clear()
        fresh = sorted(self._channel.fresh)
        self._channel.fresh.clear()
        self._invariants.took(fresh)
        self._acts.react(fresh)

"""The clock: it ticks, and nothing more. What is due lives in tables."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import (  # type: ignore[import-untyped]  # it has no types
    AsyncIOScheduler,
)

from scheduler.checkins import plan_due_checkins, set_clocks
from scheduler.digests import tell_officers
from scheduler.expansion import carry_on
from scheduler.expiry import end_what_is_over
from scheduler.followups import end_tasks, follow_up
from scheduler.reminders import ensure_reminders, plan_due_reminders
from scheduler.rollcall_counts import EVERY as COUNTS_EVERY
from scheduler.rollcalls import carry_on_rollcalls
from storage.database import Database

_log = structlog.get_logger(__name__)


class Clock:
    """Ticks every second for what is due, every minute for what ends or begins by itself.

    Broadcasts go on in a tick of their own, which takes as long as it takes: what is due meanwhile
    does not wait for it.

    ``nudge`` is called when messages were written; ``running`` says which bots leave from here.
    ``show_counts`` changes the messages in which officers watch roll calls.
    ``last`` holds when each tick last succeeded (UTC), for the metrics.
    """

    def __init__(
        self,
        db: Database,
        *,
        nudge: Callable[[], None],
        running: Callable[[], Collection[int]],
        show_counts: Callable[[datetime], Awaitable[object]] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._db = db
        self._nudge = nudge
        self._running = running
        self._show_counts = show_counts
        self._clock = clock
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._ticking: set[asyncio.Task[Any]] = set()
        self._stopping = False
        self.last: dict[str, datetime] = {}

    async def start(self) -> None:
        """Tick once, so that a fresh database has its clocks, then go on by itself."""
        await self.tick_minute()
        # A late tick does the work of all it missed, so they are folded into one; a tick that
        # takes long is not joined by a second.
        every: dict[str, Any] = {
            "trigger": "interval",
            "coalesce": True,
            "max_instances": 1,
            "misfire_grace_time": None,
        }
        self._scheduler.add_job(self.tick_second, seconds=1, **every)
        self._scheduler.add_job(self.tick_broadcasts, seconds=1, **every)
        self._scheduler.add_job(self.tick_rollcalls, seconds=1, **every)
        if self._show_counts is not None:
            seconds = COUNTS_EVERY.total_seconds()
            self._scheduler.add_job(self.tick_counts, seconds=seconds, **every)
        self._scheduler.add_job(self.tick_minute, seconds=60, **every)
        self._scheduler.start()

    async def stop(self) -> None:
        """No further tick; one that is under way is let finish, a broadcast's next chunk is not."""
        self._stopping = True
        if self._scheduler.running:
            self._scheduler.pause()
            await asyncio.sleep(0)  # a tick that was only just called begins, and is waited for
            if self._ticking:
                await asyncio.wait(self._ticking)
            self._scheduler.shutdown(wait=False)

    async def tick_second(self) -> None:
        """Plan the check-ins and reminders that are due, and what follows those unanswered."""
        await self._tick("second", self._plan)

    async def tick_minute(self) -> None:
        """Set clocks for new rules and zones; end what is over."""
        await self._tick("minute", self._tend)

    async def tick_broadcasts(self) -> None:
        """Write what broadcasts have still to say, call off what was stopped, end what is over."""
        await self._tick("broadcasts", self._carry_on)

    async def tick_rollcalls(self) -> None:
        """Ask again who did not answer a roll call, end those whose time is over."""
        await self._tick("rollcalls", self._carry_on_rollcalls)

    async def tick_counts(self) -> None:
        """Show officers how the roll calls they watch stand."""
        if self._show_counts is not None:
            await self._tick("counts", self._show_counts)

    async def _carry_on_rollcalls(self, _now: datetime) -> None:
        await carry_on_rollcalls(
            self._db, self._clock, nudge=self._nudge, going=lambda: not self._stopping
        )

    async def _carry_on(self, _now: datetime) -> None:
        await carry_on(self._db, self._clock, nudge=self._nudge, going=lambda: not self._stopping)

    async def _plan(self, now: datetime) -> None:
        done = 0
        problems: list[Exception] = []
        for work in (
            plan_due_checkins(self._db, now, nudge=self._nudge, going=lambda: not self._stopping),
            plan_due_reminders(self._db, now, nudge=self._nudge, going=lambda: not self._stopping),
            follow_up(self._db, now),
        ):
            # One that fails each time must not keep the others from their work.
            try:
                done += await work
            except Exception as problem:  # noqa: BLE001  # they are all raised below
                problems.append(problem)
        if done:
            self._nudge()
        if problems:
            raise ExceptionGroup("not all of what is due was planned", problems)

    async def _tend(self, now: datetime) -> None:
        await ensure_reminders(self._db, now)
        await set_clocks(self._db, now)
        done = await end_what_is_over(
            self._db, now, self._running(), going=lambda: not self._stopping
        )
        done["tasks"] = await end_tasks(self._db, now)
        if told := await tell_officers(self._db, now):
            done["digests"] = told
            self._nudge()
        if any(done.values()):
            _log.info("tended", **done)

    async def _tick(self, name: str, work: Callable[[datetime], Any]) -> None:
        now = self._clock()
        task = asyncio.current_task()
        assert task is not None
        self._ticking.add(task)
        try:
            await work(now)
        except Exception:  # noqa: BLE001  # the next tick does what this one could not
            _log.exception("a tick failed; the next one does its work", tick=name)
        else:
            self.last[name] = now
        finally:
            self._ticking.discard(task)

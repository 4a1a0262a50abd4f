"""What planning would cost with one APScheduler job per worker, each asking its own."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.jobstores.sqlalchemy import (  # type: ignore[import-untyped]  # it has no types
    SQLAlchemyJobStore,
)
from apscheduler.schedulers.asyncio import (  # type: ignore[import-untyped]  # as above
    AsyncIOScheduler,
)
from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]  # as above
from sqlalchemy import select

from storage.database import Database
from storage.models import Checkin, Delivery, Person
from storage.outbox.messages import CHECKIN, lane_of
from storage.rhythm.checkins import is_expected
from tests.bench.villages import SUNDAY

_RULE = 1


@dataclass
class _Jobs:
    """What the jobs share; a job store keeps their function by name, and not the database."""

    db: Database
    left: int
    over: asyncio.Event = field(default_factory=asyncio.Event)


_now: list[_Jobs] = []


async def fire_jobs(db: Database, jobs: int, *, kept: bool) -> float:
    """Workers a second, from adding a job for each until the last one has asked.

    ``kept``: in APScheduler's SQLAlchemy store (a file of its own), so that a restart finds them.
    """
    async with _scheduler(kept=kept) as scheduler:
        _now.append(_Jobs(db, jobs))
        started = time.perf_counter()
        due = datetime.now(UTC)
        for person in range(1, jobs + 1):
            hour, quarter = divmod(person % 48, 4)
            weekly = CronTrigger(
                day_of_week="sun", hour=8 + hour, minute=15 * quarter, timezone="Asia/Shanghai"
            )
            scheduler.add_job(
                ask, weekly, args=(person,), next_run_time=due, misfire_grace_time=None
            )
        scheduler.resume()
        await _now[-1].over.wait()
        seconds = time.perf_counter() - started
        _now.pop()
    return jobs / seconds


async def ask(person: int) -> None:
    """One worker's job: see that they are expected, write the check-in and its message."""
    until = SUNDAY + timedelta(hours=72)
    async with _now[-1].db.write() as tx:
        found = await tx.execute(select(Person.area_id).where(Person.id == person, is_expected()))
        checkin = await tx.scalar(
            tx.insert(Checkin)
            .values(
                person_id=person,
                area_id=found.scalar_one(),
                rule_id=_RULE,
                version=1,
                slot="2026-11-22",
                due_at=SUNDAY,
                window_until=until,
                next_at=SUNDAY + timedelta(hours=24),
            )
            .on_conflict_do_nothing()
            .returning(Checkin.id)
        )
        await tx.execute(
            tx.insert(Delivery).values(
                person_id=person,
                template="checkin",
                priority=CHECKIN,
                urgent=False,
                lane=lane_of(person),
                checkin_id=checkin,
                dedupe_key=f"checkin:{checkin}",
                not_before=SUNDAY,
                expires_at=until,
                state="queued",
                attempts=0,
                created_at=SUNDAY,
            )
        )
    _now[-1].left -= 1
    if not _now[-1].left:
        _now[-1].over.set()


@contextlib.asynccontextmanager
async def _scheduler(*, kept: bool) -> AsyncIterator[Any]:
    with tempfile.TemporaryDirectory(prefix="kinroom-bench-") as folder:
        stores = {"default": SQLAlchemyJobStore(f"sqlite:///{folder}/jobs.db")} if kept else {}
        scheduler = AsyncIOScheduler(timezone=UTC, jobstores=stores)
        scheduler.start(paused=True)
        try:
            yield scheduler
        finally:
            scheduler.shutdown(wait=False)
            await asyncio.sleep(0)

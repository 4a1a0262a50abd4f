"""Many check-ins planned, against one raw ``INSERT … SELECT`` of the same rows, and jobs.

The floor writes the very same check-ins and messages, from tables that hold them ready, into the
same tables with their indexes and constraints. ``BENCH_WORKERS`` sets how many are due.
"""

import itertools
import os
import statistics
import time

from sqlalchemy import text

from scheduler.checkins import plan_due_checkins
from storage.database import Database
from tests.bench.databases import open_migrated, postgres_url, sqlite_url
from tests.bench.figure import Figure
from tests.bench.growth import begin_to_watch, highest
from tests.bench.job_each import fire_jobs
from tests.bench.villages import SUNDAY, settle, settle_down, unask

WORKERS = int(os.environ.get("BENCH_WORKERS", "100000"))
ROUNDS = 3
_JOBS = 1000
_NEAR_ENOUGH = 0.5
_TIMES_A_JOB = 500
_MOST_MEMORY = 64.0
_PATIENCE = 900.0
_READY = {
    "checkin": "id, person_id, area_id, rule_id, version, slot, due_at, window_until, next_at,"
    " stage",
    "delivery": "person_id, template, priority, urgent, lane, checkin_id, dedupe_key, not_before,"
    " expires_at, state, attempts, created_at, params",
}


async def measure_sqlite() -> list[Figure]:
    with sqlite_url() as url:
        return await measure(url)


async def measure_postgres() -> list[Figure]:
    with postgres_url() as url:
        return [] if url is None else await measure(url)


async def measure(
    url: str, workers: int = WORKERS, rounds: int = ROUNDS, jobs: int = _JOBS
) -> list[Figure]:
    async with open_migrated(url) as db:
        await settle(db, people=workers, due=workers)
        before = begin_to_watch()
        await _plan(db, workers)  # warm, and it leaves the rows that the floor writes
        await _keep_ready(db)
        ours: list[float] = []
        floors: list[float] = []
        longest, growth = 0.0, highest() - before
        for _ in range(rounds):
            await unask(db)
            floors.append(await _floor(db))
            await unask(db)
            before = begin_to_watch()
            seconds, wait = await _plan(db, workers)
            ours.append(seconds)
            longest, growth = max(longest, wait), max(growth, highest() - before)
        await unask(db)
        kept = await fire_jobs(db, jobs, kept=True)
        await unask(db)
        forgotten = await fire_jobs(db, jobs, kept=False)
    name = db.url.get_backend_name()
    speed = workers / statistics.median(ours)
    ratios = [floor / mine for floor, mine in zip(floors, ours, strict=True)]
    ratio = statistics.median(ratios)
    return [
        Figure(
            f"plan {workers:,} check-ins ({name})",
            "/s",
            speed,
            workers / statistics.median(floors),
            ratio,
            bound=f"≥ {_NEAR_ENOUGH}",
            reached=ratio >= _NEAR_ENOUGH,
            note=f"ratio by round: {' '.join(f'{one:.2f}' for one in ratios)};"
            f" the longest wait between two portions {longest * 1000:.0f} ms",
        ),
        Figure(
            f"  against a job per worker ({name})",
            "/s",
            speed,
            kept,
            speed / kept,
            bound=f"≥ {_TIMES_A_JOB}",
            reached=speed / kept >= _TIMES_A_JOB,
            note=f"{jobs:,} APScheduler jobs in its SQLAlchemy store, added and fired, taken to"
            f" cost as much each when they are more; in its memory, which a restart empties,"
            f" {forgotten:,.0f} a second: × {speed / forgotten:,.0f}",
        ),
        Figure(
            f"  memory it takes ({name})",
            "MiB",
            growth,
            bound=f"≤ {_MOST_MEMORY:g} MiB",
            reached=growth <= _MOST_MEMORY,
        ),
    ]


async def _plan(db: Database, workers: int) -> tuple[float, float]:
    """Seconds until all are asked, and the longest between two commits."""
    at = [time.perf_counter()]
    written = await plan_due_checkins(db, SUNDAY, nudge=lambda: at.append(time.perf_counter()))
    seconds = time.perf_counter() - at[0]
    assert written == workers
    return seconds, max(late - early for early, late in itertools.pairwise(at))


async def _floor(db: Database) -> float:
    started = time.perf_counter()
    async with db.write() as tx:
        await tx.take_time(_PATIENCE)
        for table, columns in _READY.items():
            await tx.execute(
                text(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM ready_{table}")
            )
    return time.perf_counter() - started


async def _keep_ready(db: Database) -> None:
    for table, columns in _READY.items():
        which = "WHERE slot = '2026-11-22' ORDER BY id" if table == "checkin" else "ORDER BY id"
        async with db.write() as tx:
            await tx.take_time(_PATIENCE)
            await tx.execute(
                text(f"CREATE TABLE ready_{table} AS SELECT {columns} FROM {table} {which}")
            )
        await settle_down(db, f"ANALYZE ready_{table}")

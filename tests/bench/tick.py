"""A whole second's tick that asks 10,000 of many workers, against one that asks all of 10,000.

Both databases are filled alike, and their ticks take turns. ``BENCH_WORKERS`` sets how many the
larger one holds.
"""

import contextlib
import os
import statistics
import time

from sqlalchemy import text

from scheduler.clock import Clock
from storage.database import Database
from tests.bench.databases import beside, open_migrated, postgres_url, sqlite_url
from tests.bench.figure import Figure
from tests.bench.villages import SUNDAY, settle, unask

WORKERS = int(os.environ.get("BENCH_WORKERS", "200000"))
DUE = 10_000
ROUNDS = 7
_MOST = 1.5


async def measure_sqlite() -> list[Figure]:
    with sqlite_url() as url:
        return await measure(url)


async def measure_postgres() -> list[Figure]:
    with postgres_url() as url:
        return [] if url is None else await measure(url)


async def measure(
    url: str, workers: int = WORKERS, due: int = DUE, rounds: int = ROUNDS
) -> list[Figure]:
    async with contextlib.AsyncExitStack() as stack:
        many = await stack.enter_async_context(open_migrated(url))
        few = await stack.enter_async_context(open_migrated(await beside(url, "few")))
        await settle(many, people=workers, due=due)
        await settle(few, people=due, due=due)
        for db in (many, few):  # warm: what is prepared once is prepared
            await _tick(db, due)
        ours: list[float] = []
        floors: list[float] = []
        for turn in range(rounds):
            for db in (many, few) if turn % 2 else (few, many):
                await unask(db)
                (ours if db is many else floors).append(await _tick(db, due))
    ratios = [mine / floor for mine, floor in zip(ours, floors, strict=True)]
    ratio = statistics.median(ratios)
    return [
        Figure(
            f"tick, {due:,} due of {workers:,} ({many.url.get_backend_name()})",
            "ms",
            statistics.median(ours) * 1000,
            statistics.median(floors) * 1000,
            ratio,
            bound=f"≤ {_MOST}",
            reached=ratio <= _MOST,
            note=f"times as long, by round: {' '.join(f'{one:.2f}' for one in ratios)};"
            f" floor: {due:,} due of {due:,}",
        )
    ]


async def _tick(db: Database, due: int) -> float:
    """Seconds that the clock's tick takes, in which all who are due are asked."""
    clock = Clock(db, nudge=lambda: None, running=lambda: (), clock=lambda: SUNDAY)
    started = time.perf_counter()
    await clock.tick_second()
    seconds = time.perf_counter() - started
    async with db.read() as tx:
        assert await tx.scalar(text("SELECT count(*) FROM delivery")) == due
    return seconds

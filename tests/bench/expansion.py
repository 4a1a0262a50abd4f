"""A broadcast to a million people: written in chunks, against one raw ``INSERT … SELECT``.

The floor writes the very same rows, from a table that holds them ready, into the same table with
its indexes and constraints, in one statement. ``BENCH_PEOPLE`` sets another size.
"""

import itertools
import os
import statistics
import time
from datetime import UTC, datetime

from sqlalchemy import text

from scheduler.expansion import carry_on
from storage.database import Database, Tx
from storage.outbox.broadcasts import plan_broadcast
from storage.people.areas import AreaInfo, add_area
from tests.bench.databases import open_migrated, postgres_url, sqlite_url
from tests.bench.figure import Figure
from tests.bench.growth import begin_to_watch, highest
from tests.bench.population import BOT_ID

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "1000000"))
ROUNDS = 3
_VILLAGES = 500
_NEAR_ENOUGH = 0.5
_MOST_MEMORY = 64.0
_COLUMNS = (
    "person_id, template, priority, urgent, lane, broadcast_id, dedupe_key, not_before, "
    "expires_at, state, attempts, created_at, params"
)


async def measure_sqlite() -> list[Figure]:
    with sqlite_url() as url:
        return await _measure(url)


async def measure_postgres() -> list[Figure]:
    with postgres_url() as url:
        return [] if url is None else await _measure(url)


async def _measure(url: str, people: int = PEOPLE) -> list[Figure]:
    async with open_migrated(url) as db:
        county = await _populate(db, people)
        before = begin_to_watch()
        await _round(db, county, people)  # warm, and it leaves the rows that the floor writes
        await _keep_ready(db)
        ours: list[float] = []
        floors: list[float] = []
        longest, growth = 0.0, highest() - before
        for _ in range(ROUNDS):
            await _clear(db)
            floors.append(await _floor(db))
            await _clear(db)
            before = begin_to_watch()
            seconds, chunk = await _round(db, county, people)
            ours.append(seconds)
            longest = max(longest, chunk)
            growth = max(growth, highest() - before)
    ratios = [floor / mine for floor, mine in zip(floors, ours, strict=True)]
    ratio = statistics.median(ratios)
    name = db.url.get_backend_name()
    return [
        Figure(
            f"expand a broadcast to {people:,} ({name})",
            "/s",
            people / statistics.median(ours),
            people / statistics.median(floors),
            ratio,
            bound=f"≥ {_NEAR_ENOUGH}",
            reached=ratio >= _NEAR_ENOUGH,
            note=f"ratio by round: {' '.join(f'{one:.2f}' for one in ratios)};"
            f" the longest wait between two chunks {longest * 1000:.0f} ms",
        ),
        Figure(
            f"  memory it takes ({name})",
            "MiB",
            growth,
            bound=f"≤ {_MOST_MEMORY:g} MiB",
            reached=growth <= _MOST_MEMORY,
        ),
    ]


async def _round(db: Database, county: AreaInfo, people: int) -> tuple[float, float]:
    """Seconds until all is written, and the longest of its chunks."""
    gaps = [time.perf_counter()]
    started = gaps[0]
    async with db.write() as tx:
        planned = await plan_broadcast(
            tx, area=county, text="体检", language=None, by=None, now=datetime.now(UTC)
        )
    gaps.append(time.perf_counter())
    done = await carry_on(
        db, lambda: datetime.now(UTC), nudge=lambda: gaps.append(time.perf_counter())
    )
    seconds = time.perf_counter() - started
    assert planned.count == people
    assert 0 < done.written < people
    async with db.read() as tx:
        assert await tx.scalar(text("SELECT count(*) FROM delivery")) == people
    chunks = [late - early for early, late in itertools.pairwise(gaps[1:])]
    return seconds, max(chunks, default=0.0)


async def _floor(db: Database) -> float:
    started = time.perf_counter()
    async with db.write() as tx:
        await tx.execute(
            text(f"INSERT INTO delivery ({_COLUMNS}) SELECT {_COLUMNS} FROM bench_ready")
        )
    return time.perf_counter() - started


async def _keep_ready(db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(text(f"CREATE TABLE bench_ready AS SELECT {_COLUMNS} FROM delivery"))
    await _settle(db, "ANALYZE bench_ready")


async def _clear(db: Database) -> None:
    """As empty as at first; what lies in the log is written home before the clock runs."""
    async with db.write() as tx:
        await tx.execute(text("DELETE FROM delivery" if db.on_sqlite else "TRUNCATE delivery"))
        await tx.execute(text("UPDATE broadcast SET ended_at = at WHERE ended_at IS NULL"))
    await _settle(db, "PRAGMA wal_checkpoint(TRUNCATE)" if db.on_sqlite else "CHECKPOINT")


async def _settle(db: Database, statement: str) -> None:
    async with db.engine.connect() as conn:
        await conn.execution_options(isolation_level="AUTOCOMMIT")
        await conn.execute(text(statement))


async def _populate(db: Database, people: int) -> AreaInfo:
    """A county of 500 villages, its people made by two statements."""
    now = datetime.now(UTC)
    async with db.write() as tx:
        county = await _area(tx, "county", None, now)
        villages = [await _area(tx, f"village{n}", "county", now) for n in range(_VILLAGES)]
        first = villages[0].id
        each = {"first": first, "villages": _VILLAGES, "people": people, "bot": BOT_ID}
        away, yes, no, blob = (
            ("n", "1", "0", "zeroblob(40)")
            if db.on_sqlite
            else ("CAST(n AS bigint)", "true", "false", "decode(repeat('00', 40), 'hex')")
        )
        numbers = (
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < :people)"
            if db.on_sqlite
            else "WITH s AS (SELECT generate_series(1, CAST(:people AS integer)) AS n)"
        )
        at = "'2026-01-01 00:00:00.000000'"
        at = at if db.on_sqlite else f"timestamptz {at}"
        # Neighbours by number are of different villages, as those who joined one after another.
        await tx.execute(
            text(
                "INSERT INTO person (id, ref, name, area_id, is_officer, is_demo, language, status,"
                " slower, quiet_from, quiet_to, consented, enrolled_at, created_at)"
                f" {numbers} SELECT n, 'person-' || n, {blob},"
                f" :first + ({away} * 7919) % :villages, {no}, {no}, 'zh', 'away', {no}, 21, 8,"
                f" {yes}, {at}, {at} FROM s"
            ),
            {key: each[key] for key in ("first", "villages", "people")},
        )
        await tx.execute(
            text(
                "INSERT INTO account"
                " (person_id, channel, bot_id, chat_id, state, state_at, created_at)"
                f" {numbers} SELECT n, 'telegram', :bot, 1000000 + n, 'reachable', {at}, {at}"
                " FROM s"
            ),
            {key: each[key] for key in ("bot", "people")},
        )
    await _settle(db, "ANALYZE")
    return county


async def _area(tx: Tx, code: str, parent: str | None, now: datetime) -> AreaInfo:
    return await add_area(
        tx, code=code, name=code, parent=parent, timezone=None, language=None, now=now
    )

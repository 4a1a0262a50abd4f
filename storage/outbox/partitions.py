"""The months of past deliveries on PostgreSQL: made just in time, dropped whole.

A month is a table of its own, ``delivery_past_2026_11``, by ``finished_at`` in UTC. To make or to
drop one takes locks that readers of past deliveries hold as long as their transaction is open,
and whoever reads next would queue behind the wait: so it is given up at once, and tried again
with the next tick.
"""

import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.database import Database, Tx
from storage.outbox.past import KEPT_FOR

_log = structlog.get_logger(__name__)

_NAME: Final = re.compile(r"delivery_past_(\d{4})_(\d{2})")
_LOCK_NOT_AVAILABLE: Final = "55P03"


@dataclass(frozen=True, slots=True, order=True)
class Month:
    year: int
    month: int

    @classmethod
    def of(cls, at: datetime) -> "Month":
        at = at.astimezone(UTC)
        return cls(at.year, at.month)

    @property
    def table(self) -> str:
        return f"delivery_past_{self.year:04}_{self.month:02}"

    @property
    def starts(self) -> datetime:
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    def following(self) -> "Month":
        return Month(self.year + self.month // 12, self.month % 12 + 1)


async def make_months(db: Database, months: Collection[Month]) -> set[Month]:
    """Make the tables of these months where they are missing; which of them are there now.

    Two processes may do so at once. Messages that were kept without a month move into theirs.
    """
    months = set(months)
    async with db.read() as tx:
        there = months & await _find_months(tx)
    for month in sorted(months - there):
        async with _unless_locked(month):
            async with db.write() as tx:
                await _make(tx, month)
            there.add(month)
    return there


async def drop_months(db: Database, now: datetime) -> list[Month]:
    """Drop the months that ended more than 30 days ago, each whole; which they were."""
    async with db.read() as tx:
        known = await _find_months(tx)
    dropped: list[Month] = []
    for month in sorted(known):
        if month.following().starts <= now - KEPT_FOR:
            async with _unless_locked(month):
                async with db.write() as tx:
                    await _wait_briefly(tx)
                    await tx.execute(text(f"DROP TABLE IF EXISTS {month.table}"))
                dropped.append(month)
    return dropped


async def _find_months(tx: Tx) -> set[Month]:
    found = await tx.execute(
        text(
            "SELECT child.relname AS name FROM pg_inherits"
            " JOIN pg_class AS child ON child.oid = inhrelid"
            " WHERE inhparent = 'delivery_past'::regclass"
        )
    )
    names = (_NAME.fullmatch(row.name) for row in found)
    return {Month(int(name[1]), int(name[2])) for name in names if name}


async def _make(tx: Tx, month: Month) -> None:
    await _wait_briefly(tx)
    # One process at a time; the second finds it made. Nothing more goes into the default table
    # meanwhile: PostgreSQL refuses a month of which it holds anything.
    await tx.execute(text("LOCK TABLE delivery_past IN SHARE UPDATE EXCLUSIVE MODE"))
    if month in await _find_months(tx):
        return
    await tx.execute(text("LOCK TABLE delivery_past_default IN ACCESS EXCLUSIVE MODE"))
    first, last = (f"'{at:%Y-%m-%d} 00:00+00'" for at in (month.starts, month.following().starts))
    # Made beside and attached: made as a partition at once, it would lock out every reader.
    await tx.execute(text(f"CREATE TABLE {month.table} (LIKE delivery_past INCLUDING ALL)"))
    await tx.execute(
        text(
            f"WITH kept AS (DELETE FROM delivery_past_default"  # noqa: S608  # our own numbers
            f" WHERE finished_at >= {first} AND finished_at < {last} RETURNING *)"
            f" INSERT INTO {month.table} SELECT * FROM kept"
        )
    )
    await tx.execute(
        text(
            f"ALTER TABLE delivery_past ATTACH PARTITION {month.table}"
            f" FOR VALUES FROM ({first}) TO ({last})"
        )
    )


async def _wait_briefly(tx: Tx) -> None:
    await tx.execute(text("SET LOCAL lock_timeout = '100ms'"))


@asynccontextmanager
async def _unless_locked(month: Month) -> AsyncIterator[None]:
    try:
        yield
    except DBAPIError as problem:
        if getattr(problem.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        _log.info("past deliveries are being read; their month waits", month=month.table)

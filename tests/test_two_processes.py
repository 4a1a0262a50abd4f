"""Two processes do the same thing at once: it is done once."""

import asyncio
from datetime import datetime

from sqlalchemy import func, select, text

from storage.checkins import ensure_default_rule
from storage.database import Database
from storage.models import StatusChange
from storage.rhythm import resume_paused
from tests.outbox_people import make_area, make_person


async def test_two_processes_make_one_default_rule(postgres_db: Database, now: datetime) -> None:
    db = postgres_db
    root = await make_area(db, now, "root")

    async def make() -> bool:
        async with db.write() as tx:
            return await ensure_default_rule(tx, root.id, now)

    async with db.write() as tx:
        assert await ensure_default_rule(tx, root.id, now)
        other = asyncio.create_task(make())
        await waits_for_a_lock(db)
    assert not await other


async def test_two_processes_note_the_end_of_a_pause_once(
    postgres_db: Database, now: datetime
) -> None:
    db = postgres_db
    async with db.write() as tx:
        await make_person(tx, now, status="paused", paused_until=now)

    async def resume() -> int:
        async with db.write() as tx:
            return await resume_paused(tx, now)

    async with db.write() as tx:
        assert await resume_paused(tx, now) == 1
        other = asyncio.create_task(resume())
        await waits_for_a_lock(db)
    assert await other == 0
    async with db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(StatusChange)) == 1


async def waits_for_a_lock(db: Database) -> None:
    """Until another transaction waits for one of ours."""
    async with asyncio.timeout(20), db.read() as tx:
        while not await tx.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            pass

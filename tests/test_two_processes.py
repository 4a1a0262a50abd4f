"""Two processes do the same thing at once: it is done once."""

import asyncio
from datetime import datetime

from sqlalchemy import func, select, text

from storage.database import Database, Tx
from storage.models import StatusChange
from storage.people.enrolment import Address, give_consent
from storage.people.who import Arrival, load_arrival
from storage.rhythm.planning import resume_paused
from storage.rules.defaults import ensure_default_rule
from storage.talk.dialogs import Conversation, write_dialog
from storage.talk.intake import record_update
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


async def test_an_update_sees_what_the_one_before_it_did_in_another_process(
    postgres_db: Database, now: datetime
) -> None:
    db = postgres_db
    async with db.write() as tx:
        await give_consent(tx, Address("telegram", 1, 7), language="zh", now=now)

    async def arrive(tx: Tx, update_id: int) -> Arrival:
        arrival = await load_arrival(
            tx, bot_id=1, chat_id=7, update_id=update_id, dialog_key="1:7:7", now=now
        )
        assert arrival is not None
        return arrival

    async def look(update_id: int) -> Arrival:
        async with db.write() as tx:
            return await arrive(tx, update_id)

    async with db.write() as tx:
        assert not (await arrive(tx, 1)).has_dialog
        again, following = asyncio.create_task(look(1)), asyncio.create_task(look(2))
        await waits_for_a_lock(db, 2)
        asked = Conversation("1:7:7", known=True, state="Enrolling:name", changed=True)
        await write_dialog(tx, asked, now)
        await record_update(tx, bot_id=1, update_id=1, now=now)
    assert (await again).seen
    assert ((await following).state, (await following).seen) == ("Enrolling:name", False)


async def test_a_newcomers_updates_wait_for_one_another(
    postgres_db: Database, now: datetime
) -> None:
    db = postgres_db

    async def look() -> Arrival | None:
        async with db.write() as tx:
            return await load_arrival(
                tx, bot_id=1, chat_id=7, update_id=2, dialog_key="1:7:7", now=now
            )

    async with db.write() as tx:
        await load_arrival(tx, bot_id=1, chat_id=7, update_id=1, dialog_key="1:7:7", now=now)
        other = asyncio.create_task(look())
        await waits_for_a_lock(db)
        await give_consent(tx, Address("telegram", 1, 7), language="zh", now=now)
    assert await other is not None


async def waits_for_a_lock(db: Database, n: int = 1) -> None:
    """Until ``n`` other transactions wait for one of ours."""
    async with asyncio.timeout(20), db.read() as tx:
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while await tx.scalar(waiting) < n:
            pass

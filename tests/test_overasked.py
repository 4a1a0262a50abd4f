"""Who is asked too much: listed for their officers with what can be done, and for no one else."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from storage.database import Database, Tx
from storage.models import Area, Delivery, Look, PastDelivery
from storage.outbox.burden import USED_UP, WEEK
from storage.outbox.messages import enqueue
from storage.people.who import Who
from storage.register.overasked import list_overasked
from tests.county import make_area, make_person
from tests.liaison_chat import Phone, Room

DAY = timedelta(days=1)


@pytest.fixture
def room(db: Database, now: datetime) -> Room:
    return Room(db, now)


async def _got(tx: Tx, who: Who, at: datetime, number: int, **more: Any) -> None:
    """A notice of the past, that left at ``at``."""
    values: dict[str, Any] = {
        "id": 1_000_000 * who.person_id + number,
        "person_id": who.person_id,
        "template": "broadcast",
        "priority": 3,
        "urgent": False,
        "dedupe_key": f"past:{who.person_id}:{number}",
        "state": "sent",
        "attempts": 1,
        "message_id": number,
        "finished_at": at,
        "created_at": at,
    }
    await tx.execute(insert(PastDelivery).values({**values, **more}))


async def _waits(tx: Tx, who: Who, now: datetime, count: int) -> None:
    for number in range(count):
        await enqueue(
            tx,
            person_id=who.person_id,
            template="broadcast",
            priority=3,
            dedupe_key=f"waits:{who.person_id}:{number}",
            now=now,
            expires_at=now + 3 * DAY,
        )
    await tx.execute(
        update(Delivery)
        .where(Delivery.person_id == who.person_id)
        .values(reason=USED_UP, not_before=now + 2 * DAY)
    )


async def _village(room: Room) -> Phone:
    """Elm, where Full got three a week for three weeks, and for Late four wait."""
    now = room.now
    async with room.db.write() as tx:
        elm, oak = await make_area(tx, "elm", now), await make_area(tx, "oak", now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        full, late, half, roll, once, other = [
            await make_person(tx, name, now, area=oak if name == "Other" else elm)
            for name in ("Full", "Late", "Half", "Roll", "Once", "Other")
        ]
        for number in range(9):
            at = now - WEEK * (number // 3) - DAY * (1 + number % 3)
            await _got(tx, full, at, number)
            await _got(tx, other, at, number)
            await _got(tx, roll, at, number, urgent=True, template="rollcall")
            # What left as one is one.
            await _got(tx, once, now - WEEK * (number // 3) - DAY, number)
            if number != 4:
                await _got(tx, half, at, number)
        await _waits(tx, late, now, 4)
        await _waits(tx, half, now, 3)
    return Phone(room, mei)


async def test_the_list_says_who_why_and_what_to_do(room: Room) -> None:
    phone = await _village(room)
    await phone.write("today")
    assert "Asked too much: 2" in phone.buttons()
    said = await phone.tap("Asked too much: 2")
    assert "2 people are asked too much." in said
    assert "Offer them a slower rhythm" in said
    assert "1. Late · Elm · 4 messages wait · 3 a week allowed" in said
    assert (
        "2. Full · Elm · 3 + 3 + 3 messages in the last three weeks, newest first"
        " · 3 a week allowed" in said
    )
    assert "Other" not in said
    async with room.db.read() as tx:
        assert await tx.scalar(select(Look.what).where(Look.by_person_id == phone.who.person_id))
    card = await phone.tap("Late")
    assert "Late" in card
    assert "2 people are asked too much." in await phone.tap("Back to the list")


async def test_nobody_is_when_the_week_has_room(room: Room) -> None:
    phone = await _village(room)
    async with room.db.write() as tx:
        await tx.execute(update(Area).values(weekly_budget=4))
    await phone.write("today")
    assert not any(label.startswith("Asked too much") for label in phone.buttons())


async def test_pages_and_their_count(room: Room) -> None:
    phone = await _village(room)
    async with room.db.read() as tx:
        elm = await tx.scalar(select(Area.path).where(Area.code == "elm"))
        count, people = await list_overasked(tx, [elm], room.now, 1, 1)
        everywhere, _ = await list_overasked(tx, ["/"], room.now, 10)
    assert (count, [it.name for it in people], everywhere) == (2, ["Full"], 3)
    assert phone.who.is_officer

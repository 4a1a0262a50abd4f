"""A broadcast is written in chunks: nobody lost, nobody doubled, stopped while it runs."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from scheduler.expansion import carry_on
from storage.database import Database
from storage.models import Broadcast, Delivery, Person
from storage.outbox import running_broadcasts
from storage.outbox.audience import count_audience
from storage.outbox.broadcasts import find_broadcast, plan_broadcast, stop_broadcast
from storage.outbox.past import MOVED_AFTER, find_finished, move_finished
from storage.outbox.recipients import count_recipients, list_recipients
from storage.outbox.running_broadcasts import expand_next
from storage.people.areas import find_area
from tests.outbox_people import make_area, make_person

HOUR = timedelta(hours=1)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four people a chunk, so that thirty are many."""
    monkeypatch.setattr(running_broadcasts, "CHUNK", 4)
    monkeypatch.setattr("storage.outbox.broadcasts.CHUNK", 4)


async def _village(db: Database, now: datetime, people: int = 30) -> list[int]:
    area = await make_area(db, now)
    other = await make_area(db, now, "other")
    async with db.write() as tx:
        # Others stand between them, and one has no account.
        ids = []
        for n in range(people):
            ids.append(await make_person(tx, now, area=area, chat_id=0 if n == 3 else None))
            await make_person(tx, now, area=other)
        await make_person(tx, now, area=area, status="paused")
        await make_person(tx, now, area=area, consented=False)
    return ids


async def _plan(db: Database, now: datetime, code: str = "village") -> int:
    async with db.write() as tx:
        area = await find_area(tx, code)
        planned = await plan_broadcast(tx, area=area, text="体检", language=None, by=None, now=now)
        assert planned.count == await count_audience(tx, area)
        return planned.id


async def _written(db: Database, broadcast_id: int) -> list[int]:
    async with db.read() as tx:
        found = await tx.execute(
            select(Delivery.person_id)
            .where(Delivery.broadcast_id == broadcast_id)
            .order_by(Delivery.person_id)
        )
        return list(found.scalars().all())


async def _finish(db: Database, broadcast_id: int, now: datetime, state: str = "sent") -> None:
    async with db.write() as tx:
        await tx.execute(
            update(Delivery)
            .where(Delivery.broadcast_id == broadcast_id, Delivery.state == "queued")
            .values(state=state, finished_at=now)
        )


async def test_a_small_one_is_there_at_once(db: Database, now: datetime) -> None:
    ids = await _village(db, now, 5)
    broadcast_id = await _plan(db, now)
    assert await _written(db, broadcast_id) == ids
    async with db.read() as tx:
        sent = await find_broadcast(tx, broadcast_id)
    assert sent is not None
    assert (sent.expanded_at, sent.state, sent.audience) == (now, "running", 5)


@pytest.mark.usefixtures("small_chunks")
async def test_a_large_one_is_written_in_chunks(db: Database, now: datetime) -> None:
    ids = await _village(db, now)
    broadcast_id = await _plan(db, now)
    first = await _written(db, broadcast_id)
    assert first == ids[: len(first)]
    assert 0 < len(first) <= 4
    async with db.read() as tx:
        sent = await find_broadcast(tx, broadcast_id)
        assert sent is not None
        figures = await count_recipients(tx, sent)
    assert (figures.waiting, sent.audience) == (30, 30)  # those still to be written wait, too

    async with db.write() as tx:  # joined since: found it among the latest notices
        await make_person(tx, now + HOUR, area=await find_area(tx, "village"))
    nudges: list[int] = []
    done = await carry_on(db, lambda: now, nudge=lambda: nudges.append(1))
    assert done.written == 30 - len(first)
    assert len(nudges) > 5
    assert await _written(db, broadcast_id) == ids
    assert (await carry_on(db, lambda: now)).written == 0

    await _finish(db, broadcast_id, now)
    assert (await carry_on(db, lambda: now)).ended == 1
    async with db.read() as tx:
        sent = await find_broadcast(tx, broadcast_id)
    assert sent is not None
    assert (sent.state, sent.audience, sent.ended_at) == ("done", 30, now)


class _KilledError(Exception):
    """The process ends before the commit."""


async def _write_and_be_killed(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        assert await expand_next(tx, now) is not None
        raise _KilledError


@pytest.mark.usefixtures("small_chunks")
async def test_a_chunk_that_is_not_committed_is_written_again(db: Database, now: datetime) -> None:
    ids = await _village(db, now)
    broadcast_id = await _plan(db, now)
    for _ in range(3):
        with pytest.raises(_KilledError):
            await _write_and_be_killed(db, now)
        async with db.write() as tx:
            await expand_next(tx, now)
    await carry_on(db, lambda: now)
    assert await _written(db, broadcast_id) == ids


@pytest.mark.usefixtures("small_chunks")
async def test_two_at_once_neither_double_nor_wait(postgres_db: Database, now: datetime) -> None:
    ids = await _village(postgres_db, now)
    broadcast_id = await _plan(postgres_db, now)
    async with postgres_db.write() as tx:
        assert await expand_next(tx, now) is not None
        async with asyncio.timeout(5), postgres_db.write() as other:
            assert await expand_next(other, now) is None
    await asyncio.gather(*(carry_on(postgres_db, lambda: now) for _ in range(3)))
    await carry_on(postgres_db, lambda: now)
    assert await _written(postgres_db, broadcast_id) == ids


@pytest.mark.usefixtures("small_chunks")
async def test_the_least_far_goes_first(db: Database, now: datetime) -> None:
    await _village(db, now)
    first, second = await _plan(db, now), await _plan(db, now, "other")
    for _ in range(4):
        async with db.write() as tx:
            await expand_next(tx, now)
    async with db.read() as tx:
        found = await tx.execute(select(Broadcast.expanded_to).order_by(Broadcast.id))
        one, two = found.scalars().all()
    assert abs(one - two) <= 8
    await carry_on(db, lambda: now)
    assert len(await _written(db, first)) == len(await _written(db, second)) == 30


@pytest.mark.usefixtures("small_chunks")
async def test_stopped_while_it_is_written(db: Database, now: datetime) -> None:
    await _village(db, now)
    broadcast_id = await _plan(db, now)
    async with db.write() as tx:
        await expand_next(tx, now)
    written = await _written(db, broadcast_id)
    async with db.write() as tx:  # one has it, one is on its way
        ids = (await tx.execute(select(Delivery.id).order_by(Delivery.id))).scalars().all()
        sent, sending = ids[0], ids[1]
        await tx.execute(
            update(Delivery).where(Delivery.id == sent).values(state="sent", finished_at=now)
        )
        await tx.execute(
            update(Delivery).where(Delivery.id == sending).values(state="sending", lease_until=now)
        )
    async with db.write() as tx:
        assert await stop_broadcast(tx, broadcast_id, by=None, now=now, reason="a test")
        assert not await stop_broadcast(tx, broadcast_id, by=None, now=now)
    await carry_on(db, lambda: now)
    assert await _written(db, broadcast_id) == written  # nobody more
    async with db.read() as tx:
        stopped = await find_broadcast(tx, broadcast_id)
        assert stopped is not None
        figures = await count_recipients(tx, stopped)
        people = await list_recipients(tx, None, broadcast_id, ["cancelled"], limit=100)
    assert (stopped.state, stopped.ended_at, stopped.audience) == ("stopped", None, len(written))
    assert (figures.sent, figures.waiting, figures.cancelled) == (1, 1, len(written) - 2)
    assert {person.reason for person in people} == {"the notice was stopped"}

    async with db.write() as tx:  # what was in flight arrives, and counts
        await tx.execute(
            update(Delivery).where(Delivery.id == sending).values(state="sent", finished_at=now)
        )
    assert (await carry_on(db, lambda: now)).ended == 1
    async with db.write() as tx:
        assert not await stop_broadcast(tx, broadcast_id, by=None, now=now)


@pytest.mark.usefixtures("small_chunks")
async def test_a_long_queue_is_called_off_in_chunks(db: Database, now: datetime) -> None:
    await _village(db, now)
    other = await _plan(db, now, "other")
    broadcast_id = await _plan(db, now)
    await carry_on(db, lambda: now)
    async with db.write() as tx:
        assert await stop_broadcast(tx, broadcast_id, by=None, now=now)
    async with db.read() as tx:
        counted = await tx.scalar(
            select(func.count()).where(
                Delivery.broadcast_id == broadcast_id, Delivery.state == "cancelled"
            )
        )
    assert counted == 4
    done = await carry_on(db, lambda: now)
    assert (done.cancelled, done.ended) == (26, 1)
    async with db.read() as tx:
        left = await tx.scalar(select(func.count()).where(Delivery.state == "queued"))
    assert left == len(await _written(db, other)) == 30


async def test_nobody_to_send_to_is_over_at_once(db: Database, now: datetime) -> None:
    await make_area(db, now)
    broadcast_id = await _plan(db, now)
    async with db.write() as tx:
        sent = await find_broadcast(tx, broadcast_id)
        assert sent is not None
        assert (sent.state, sent.audience, sent.ended_at) == ("done", 0, now)
        assert not await stop_broadcast(tx, broadcast_id, by=None, now=now)


async def test_who_got_it_stays_right_after_the_move_and_after_leaving(
    db: Database, now: datetime
) -> None:
    ids = await _village(db, now, 6)
    broadcast_id = await _plan(db, now)
    await _finish(db, broadcast_id, now)
    later = now + MOVED_AFTER + HOUR
    async with db.write() as tx:
        found = await find_finished(tx, later, None, 3)
        assert await move_finished(tx, [delivery_id for delivery_id, _ in found]) == 3
        await tx.execute(
            update(Person).where(Person.id == ids[0]).values(erased_at=now, name=None, area_id=None)
        )
    async with db.read() as tx:
        sent = await find_broadcast(tx, broadcast_id)
        assert sent is not None
        figures = await count_recipients(tx, sent)
        people = await list_recipients(tx, None, broadcast_id, ["sent"], limit=4)
        people += await list_recipients(tx, None, broadcast_id, ["sent"], limit=4, offset=4)
    assert (figures.sent, sent.audience) == (6, 6)
    assert [person.person_id for person in people] == ids
    assert [person.name for person in people] == [None] + ["小芳"] * 5

"""Claims: each queue in its order, whatever lies at its front."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from scheduler.queues import Queues
from storage.database import Database, Tx
from storage.models import Broadcast, Delivery
from storage.outbox import claims
from storage.outbox.claims import FRONT, Queue, claim_due, find_broadcasts_due, find_due
from storage.outbox.messages import enqueue
from storage.outbox.outcomes import recover_lost
from tests.fake_channel import Times
from tests.outbox_people import LANE, make_area, make_person, states

HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=75)


async def put(tx: Tx, person: int, key: str, at: datetime, **more: Any) -> int:
    values: dict[str, Any] = {"template": "case_reply", "priority": 0}
    row = await enqueue(
        tx, person_id=person, dedupe_key=key, now=at, expires_at=at + 24 * HOUR, **values | more
    )
    assert row is not None
    return row


async def broadcast(tx: Tx, area: Any, now: datetime, people: Sequence[int], key: str) -> int:
    """A notice on its way to these people."""
    planned: int = await tx.scalar(
        tx.insert(Broadcast)
        .values(area_id=area.id, text=key, audience=len(people), at=now)
        .returning(Broadcast.id)
    )
    for person in people:
        await put(
            tx, person, f"{key}:{person}", now, template="broadcast", priority=3,
            broadcast_id=planned,
        )  # fmt: skip
    return planned


async def keys(tx: Tx, ids: Sequence[int]) -> list[str]:
    found = await tx.execute(select(Delivery.id, Delivery.dedupe_key).where(Delivery.id.in_(ids)))
    named = {row.id: row.dedupe_key for row in found}
    return [named[it] for it in ids]


async def test_each_queue_is_read_on_from_where_it_was(db: Database, now: datetime) -> None:
    queue = Queue(LANE, 0)
    async with db.write() as tx:
        person = await make_person(tx, now)
        ids = [await put(tx, person, str(n), now - (9 - n) * HOUR) for n in range(5)]
        first = sorted(await claim_due(tx, now, queue, 2, now + LEASE))
        assert [place[1] for place in first] == ids[:2]
        rest = await claim_due(tx, now, queue, 9, now + LEASE, behind=(now - 6 * HOUR, ids[3]))
        assert [place[1] for place in rest] == ids[4:]
        assert await find_due(tx, now, LANE, {}) == [queue]
        assert await find_due(tx, now, LANE, {queue: (now - 6 * HOUR, ids[3])}) == []
        left = await claim_due(tx, now, queue, 9, now + LEASE, FRONT)
        assert sorted(place[1] for place in left) == ids[2:4]


async def test_running_broadcasts_are_queues_of_their_own(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    times = Times(now)
    async with db.write() as tx:
        people = [await make_person(tx, now, area=area) for _ in range(20)]
        big = await broadcast(tx, area, now, people, "big")
        ended = await broadcast(tx, area, now, people[:1], "ended")
        small = await broadcast(tx, area, now, people[:2], "small")
        await put(tx, people[0], "alone", now, template="welcome_back", priority=3)
        await tx.execute(update(Broadcast).where(Broadcast.id == ended).values(ended_at=now))
        due = await find_broadcasts_due(tx, now, LANE)
        assert [queue.broadcast_id for queue in due] == [big, small]
        queues = Queues(LANE, times.seconds)
        first = await keys(tx, await queues.claim(tx, now, 6, now + LEASE))
        assert {key.partition(":")[0] for key in first} == {"big", "small", "alone"}
        assert sum(key.startswith("small") for key in first) == 2
        assert len(await queues.claim(tx, now, 90, now + LEASE)) == 17
        assert not await queues.is_due(tx, now)


async def test_what_is_written_behind_a_claim_is_found_within_a_second(
    db: Database, now: datetime
) -> None:
    times = Times(now)
    queues = Queues(LANE, times.seconds)
    async with db.write() as tx:
        person = await make_person(tx, now)
        for number in range(4):
            await put(tx, person, str(number), now - HOUR)
        assert len(await queues.claim(tx, now, 2, now + LEASE)) == 2
        late = await put(tx, person, "late", now - 2 * HOUR)
        assert len(await queues.claim(tx, now, 2, now + LEASE)) == 2
        assert await queues.claim(tx, now, 2, now + LEASE) == []
        times.move(1)
        assert await queues.claim(tx, times.now, 2, now + LEASE) == [late]


async def test_what_is_queued_again_is_not_behind_a_claim(db: Database, now: datetime) -> None:
    times = Times(now)
    queues = Queues(LANE, times.seconds)
    async with db.write() as tx:
        person = await make_person(tx, now)
        lost = await put(tx, person, "a", now - HOUR)
        await put(tx, person, "b", now - HOUR)
        assert len(await queues.claim(tx, now, 2, now + LEASE)) == 2
        times.move(0.5)
        assert await recover_lost(tx, now + 2 * LEASE, LEASE) == 2
        later = now + 2 * LEASE
        assert lost in await queues.claim(tx, later, 2, later + LEASE)


async def test_a_lease_of_a_clock_that_was_set_back_has_run_out(
    db: Database, now: datetime
) -> None:
    async with db.write() as tx:
        person = await make_person(tx, now)
        await put(tx, person, "k", now - HOUR)
        await claim_due(tx, now, Queue(LANE, 0), 1, now + LEASE)
        assert await recover_lost(tx, now - LEASE + timedelta(seconds=1), LEASE) == 0
        assert await recover_lost(tx, now - HOUR, LEASE) == 1
    assert await states(db) == {"k": ("queued", "interrupted while it was being sent")}


@pytest.mark.parametrize(
    "statement", ["_HEADS", "_CLAIM_OF_NONE", "_CLAIM_OF_ONE", "_BROADCASTS_DUE"]
)
async def test_claims_read_one_range_of_the_index(
    db: Database, now: datetime, statement: str
) -> None:
    """As its order stands, without sorting: what lies behind is not looked at."""
    area = await make_area(db, now)
    async with db.write() as tx:
        people = [await make_person(tx, now, area=area) for _ in range(10)]
        for number in range(30):
            await broadcast(tx, area, now, people, str(number))
            for person in people:
                await put(tx, person, f"{number}-{person}", now, priority=number % 4)
        await tx.execute(text("ANALYZE"))
        plan = await explained(tx, getattr(claims, statement).statement, now)
    # PostgreSQL sorts the few broadcasts; deliveries it need not.
    assert plan.count("ix_delivery_due") == (4 if statement == "_HEADS" else 1), plan
    assert "TEMP B-TREE" not in plan, plan
    assert "Seq Scan on delivery" not in plan, plan
    assert "Sort" not in plan or statement == "_BROADCASTS_DUE", plan


async def explained(tx: Tx, statement: Any, now: datetime) -> str:
    """The database's plan."""
    compiled = statement.compile(dialect=tx.conn.dialect)
    values: dict[str, Any] = {"on_lane": LANE, "of_priority": 3, "broadcast": 7, "most": 3}
    for name in compiled.binds:
        if name.startswith("after_id"):
            values[name] = 5
        elif name in ("at", "lease") or name.startswith("after"):
            values[name] = now
    given = compiled.construct_params({**values})
    convert = compiled._bind_processors
    places = tuple(
        convert[name](given[name]) if name in convert else given[name]
        for name in compiled.positiontup
    )
    explain = "EXPLAIN" if tx.on_postgres else "EXPLAIN QUERY PLAN"
    rows = await tx.conn.exec_driver_sql(f"{explain} {compiled}", places)
    return "\n".join(str(row[-1]) for row in rows)

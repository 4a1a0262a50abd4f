"""One bot's pace, kept together by the processes that send through it (PostgreSQL)."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import text, update

from scheduler.delivery import Delivery
from storage.database import Database
from storage.models import Account, LanePace
from storage.outbox.lanes import hold_lane, reserve_slots
from tests.fake_channel import FakeSession, fake_bot
from tests.outbox_people import LANE, make_person, states
from tests.outbox_post import Rate, plain, put

GAP = 0.1


async def reserve(db: Database, amount: int = 1) -> Any:
    async with db.write() as tx:
        return await reserve_slots(tx, LANE, length=amount * GAP, slack=2 * GAP, furthest=5.0)


async def test_slots_of_all_processes_follow_one_another(postgres_db: Database) -> None:
    db = postgres_db
    first = await reserve(db, 5)
    assert -0.05 < first.starts_in <= 0  # a lane that nobody has used before saves nothing up
    others = await asyncio.gather(*(reserve(db) for _ in range(5)))
    starts = sorted(it.starts_at for it in others)
    assert starts[0] == first.free_at
    gaps = {(b - a).total_seconds() for a, b in pairwise(starts)}
    assert gaps == {GAP}


async def test_a_lane_that_was_idle_or_whose_clock_was_set_back_begins_anew(
    postgres_db: Database,
) -> None:
    db = postgres_db
    await reserve(db)
    for ahead, expected in ((-3600, -2 * GAP), (3600, 0.0)):
        async with db.write() as tx:
            shifted = text("UPDATE lane_pace SET free_at = now() + make_interval(secs => :s)")
            await tx.execute(shifted, {"s": float(ahead)})
        assert abs((await reserve(db)).starts_in - expected) < 0.08


async def test_a_hold_is_known_to_all_and_is_the_longest(postgres_db: Database) -> None:
    db = postgres_db
    for seconds in (7.0, 3.0):
        async with db.write() as tx:
            await hold_lane(tx, LANE, seconds)
    assert 6 < (await reserve(db)).held_for <= 7
    async with db.write() as tx:
        over = datetime.now(UTC) - timedelta(seconds=1)
        await tx.execute(update(LanePace).values(held_until=over))
    assert (await reserve(db)).held_for == 0


def delivery(db: Database, rate: float) -> tuple[Delivery, FakeSession]:
    bot, session = fake_bot(LANE)
    return Delivery(db, {LANE: bot}, {LANE: Rate(rate)}, plain), session


async def test_what_another_process_was_told_holds_this_one(postgres_db: Database) -> None:
    db, now = postgres_db, datetime.now(UTC)
    async with db.write() as tx:
        await put(tx, await make_person(tx, now), "k", now)
        await hold_lane(tx, LANE, 30)
    post, channel = delivery(db, 30.0)
    await post.turn()
    await post.settle()
    assert channel.tried == []
    assert await states(db) == {"k": ("queued", "slowed down by the channel")}
    assert 25 < post.lanes[LANE].wait(post._seconds()) <= 30


async def test_a_chat_held_by_another_process_is_held(db: Database) -> None:
    now = datetime.now(UTC)
    async with db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=5), "held", now)
        await put(tx, await make_person(tx, now, chat_id=6), "free", now)
        until = now + timedelta(seconds=30)
        await tx.execute(update(Account).where(Account.chat_id == 5).values(held_until=until))
        past = now - timedelta(seconds=1)
        await tx.execute(update(Account).where(Account.chat_id == 6).values(held_until=past))
    post, channel = delivery(db, 0.0)
    await post.turn()
    await post.settle()
    assert channel.tried == [6]
    assert (await states(db))["held"] == ("queued", "slowed down by the channel")


async def test_two_processes_keep_the_rate_together(
    postgres_db: Database, postgres_url: str
) -> None:
    now = datetime.now(UTC)
    async with postgres_db.write() as tx:
        for number in range(200):
            await put(tx, await make_person(tx, now), str(number), now)
        crowded = await make_person(tx, now, chat_id=9)
        for number in range(12):
            await put(tx, crowded, f"crowd {number}", now - timedelta(seconds=1))
    other = Database(postgres_url, postgres_db.vault)
    posts = [delivery(each, 60.0) for each in (postgres_db, other)]
    try:
        for post, _ in posts:
            await post.start()
        await asyncio.sleep(2)
    finally:
        for post, _ in posts:
            await post.stop()
        await other.close()
    tried = [chat for _, channel in posts for chat in channel.tried]
    assert all(len(channel.tried) > 5 for _, channel in posts)
    # In two seconds and what a stop takes; a busy machine may send fewer.
    assert 30 <= len(tried) <= 130
    assert len(tried) == len(set(tried)) + tried.count(9) - 1
    assert tried.count(9) <= 6

"""What a crash, a stop, a database that is away and a second process leave behind."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from storage.database import Database
from storage.models import Account
from storage.models import Delivery as Row
from tests.fake_channel import Gate
from tests.outbox_people import make_person, states
from tests.outbox_post import HOUR, Post, column, put


async def test_crash_again_or_unknown_by_class(db: Database, now: datetime) -> None:
    gate = Gate()
    async with db.write() as tx:
        for key in ("broadcast", "checkin", "rollcall", "case_reply", "case_new", "help_urgent"):
            person = await make_person(tx, now, chat_id=5 if key == "broadcast" else None)
            await put(tx, person, key, now, template=key)
    dead = Post(db, now)
    dead.channel.always(lambda _m: None)
    for chat in await _chats(db):
        dead.channel.say(chat, gate)
    await dead.delivery.turn()
    await gate.reached.wait()
    assert {state for state, _ in (await states(db)).values()} == {"sending"}
    assert await column(db, "checkin", Row.attempts) == 1  # before the request left

    early = Post(db, now + timedelta(seconds=74))
    await early.round()
    assert early.channel.taken == []  # another process may be at it
    late = Post(db, now + timedelta(seconds=76))
    await late.round()
    assert {text for _, text in late.channel.texts()} == {
        "checkin 2",
        "rollcall 2",
        "case_reply 2",
        "case_new 2",
        "help_urgent 2",
    }
    assert (await states(db))["broadcast"] == ("unknown", "interrupted while it was being sent")

    # The first process was only slow: what it knows is still written, and nothing goes back.
    gate.open()
    await dead.delivery.settle()
    assert {state for state, _ in (await states(db)).values()} == {"sent"}


async def _chats(db: Database) -> Sequence[int]:
    async with db.read() as tx:
        return (await tx.execute(select(Account.chat_id))).scalars().all()


async def test_start_on_sqlite_needs_no_lease(sqlite_db: Database, now: datetime) -> None:
    gate = Gate()
    async with sqlite_db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=5), "k", now)
        await tx.execute(update(Row).values(state="sending", attempts=1, lease_until=now + HOUR))
    post = Post(sqlite_db, now)
    post.channel.say(5, gate)
    await post.delivery.start()
    await asyncio.wait_for(gate.reached.wait(), 5)
    gate.open()
    await post.delivery.stop()
    assert post.channel.texts()[0][1] == "case_reply 2"


async def test_loop_wakes_by_nudge_and_stops_with_all_recorded(db: Database, now: datetime) -> None:
    gate = Gate()
    post = Post(db, now)
    post.channel.say(5, gate)
    await post.delivery.start()
    async with db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=5), "k", now)
        tx.after_commit(post.delivery.nudge)
    await asyncio.wait_for(gate.reached.wait(), 5)
    stopping = asyncio.create_task(post.delivery.stop())
    await asyncio.sleep(0)
    gate.open()
    await stopping
    assert await states(db) == {"k": ("sent", None)}


async def test_database_away_keeps_outcomes(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await put(tx, await make_person(tx, now), "k", now)
    post = Post(db, now)
    await post.delivery.turn()
    write = db.write
    db.write = _away  # type: ignore[assignment,method-assign]
    with pytest.raises(ConnectionError):
        await post.delivery.settle()
    db.write = write  # type: ignore[method-assign]
    await post.round()
    assert await states(db) == {"k": ("sent", None)}
    assert len(post.channel.taken) == 1


def _away() -> Any:
    raise ConnectionError("the database is away")


async def test_two_deliverers_never_send_one_row_twice(
    postgres_url: str, postgres_db: Database, now: datetime
) -> None:
    async with postgres_db.write() as tx:
        for number in range(150):
            await put(tx, await make_person(tx, now), str(number), now)
    other = Database(postgres_url, postgres_db.vault)
    try:
        posts = [Post(db, now, at_once=20) for db in (postgres_db, other)]
        while (await _queued(postgres_db)) > 0:
            await asyncio.gather(*(post.round() for post in posts))
    finally:
        await other.close()
    sent = [chat for post in posts for chat, _ in post.channel.taken]
    assert len(sent) == len(set(sent)) == 150
    assert all(post.channel.taken for post in posts)


async def _queued(db: Database) -> int:
    async with db.read() as tx:
        return int(
            await tx.scalar(select(func.count()).select_from(Row).where(Row.state == "queued"))
        )

"""What leaves the outbox: in which order, at which pace, and that it is recorded."""

from datetime import datetime

from sqlalchemy import select

from storage.database import Database
from storage.models import Account, Checkin
from storage.models import Delivery as Row
from storage.rhythm.rollcalls import plan_rollcall
from tests.fake_channel import Gate
from tests.outbox_people import LANE, WEB, make_area, make_person, states
from tests.outbox_post import HOUR, Post, put


async def test_sent_and_check_in_delivered(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        person = await make_person(tx, now, area=area, chat_id=77)
        await plan_rollcall(tx, area=area, text="?", by=None, now=now)
    post = Post(db, now)
    await post.round()
    assert post.channel.texts() == [(77, "rollcall 1")]
    async with db.read() as tx:
        asked = (await tx.execute(select(Checkin.__table__))).one()
        row = (await tx.execute(select(Row.__table__))).one()
        account = await tx.scalar(select(Account.id).where(Account.person_id == person))
    assert (asked.delivered_at, asked.bot_id, asked.chat_id, asked.message_id) == (now, LANE, 77, 1)
    assert (row.state, row.account_id, row.message_id) == ("sent", account, 1)
    assert (row.finished_at, row.lease_until, row.attempts) == (now, None, 1)
    await post.round()
    assert len(post.channel.taken) == 1
    assert post.delivery.counts["rollcall", "sent"] == 1


async def test_most_urgent_first_then_the_oldest(sqlite_db: Database, now: datetime) -> None:
    async with sqlite_db.write() as tx:
        for key, priority, age in (("d", 3, 9), ("c", 1, 0), ("b", 0, 1), ("a", 0, 2)):
            person = await make_person(tx, now)
            await put(
                tx,
                person,
                key,
                now - age * HOUR,
                priority=priority,
                template=key,
                expires_at=now + HOUR,
            )
    post = Post(sqlite_db, now, {LANE: 1.0})  # one at a time
    for _ in range(8):
        await post.round()
        post.times.move(0.55)
    assert [text for _, text in post.channel.texts()] == ["a 1", "b 1", "c 1", "d 1"]


async def test_lane_keeps_its_rate_and_web_does_not_wait(
    sqlite_db: Database, now: datetime
) -> None:
    async with sqlite_db.write() as tx:
        for number in range(40):
            for bot in (LANE, WEB):
                person = await make_person(tx, now, bot_id=bot)
                await put(tx, person, f"{bot}:{number}", now)
    post = Post(sqlite_db, now, {LANE: 30.0, WEB: 0.0})
    await post.round()
    assert len(post.sessions[WEB].taken) == 40
    assert len(post.channel.taken) == 2
    for _ in range(50):
        post.times.move(0.02)
        await post.round()
    assert len(post.channel.taken) == 32
    assert post.delivery.lanes[LANE].departed == 32


async def test_a_stall_never_becomes_a_burst(sqlite_db: Database, now: datetime) -> None:
    async with sqlite_db.write() as tx:
        for number in range(20):
            await put(tx, await make_person(tx, now), str(number), now)
    post = Post(sqlite_db, now, {LANE: 30.0})
    await post.round()
    claimed = post.delivery.lanes[LANE].in_flight
    assert (len(post.channel.taken), claimed) == (2, 6)
    post.times.move(2)
    await post.round()
    assert len(post.channel.taken) == 4
    await post.delivery.stop()
    found = [state for state, _ in (await states(sqlite_db)).values()]
    assert (found.count("sent"), found.count("queued")) == (4, 16)


async def test_conversation_goes_first_and_the_outbox_makes_room(
    sqlite_db: Database, now: datetime
) -> None:
    async with sqlite_db.write() as tx:
        for number in range(9):
            await put(tx, await make_person(tx, now), str(number), now)
    post = Post(sqlite_db, now, {LANE: 30.0})
    for _ in range(6):
        post.delivery.spoke(LANE, 5)
    taken = []
    for _ in range(30):
        await post.round()
        taken.append(len(post.channel.taken))
        post.times.move(0.01)
    assert taken[19:25] == [0, 0, 1, 1, 1, 2]
    assert taken[-1] == 3


async def test_chat_keeps_its_pace_and_its_order(sqlite_db: Database, now: datetime) -> None:
    async with sqlite_db.write() as tx:
        person = await make_person(tx, now)
        for number in range(6):
            await put(tx, person, str(number), now, template=f"n{number}")
    post = Post(sqlite_db, now, {LANE: 1000.0})
    await post.round()
    assert [text for _, text in post.channel.texts()] == ["n0 1", "n1 1", "n2 1"]
    for _ in range(9):
        post.times.move(1)
        await post.round()
    assert [text for _, text in post.channel.texts()] == [f"n{n} 1" for n in range(6)]


async def test_two_messages_to_one_chat_never_overtake(db: Database, now: datetime) -> None:
    gate = Gate()
    async with db.write() as tx:
        person = await make_person(tx, now, chat_id=5)
        await put(tx, person, "first", now, template="first")
        await put(tx, person, "second", now, template="second")
    post = Post(db, now)
    post.channel.say(5, gate)
    await post.delivery.turn()
    await gate.reached.wait()
    assert post.channel.tried == [5]
    gate.open()
    await post.delivery.settle()
    assert [text for _, text in post.channel.texts()] == ["first 1", "second 1"]

"""The budget of a week: what it lets through, what waits, and that two processes keep to it."""

import asyncio
from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy import func, select, update

from storage.database import Database
from storage.models import Area
from storage.models import Delivery as Row
from storage.outbox.burden import WEEK
from storage.outbox.past import find_finished, move_finished
from tests import burden_week
from tests.burden_week import Week, apart, joinable
from tests.outbox_people import make_area, make_person, states

week = burden_week.week

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_notices_leave_room_for_the_check_in_and_the_week_rolls_on(week: Week) -> None:
    began = week.times.now
    await week.goes("broadcast")
    week.times.move(DAY.total_seconds())
    await week.goes("broadcast")
    week.times.move(DAY.total_seconds())
    third = await week.write("broadcast")
    await week.round()
    assert await week.waits(third) == began + WEEK
    assert (await week.row(third)).attempts == 0
    urgent = await week.write("checkin", "roll call", urgent=True)
    await week.round()
    assert (await week.row(urgent)).state == "sent"
    assert await week.waits(third) == began + WEEK
    week.times.move((5 * DAY).total_seconds())
    await week.round()
    assert (await states(week.db))[third] == ("sent", None)


async def test_what_waits_comes_with_the_check_in(week: Week) -> None:
    for _ in range(2):
        await week.goes("broadcast")
        week.times.move(DAY.total_seconds())
    third = await week.write("broadcast", "third")
    await week.round()
    assert await week.waits(third) is not None
    await week.goes("checkin")
    assert week.texts()[-1] == ["broadcast", "checkin"]
    rows = [await week.row(key) for key in (third, f"checkin:{week.times.now:%d.%H:%M}")]
    assert len({(row.state, row.account_id, row.message_id) for row in rows}) == 1
    assert rows[0].state == "sent"
    # Of the check-in's own three, the nudge is none; a fourth waits.
    await week.goes("nudge")
    week.times.move(HOUR.total_seconds())
    await week.write("checkin", "one more")
    await week.round()
    assert await week.waits("one more") == week.times.now - 2 * DAY - HOUR + WEEK


async def test_the_budget_is_the_nearest_areas(db: Database, now: datetime) -> None:
    await make_area(db, now, "county")
    await make_area(db, now, "town", "county")
    village = await make_area(db, now, "village", "town")
    async with db.write() as tx:
        person = await make_person(tx, now, area=village)
    week = Week(db, now, person)

    async def told(budget: int | None, code: str) -> int:
        async with db.write() as tx:
            await tx.execute(update(Area).where(Area.code == code).values(weekly_budget=budget))
        week.times.move((2 * WEEK).total_seconds())
        before = len(week.channel.taken)
        for number in range(7):
            await week.write(
                "checkin", f"{week.times.now}{number}", expires_at=week.times.now + DAY
            )
            await week.round()
            week.times.move(60)
        return len(week.channel.taken) - before

    assert await told(None, "county") == 3
    assert await told(5, "county") == 5
    assert await told(1, "town") == 1
    assert await told(2, "village") == 2
    async with db.write() as tx:
        await tx.execute(update(Area).values(weekly_budget=None))
    assert await told(0, "county") == 0


@pytest.mark.parametrize("seed", range(3))
async def test_no_seven_days_hold_more_whatever_is_written(
    db: Database, now: datetime, seed: int
) -> None:
    chance = Random(seed)
    area = await make_area(db, now)
    budget = chance.randint(1, 4)
    async with db.write() as tx:
        await tx.execute(update(Area).values(weekly_budget=budget))
        people = [await make_person(tx, now, area=area) for _ in range(3)]
    week = Week(db, now, people[0], render=chance.choice((joinable, apart)))
    wanted = sorted(
        (now + timedelta(minutes=chance.randrange(60 * 24 * 21)), number, person)
        for person in people
        for number in range(chance.randint(4, 16))
    )
    got: dict[int, list[datetime]] = {}
    seen = 0
    while True:
        async with db.read() as tx:
            due = await tx.scalar(select(func.min(Row.not_before)).where(Row.state == "queued"))
        coming = [at for at in (due, wanted[0][0] if wanted else None) if at is not None]
        if not coming:
            break
        week.times.now = max(week.times.now, min(coming))
        week.times.passed += 10
        while wanted and wanted[0][0] <= week.times.now:
            at, number, week.person = wanted.pop(0)
            template = chance.choice(("checkin", "reminder", "broadcast"))
            await week.write(template, f"{week.person}:{number}:{at}")
        await week.round()
        for chat, _ in week.channel.taken[seen:]:
            got.setdefault(chat, []).append(week.times.now)
        seen = len(week.channel.taken)
        async with db.write() as tx:
            over = await find_finished(tx, week.times.now, None, 100)
            await move_finished(tx, [row for row, _ in over])
    assert got
    for times in got.values():
        for at in times:
            assert sum(at - WEEK < other <= at for other in times) <= budget


async def test_two_processes_do_not_both_use_the_last_place(
    postgres_db: Database, now: datetime
) -> None:
    area = await make_area(postgres_db, now)
    async with postgres_db.write() as tx:
        await tx.execute(update(Area).values(weekly_budget=1))
        people = [await make_person(tx, now, area=area) for _ in range(20)]
    posts = [Week(postgres_db, now, people[0], render=apart) for _ in range(2)]
    for person in people:
        for post, template in zip(posts, ("checkin", "broadcast"), strict=True):
            post.person = person
            await post.write(template, f"{template}:{person}")
    for _ in range(12):
        await asyncio.gather(*(post.round() for post in posts))
        for post in posts:
            post.times.move(1)
    chats = [chat for post in posts for chat, _ in post.channel.taken]
    assert sorted(chats) == sorted(1000 + person for person in people)

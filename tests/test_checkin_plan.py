"""Weekly check-ins: planned once a slot, whoever ticks, however late."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from scheduler.checkins import plan_due_checkins, set_clocks
from scheduler.clock import Clock
from scheduler.expiry import end_what_is_over
from storage.calendar.recurrence import Hours, Weeks
from storage.database import Database
from storage.models import (
    Checkin,
    Delivery,
    Intake,
    Person,
    RuleClock,
    StatusChange,
)
from storage.outbox.pruning import prune_intake
from storage.rules.kept import add_rule, running_rules, stop_rule
from storage.rules.terms import CheckinTerms
from tests.outbox_people import LANE, make_area, make_person

THURSDAY = datetime(2026, 11, 19, 12, tzinfo=UTC)
SUNDAY_8_SHANGHAI = datetime(2026, 11, 22, 0, tzinfo=UTC)
SUNDAY_10_SHANGHAI = datetime(2026, 11, 22, 2, tzinfo=UTC)
SUNDAY_10_LISBON = datetime(2026, 11, 22, 10, tzinfo=UTC)
WEEK = timedelta(weeks=1)


async def asked(db: Database) -> list[tuple[int, str, datetime]]:
    async with db.read() as tx:
        found = await tx.execute(
            select(Checkin.person_id, Checkin.slot, Checkin.due_at).order_by(
                Checkin.due_at, Checkin.person_id
            )
        )
        return [(row.person_id, row.slot, row.due_at) for row in found]


async def village(db: Database, **person: Any) -> int:
    """A root area with its clocks set on Thursday, and one worker."""
    area = await make_area(db, THURSDAY)
    async with db.write() as tx:
        worker = await make_person(tx, THURSDAY, area=area, **person)
    await set_clocks(db, THURSDAY)
    return worker


async def test_asked_on_sunday_at_ten_of_their_own_zone(db: Database) -> None:
    area = await make_area(db, THURSDAY)
    async with db.write() as tx:
        here = await make_person(tx, THURSDAY, area=area)
        far = await make_person(tx, THURSDAY, area=area, timezone="Europe/Lisbon")
        await make_person(tx, THURSDAY, area=area, status="home")
        await make_person(tx, THURSDAY, area=area, consented=False)
    await set_clocks(db, THURSDAY)
    assert await plan_due_checkins(db, SUNDAY_8_SHANGHAI - timedelta(seconds=1)) == 0
    assert await plan_due_checkins(db, SUNDAY_8_SHANGHAI) == 1
    assert await plan_due_checkins(db, SUNDAY_10_LISBON) == 1
    assert await asked(db) == [
        (here, "2026-11-22", SUNDAY_10_SHANGHAI),
        (far, "2026-11-22", SUNDAY_10_LISBON),
    ]
    async with db.read() as tx:
        row = (await tx.execute(select(Delivery.__table__).order_by(Delivery.id))).first()
    assert row is not None
    assert (row.template, row.priority, row.urgent, row.lane) == ("checkin", 1, False, LANE)
    assert row.not_before == SUNDAY_10_SHANGHAI
    assert row.expires_at == SUNDAY_10_SHANGHAI + timedelta(hours=72)


async def test_ticking_twice_or_after_a_clock_set_back_asks_once(db: Database) -> None:
    worker = await village(db)
    assert await plan_due_checkins(db, SUNDAY_10_SHANGHAI) == 1
    assert await plan_due_checkins(db, SUNDAY_10_SHANGHAI) == 0
    async with db.write() as tx:  # as after a restored backup, or a crash between the two
        await tx.execute(update(RuleClock).values(next_at=SUNDAY_10_SHANGHAI))
    assert await plan_due_checkins(db, SUNDAY_10_SHANGHAI + timedelta(hours=1)) == 0
    assert await plan_due_checkins(db, SUNDAY_10_SHANGHAI - timedelta(hours=1)) == 0
    assert [person for person, _, _ in await asked(db)] == [worker]


@pytest.mark.parametrize(
    ("late", "slots"),
    [
        (timedelta(hours=71), ["2026-11-22"]),
        (timedelta(hours=72), []),
        (2 * WEEK + timedelta(hours=1), ["2026-12-06"]),
        (2 * WEEK + timedelta(hours=74), []),
    ],
)
async def test_late_is_asked_while_the_window_is_open(
    db: Database, late: timedelta, slots: list[str]
) -> None:
    await village(db)
    await plan_due_checkins(db, SUNDAY_10_SHANGHAI + late)
    assert [slot for _, slot, _ in await asked(db)] == slots
    async with db.read() as tx:
        next_at = await tx.scalar(select(RuleClock.next_at))
    assert next_at > SUNDAY_10_SHANGHAI + late


async def test_two_processes_at_once_ask_once(postgres_url: str, postgres_db: Database) -> None:
    await village(postgres_db)
    other = Database(postgres_url, postgres_db.vault)
    try:
        await asyncio.gather(
            *(
                plan_due_checkins(db, SUNDAY_10_SHANGHAI)
                for db in (postgres_db, other, postgres_db, other)
            )
        )
    finally:
        await other.close()
    assert len(await asked(postgres_db)) == 1


async def test_nearest_rule_speaks(db: Database) -> None:
    county = await make_area(db, THURSDAY, "county")
    town = await make_area(db, THURSDAY, "town", parent="county")
    far_village = await make_area(db, THURSDAY, "far", parent="town")
    near_village = await make_area(db, THURSDAY, "near", parent="county")
    async with db.write() as tx:
        people = {
            area.code: await make_person(tx, THURSDAY, area=area)
            for area in (county, town, far_village, near_village)
        }
        saturday = CheckinTerms("weekly", Weeks(1, (5,)), Hours(at=time(9)))
        await add_rule(tx, town, saturday, THURSDAY)
    await set_clocks(db, THURSDAY)  # the county gets its default rule here
    await plan_due_checkins(db, datetime(2026, 11, 21, 1, tzinfo=UTC))
    await plan_due_checkins(db, SUNDAY_10_SHANGHAI)
    assert {(person, slot) for person, slot, _ in await asked(db)} == {
        (people["town"], "2026-11-21"),
        (people["far"], "2026-11-21"),
        (people["county"], "2026-11-22"),
        (people["near"], "2026-11-22"),
    }


async def test_stopped_rule_asks_no_more(db: Database) -> None:
    await village(db)
    async with db.write() as tx:
        for rule in await running_rules(tx):
            await stop_rule(tx, rule, THURSDAY)
    assert await plan_due_checkins(db, SUNDAY_10_SHANGHAI) == 0
    await set_clocks(db, SUNDAY_10_SHANGHAI)  # a stopped rule is a choice: no default comes back
    async with db.read() as tx:
        assert (await tx.execute(select(RuleClock.rule_id))).all() == []


async def test_two_rules_of_one_day_ask_once_whatever_their_hours(db: Database) -> None:
    area = await make_area(db, THURSDAY)
    async with db.write() as tx:
        here = await make_person(tx, THURSDAY, area=area)
        far = await make_person(tx, THURSDAY, area=area, timezone="America/Los_Angeles")
        morning, evening = Hours(time(9), time(8), time(12)), Hours(time(18), time(17), time(21))
        await add_rule(tx, area, CheckinTerms("weekly", Weeks(1, (6,)), morning), THURSDAY)
        await add_rule(tx, area, CheckinTerms("often", Weeks(1, (0, 6)), evening), THURSDAY)
    await set_clocks(db, THURSDAY)
    for hour in range(72):
        await plan_due_checkins(db, SUNDAY_8_SHANGHAI + timedelta(hours=hour))
    assert sorted((person, slot) for person, slot, _ in await asked(db)) == [
        (here, "2026-11-22"),
        (here, "2026-11-23"),
        (far, "2026-11-22"),
        (far, "2026-11-23"),
    ]


async def test_slower_rhythm_is_every_second_slot(db: Database) -> None:
    await village(db, slower=True)
    for week in range(4):
        await plan_due_checkins(db, SUNDAY_10_SHANGHAI + week * WEEK)
    days = [due for _, _, due in await asked(db)]
    assert len(days) == 2
    assert days[1] - days[0] == 2 * WEEK


async def test_pause_ends_by_itself(db: Database) -> None:
    worker = await village(db, status="paused", paused_until=THURSDAY + WEEK, slower=True)
    assert (await end_what_is_over(db, THURSDAY, [LANE]))["resumed"] == 0
    assert (await end_what_is_over(db, THURSDAY + WEEK, [LANE]))["resumed"] == 1
    assert (await end_what_is_over(db, THURSDAY + WEEK, [LANE]))["resumed"] == 0
    async with db.read() as tx:
        person = (await tx.execute(select(Person.__table__))).one()
        change = (await tx.execute(select(StatusChange.__table__))).one()
    assert (person.status, person.paused_until) == ("away", None)
    assert (change.person_id, change.status, change.slower) == (worker, "away", True)
    assert change.at == person.status_at == THURSDAY + WEEK


async def test_old_updates_are_forgotten(db: Database) -> None:
    async with db.write() as tx:
        for number, days in ((1, 8), (2, 6)):
            await tx.execute(
                insert(Intake).values(
                    bot_id=LANE, update_id=number, at=THURSDAY - timedelta(days=days)
                )
            )
        assert await prune_intake(tx, THURSDAY) == 1
        assert await prune_intake(tx, THURSDAY) == 0
        assert await tx.scalar(select(Intake.update_id)) == 2


async def test_clock_ticks_nudges_and_stops(db: Database) -> None:
    area = await make_area(db, THURSDAY)
    async with db.write() as tx:
        await make_person(tx, THURSDAY, area=area)
    now, nudges = [THURSDAY], []
    clock = Clock(db, nudge=lambda: nudges.append(1), running=lambda: [LANE], clock=lambda: now[0])
    await clock.start()
    try:
        now[0] = SUNDAY_10_SHANGHAI
        await clock.tick_second()
    finally:
        await clock.stop()
    assert len(await asked(db)) == 1
    assert nudges
    assert clock.last.keys() >= {"second", "minute"}


async def test_a_tick_that_fails_leaves_the_next_to_do_its_work(db: Database) -> None:
    await village(db)
    clock = Clock(db, nudge=lambda: None, running=lambda: [LANE], clock=lambda: SUNDAY_10_SHANGHAI)
    read = db.read
    db.read = _away  # type: ignore[method-assign]
    await clock.tick_second()
    assert "second" not in clock.last
    db.read = read  # type: ignore[method-assign]
    await clock.tick_second()
    assert len(await asked(db)) == 1


def _away() -> Any:
    raise ConnectionError("the database is away")


async def test_one_part_that_fails_keeps_no_other_from_its_work(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> int:
        raise RuntimeError("a rule that cannot be read")

    looked: list[datetime] = []

    async def look(_db: Database, now: datetime) -> int:
        looked.append(now)
        return 0

    monkeypatch.setattr("scheduler.clock.plan_due_reminders", fail)
    monkeypatch.setattr("scheduler.clock.follow_up", look)
    clock = Clock(sqlite_db, nudge=lambda: None, running=list)
    await clock.tick_second()
    assert len(looked) == 1
    assert "second" not in clock.last  # so that `doctor` and the metrics tell of it

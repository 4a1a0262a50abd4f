"""The register's definition, case by case; :mod:`tests.test_register_properties` does the rest."""

from datetime import UTC, datetime, timedelta

import pytest

from storage.database import Database
from storage.register.expected import NotBegun
from storage.register.figures import named_register, register_version
from storage.register.periods import parse_period
from tests.register_cases import (
    DAY,
    HOUR,
    LATER,
    MIDWEEK,
    SUNDAY,
    TICK,
    WEEK,
    count,
    make_world,
    standing_of,
)
from tests.register_world import World


async def test_the_json_has_the_keys_of_the_contract(db: Database) -> None:
    world = make_world()
    register = await count(db, world)
    assert register.as_json() == {
        "area": "a1",
        "period": "2026-W47",
        "definition": "1",
        "closed": False,
        "expected": 0,
        "standing": {"heard": 0, "vouched": 0, "reached": 0, "tried": 0, "silent": 0},
        "silence": {"unreachable": 0, "unanswered": 0, "unasked": 0, "quiet": 0},
        "excluded": {"home": 0, "paused": 0, "withdrawn": 0, "too new": 0, "on hold": 0},
        "contact_rate": None,
        "voluntary_rate": None,
        "feedback_rate": None,
        "checkins": {"delivered": 0, "answered": 0},
    }


async def test_the_strongest_contact_decides(db: Database) -> None:
    contacts = [
        ("tried", "liaison", False),
        ("reached", "liaison", True),
        ("vouched", "relative", True),
        ("heard", "self", True),
    ]
    world = make_world()
    for strongest in range(len(contacts)):
        person_id = world.settled()
        for _, evidence, success in contacts[: strongest + 1]:
            world.contact(person_id, MIDWEEK, evidence, success)
    world.settled()
    register = await count(db, world)
    assert register.as_json()["standing"] == {
        "heard": 1,
        "vouched": 1,
        "reached": 1,
        "tried": 1,
        "silent": 1,
    }
    assert register.contact_rate == 3 / 5
    assert register.voluntary_rate == 1 / 5


@pytest.mark.parametrize(
    ("at", "standing"),
    [
        (WEEK.start - TICK, "silent"),
        (WEEK.start, "heard"),
        (WEEK.end - TICK, "heard"),
        (WEEK.end, "silent"),
    ],
)
async def test_a_period_holds_its_start_and_not_its_end(
    sqlite_db: Database, at: datetime, standing: str
) -> None:
    world = make_world(now=LATER)
    world.contact(world.settled(), at, "self")
    assert standing_of(await count(sqlite_db, world)) == standing


async def test_a_contact_of_this_very_instant_counts(db: Database) -> None:
    world = make_world()
    world.contact(world.settled(), world.now, "self")
    assert standing_of(await count(db, world)) == "heard"


async def test_who_is_too_new(db: Database) -> None:
    """Measured against the period's own end, also while it runs."""
    world = make_world()
    world.settled(since=WEEK.end - 24 * HOUR)
    world.settled(since=WEEK.end - 24 * HOUR + TICK)
    moved = world.settled(since=WEEK.start - DAY)
    world.enrolments[-1].update(until=SUNDAY - HOUR, ended_as="moved")
    world.enrol(moved, 4, SUNDAY - HOUR)
    back = world.settled(since=WEEK.start - DAY)
    world.enrolments[-1].update(until=MIDWEEK, ended_as="withdrawn")
    world.enrol(back, 4, SUNDAY - HOUR)
    at_once = world.settled(since=WEEK.start - DAY)  # left and came back in one instant
    world.enrolments[-1].update(until=SUNDAY - HOUR, ended_as="withdrawn")
    world.enrol(at_once, 4, SUNDAY - HOUR)
    long_back = world.settled(since=WEEK.start - DAY)
    world.enrolments[-1].update(until=WEEK.start, ended_as="withdrawn")
    world.enrol(long_back, 3, WEEK.start)
    world.enrolments[-1].update(until=SUNDAY - HOUR, ended_as="moved")
    world.enrol(long_back, 4, SUNDAY - HOUR)
    register = await count(db, world)
    assert register.expected == 3
    assert register.excluded["too new"] == 3
    assert register.excluded["withdrawn"] == 0


@pytest.mark.parametrize("now", [WEEK.end, LATER])
async def test_a_past_period_stays_as_it_ended(db: Database, now: datetime) -> None:
    world = make_world(now=now)
    for status in ("home", "paused", "left"):
        world.change(world.settled(), WEEK.end, status)
    leaver = world.settled()
    world.enrolments[-1].update(until=WEEK.end, ended_as="withdrawn")
    world.consent(leaver, WEEK.end, given=False)
    mover = world.settled(area_id=3)
    world.enrolments[-1].update(until=WEEK.end, ended_as="moved")
    world.enrol(mover, 5, WEEK.end)
    world.settled(since=WEEK.end)
    away_then = world.settled()
    world.change(away_then, WEEK.end - TICK, "home")
    world.change(away_then, WEEK.end, "away")
    register = await count(db, world, area_id=3)
    assert register.expected == 5
    assert register.excluded["home"] == 1
    assert sum(register.excluded.values()) == 1


async def test_a_running_period_is_as_things_stand_now(db: Database) -> None:
    world = make_world()
    for status in ("away", "moving", "home", "paused", "left"):
        world.change(world.settled(), MIDWEEK, status)
    world.consent(world.settled(), MIDWEEK, given=False)
    register = await count(db, world)
    assert register.expected == 2
    assert register.excluded == {
        "home": 1,
        "paused": 1,
        "withdrawn": 2,
        "too new": 0,
        "on hold": 0,
    }


async def test_leaving_lowers_nobodys_rate(db: Database) -> None:
    """Who leaves is not expected, heard from or not; what they were asked stays as it was."""
    world = make_world()
    world.contact(world.settled(), MIDWEEK, "self")
    world.checkin(world.settled(), MIDWEEK, MIDWEEK)
    stayers = await count(db, world)
    leavers = [world.settled(), world.settled()]
    for leaver, heard in zip(leavers, (False, True), strict=True):
        world.checkin(leaver, MIDWEEK, MIDWEEK, MIDWEEK if heard else None)
        if heard:
            world.contact(leaver, MIDWEEK, "self")
    before = await count(db, world)
    for leaver in leavers:
        world.enrolments[leaver - 1].update(until=SUNDAY, ended_as="withdrawn")
        world.consent(leaver, SUNDAY, given=False)
    after = await count(db, world)
    assert after.excluded["withdrawn"] == 2
    assert after.counts == stayers.counts
    assert after.contact_rate == stayers.contact_rate == 1 / 2
    assert after.feedback == before.feedback
    assert after.feedback_rate == 1 / 3


async def test_leavers_are_counted_once_in_the_period_they_left_in(db: Database) -> None:
    world = make_world(now=LATER)
    for until in (WEEK.start - TICK, WEEK.start, WEEK.end - TICK, WEEK.end):
        person_id = world.settled()
        world.enrolments[-1].update(until=until, ended_as="withdrawn")
        world.consent(person_id, until, given=False)
    # Left twice, in two villages: once in the count, and where they left last.
    restless = world.settled(area_id=3)
    world.enrolments[-1].update(until=MIDWEEK, ended_as="withdrawn")
    world.enrol(restless, 5, MIDWEEK + HOUR)
    world.enrolments[-1].update(until=SUNDAY, ended_as="withdrawn")
    world.consent(restless, SUNDAY, given=False)
    assert (await count(db, world)).excluded["withdrawn"] == 3
    assert (await count(db, world, area_id=3)).excluded["withdrawn"] == 2
    assert (await count(db, world, area_id=5)).excluded["withdrawn"] == 1


async def test_a_person_counts_once(db: Database) -> None:
    world = make_world()
    person_id = world.settled(area_id=3)
    world.account(person_id, WEEK.start, "reachable", WEEK.start)
    for at in (WEEK.start - DAY, MIDWEEK, MIDWEEK):  # twice in one instant
        world.enrolments[-1].update(until=at, ended_as="moved")
        world.enrol(person_id, 4, at)
    for evidence in ("self", "self", "liaison"):
        world.contact(person_id, MIDWEEK, evidence)
    assert standing_of(await count(db, world)) == "heard"
    assert (await count(db, world, area_id=3)).expected == 0
    assert (await count(db, world, area_id=4)).expected == 1


@pytest.mark.parametrize(
    ("after", "closed"), [(-HOUR, False), (72 * HOUR - TICK, False), (72 * HOUR, True)]
)
async def test_a_period_closes_72_hours_after_its_end(
    sqlite_db: Database, after: timedelta, closed: bool
) -> None:
    world = make_world(now=WEEK.end + after)
    assert (await count(sqlite_db, world)).closed is closed


async def test_a_period_that_lies_ahead_is_refused(sqlite_db: Database) -> None:
    world = make_world(now=WEEK.start - TICK)
    with pytest.raises(NotBegun, match="2026-W47 has not begun yet"):
        await count(sqlite_db, world)


@pytest.mark.parametrize("key", ["2026-W53", "2026-12", "2027-01", "2026-W43", "2026-10"])
async def test_weeks_and_months_over_the_years_turn_and_a_change_of_clocks(
    sqlite_db: Database, key: str
) -> None:
    zone = "Europe/Madrid"
    period = parse_period(key, zone)
    world = World(period, zone, period.end + DAY)
    for at in (period.start - TICK, period.start, period.end - TICK, period.end):
        world.contact(world.settled(), at, "self")
    assert (await count(sqlite_db, world)).counts.heard == 2


async def test_names_behind_the_figures(db: Database) -> None:
    world = make_world()
    for name, evidence in (("Li", "self"), ("Wang", None), ("Ai", None), ("Zhao", "liaison")):
        person_id = world.settled()
        row = world.person(person_id)
        row["name"] = db.vault.seal("person.name", row["ref"], name)
        world.contact(person_id, WEEK.start - DAY, "self")
        if evidence is not None:
            world.contact(person_id, MIDWEEK, evidence)
    for row in world.people:
        row.setdefault("name", None)
    area = world.area(1)
    async with db.read() as tx:
        await world.store(tx)
        everyone = await named_register(tx, area, WEEK, SUNDAY)
        silent = await named_register(tx, area, WEEK, SUNDAY, standing="silent")
        unasked = await named_register(tx, area, WEEK, SUNDAY, silence="unasked")
        one = await named_register(tx, area, WEEK, SUNDAY, person_id=1)
    assert [(named.name, named.standing, named.silence) for named in everyone] == [
        ("Ai", "silent", "unasked"),
        ("Wang", "silent", "unasked"),
        ("Zhao", "reached", None),
        ("Li", "heard", None),
    ]
    assert silent == unasked == everyone[:2]
    assert one == everyone[3:]
    assert everyone[0].last_heard_at == WEEK.start - DAY
    assert everyone[3].last_heard_at == MIDWEEK


async def test_the_version_moves_with_what_the_page_shows(db: Database) -> None:
    world = make_world()
    first, second = world.settled(area_id=3), world.settled(area_id=3)

    async def version(area_id: int = 2) -> str:
        async with db.read() as tx:
            await world.store(tx)
            return await register_version(tx, world.area(area_id))

    empty = await version()
    world.contact(first, MIDWEEK, "self")
    answered = await version()
    world.contact(second, MIDWEEK, "self")  # in the same instant
    both = await version()
    world.contact(second, MIDWEEK - HOUR + 55 * timedelta(minutes=1), "self")  # came in late
    late = await version()
    world.enrolments[-1].update(until=SUNDAY, ended_as="withdrawn")
    left = await version()
    assert len({empty, answered, both, late, left}) == 5
    assert left == await version()
    elsewhere = await version(5)
    world.contact(first, SUNDAY, "self")
    assert elsewhere == await version(5)
    assert datetime.fromtimestamp(float(left.split("-")[0]), UTC) == MIDWEEK

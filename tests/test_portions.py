"""A slot is planned in portions: nobody left out, nobody twice, whoever goes on."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from scheduler.checkins import plan_due_checkins, set_clocks
from storage.calendar.recurrence import Weeks
from storage.database import Database
from storage.models import Checkin, Delivery, RuleClock
from storage.people.areas import AreaInfo
from storage.rhythm.portions import START, Place, find_portion
from storage.rules.kept import edit_rule, running_rules
from storage.rules.terms import CheckinTerms
from tests.outbox_people import make_area, make_person

THURSDAY = datetime(2026, 11, 19, 12, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 22, 0, tzinfo=UTC)
"""Eight in the morning in Shanghai, and in Perth."""
PERTH = "Australia/Perth"


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four people each, so that thirty are many."""
    monkeypatch.setattr("scheduler.checkins.PORTION", 4)


async def _county(db: Database) -> list[int]:
    """Villages of nobody, of one, of three and of eleven; half of the people live in Perth."""
    county = await make_area(db, THURSDAY, "county")
    villages = [await make_area(db, THURSDAY, f"village{n}", parent="county") for n in range(20)]
    people: list[int] = []
    async with db.write() as tx:
        for area, many in zip([county, *villages], [5, 11, 0, 1, 3] * 4, strict=False):
            for n in range(many):
                zone = (None, PERTH)[n % 2]
                people.append(await make_person(tx, THURSDAY, area=area, timezone=zone))
    await set_clocks(db, THURSDAY)
    return people


async def _asked(db: Database) -> list[int]:
    async with db.read() as tx:
        found = await tx.execute(select(Checkin.person_id).order_by(Checkin.person_id))
        asked = list(found.scalars())
        assert await tx.scalar(select(func.count()).select_from(Delivery)) == len(asked)
    return asked


@pytest.mark.usefixtures("small_portions")
async def test_everybody_once(db: Database) -> None:
    people = await _county(db)
    begun: list[int] = []
    assert await plan_due_checkins(db, SUNDAY, nudge=lambda: begun.append(1)) == len(people)
    assert await _asked(db) == people
    assert len(begun) >= len(people) // 4
    async with db.read() as tx:
        clocks = (await tx.execute(select(RuleClock.__table__))).all()
    assert {(it.planned_slot, it.planned_area, it.planned_person) for it in clocks} == {
        (None, 0, 0)
    }
    assert all(it.next_at == SUNDAY + timedelta(weeks=1) for it in clocks)


@pytest.mark.usefixtures("small_portions")
async def test_whoever_goes_on_begins_where_the_last_stopped(db: Database) -> None:
    people = await _county(db)
    asked: list[int] = []
    for _ in range(100):
        stop = iter((True, False))
        written = await plan_due_checkins(db, SUNDAY, going=lambda turns=stop: next(turns))  # type: ignore[misc]  # mypy cannot see what a default makes of a lambda
        if not written:
            break
        found = await _asked(db)
        assert set(found) > set(asked)
        assert len(found) - len(asked) <= 4
        asked = found
    assert asked == people


@pytest.mark.usefixtures("small_portions")
async def test_a_slot_that_came_meanwhile_is_begun_anew(db: Database) -> None:
    people = await _county(db)
    stop = iter((True, False))
    few = await plan_due_checkins(db, SUNDAY, going=lambda: next(stop))
    assert 0 < few < len(people)
    # A week of standstill: the rest of the first slot is over, the second is for everybody.
    assert await plan_due_checkins(db, SUNDAY + timedelta(weeks=1)) == len(people)


async def test_an_area_too_large_for_one_portion_is_taken_by_ids(db: Database) -> None:
    village: AreaInfo = await make_area(db, THURSDAY)
    async with db.write() as tx:
        ids = [
            await make_person(
                tx, THURSDAY, area=village, timezone=(None, "Asia/Shanghai", PERTH)[n % 3]
            )
            for n in range(30)
        ]
    await set_clocks(db, THURSDAY)
    at_home = [person for n, person in enumerate(ids) if n % 3 < 2]
    async with db.read() as tx:
        rule = (await running_rules(tx))[0]
        place: Place | None = START
        taken: list[int] = []
        while place is not None:
            portion = await find_portion(tx, rule, "Asia/Shanghai", place, 6)
            upto = ids[-1] if portion.upto is None else portion.upto
            among = sum(portion.after < person <= upto for person in at_home)
            assert portion.count in (among, 0)
            taken.append(portion.count)
            place = portion.then
    assert taken == [6, 6, 6, 2, 0]


async def _half(db: Database, now: datetime = SUNDAY) -> list[int]:
    """A county, of whose people some were asked and some were not."""
    people = await _county(db)
    stop = iter((True, True, False))
    assert 0 < await plan_due_checkins(db, now, going=lambda: next(stop)) < len(people)
    return people


@pytest.mark.usefixtures("small_portions")
@pytest.mark.parametrize("days", [(6,), (0,), (2, 6)])
async def test_a_rule_edited_in_the_middle_of_a_slot_skips_and_doubles_nobody(
    db: Database, days: tuple[int, ...]
) -> None:
    people = await _half(db)
    async with db.write() as tx:
        rule = (await running_rules(tx))[0]
        terms = CheckinTerms(rule.terms.code, Weeks(1, days), window=24, nudges=())
        await edit_rule(tx, rule, terms, SUNDAY)
    await set_clocks(db, SUNDAY + timedelta(seconds=1))
    await plan_due_checkins(db, SUNDAY + timedelta(seconds=2))
    assert await _asked(db) == people
    async with db.read() as tx:
        said = set(await tx.execute(select(Checkin.version, Checkin.slot).distinct()))
    assert said == {(1, "2026-11-22")}  # what was begun ends as it began
    await set_clocks(db, SUNDAY + timedelta(minutes=1))
    for day in range(9):
        await plan_due_checkins(db, SUNDAY + timedelta(days=day, hours=1))
    async with db.read() as tx:
        found = await tx.execute(
            select(Checkin.slot, func.count())
            .where(Checkin.version == 2)
            .group_by(Checkin.slot)
            .order_by(Checkin.slot)
        )
        slots = [tuple(row) for row in found]
    first = datetime(2026, 11, 23, tzinfo=UTC)
    expected = [first + timedelta(days=n) for n in range(8)]
    assert slots == [(f"{day:%Y-%m-%d}", len(people)) for day in expected if day.weekday() in days]


@pytest.mark.usefixtures("small_portions")
async def test_what_is_left_of_an_edited_slot_is_not_asked_when_its_window_is_over(
    db: Database,
) -> None:
    await _half(db)
    asked = await _asked(db)
    async with db.write() as tx:
        rule = (await running_rules(tx))[0]
        terms = CheckinTerms(rule.terms.code, Weeks(1, (3,)))
        await edit_rule(tx, rule, terms, SUNDAY)
    wednesday = SUNDAY + timedelta(hours=74, minutes=1)
    with capture_logs() as logs:
        assert await plan_due_checkins(db, wednesday) == 0
    assert [it["slot"] for it in logs if it["log_level"] == "warning"] == ["2026-11-22"] * 2
    assert await _asked(db) == asked
    await set_clocks(db, wednesday)
    async with db.read() as tx:
        nexts = set((await tx.execute(select(RuleClock.next_at))).scalars())
    assert nexts == {datetime(2026, 11, 26, 0, tzinfo=UTC)}

"""A day's reminders are planned in portions: nobody left out, nobody twice, whoever goes on."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from scheduler.checkins import set_clocks
from scheduler.reminders import plan_due_reminders
from storage.calendar.personal_dates import Personal
from storage.database import Database
from storage.models import Delivery, Reminder, RuleClock, Subscription, Topic
from storage.people.areas import find_area
from storage.reminders.topics import TopicTerms, add_topic
from storage.rules.kept import add_rule, edit_rule, find_rule
from storage.rules.terms import ReminderTerms
from tests.outbox_people import make_area, make_person

MONDAY = datetime(2026, 11, 23, 4, tzinfo=UTC)
DUE = datetime(2026, 12, 11, 1, tzinfo=UTC)
"""Nine in the morning in Shanghai and in Perth, thirty days before."""
EXPIRY = Personal("certificate-expiry", (-30, -7))
TOPIC = TopicTerms(
    "certificate", {"zh": "证件", "en": "Certificate"}, {"zh": "去换", "en": "Renew"}, EXPIRY.date
)


@pytest.fixture
async def people(db: Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Who is to be reminded: of each three subscribers two, in two zones; a portion is of four."""
    monkeypatch.setattr("scheduler.reminders.PORTION", 4)
    area = await make_area(db, MONDAY)
    meant: list[int] = []
    async with db.write() as tx:
        await add_topic(tx, TOPIC)
        await add_rule(tx, area, ReminderTerms("certificate", TOPIC.code, EXPIRY), MONDAY)
        topic = await tx.scalar(select(Topic.id))
        for n in range(21):
            zone = (None, "Australia/Perth")[n % 2]
            person = await make_person(tx, MONDAY, area=area, timezone=zone)
            meant += [person] if n % 3 else []
            day = date(2027, 1, 10) if n % 3 else date(2028, 1, 1)
            await tx.execute(
                tx.insert(Subscription).values(
                    person_id=person, topic_id=topic, day=day, since=MONDAY
                )
            )
    await set_clocks(db, MONDAY)
    return meant


async def _reminded(db: Database) -> list[int]:
    async with db.read() as tx:
        found = await tx.execute(select(Reminder.person_id).order_by(Reminder.person_id))
        reminded = list(found.scalars())
        carried = await tx.scalar(select(func.count(Delivery.reminder_id.distinct())))
    assert carried == len(reminded)
    return reminded


async def test_everybody_once(db: Database, people: list[int]) -> None:
    begun: list[int] = []
    heard = db.count_statements()
    assert await plan_due_reminders(db, DUE, nudge=lambda: begun.append(1)) == len(people)
    assert len(begun) > 2
    written = [it for it in heard if "INSERT INTO reminder" in it]
    assert len(written) == 12  # 21 subscribers, four at a time, in each of two zones
    assert await _reminded(db) == people
    assert await plan_due_reminders(db, DUE + timedelta(minutes=1)) == 0
    async with db.read() as tx:
        clocks = (await tx.execute(select(RuleClock.__table__))).all()
    assert {(it.planned_slot, it.planned_person) for it in clocks} == {(None, 0)}
    # Those of the county's own check-in rule stand where they stood.
    assert {it.next_at for it in clocks if it.next_at > DUE} == {DUE + timedelta(hours=23)}


async def test_whoever_goes_on_begins_where_the_last_stopped(
    db: Database, people: list[int]
) -> None:
    reminded: list[int] = []
    turns = 0
    while reminded != people:
        stop = iter((True, False))
        now = DUE + timedelta(minutes=turns)
        await plan_due_reminders(db, now, going=lambda turns=stop: next(turns))  # type: ignore[misc]  # mypy cannot see what a default makes of a lambda
        found = await _reminded(db)
        assert set(found) >= set(reminded)
        assert len(found) - len(reminded) <= 4
        reminded, turns = found, turns + 1
    assert turns <= 12


async def test_a_standstill_in_the_middle_goes_on_the_day_after(
    db: Database, people: list[int]
) -> None:
    stop = iter((True, True, False))
    assert 0 < await plan_due_reminders(db, DUE, going=lambda: next(stop)) < len(people)
    await plan_due_reminders(db, DUE + timedelta(days=1))
    assert await _reminded(db) == people


async def test_a_rule_edited_in_the_middle_ends_its_day_as_it_was(
    db: Database, people: list[int]
) -> None:
    stop = iter((True, True, False))
    assert 0 < await plan_due_reminders(db, DUE, going=lambda: next(stop)) < len(people)
    async with db.write() as tx:
        rule = await find_rule(tx, await find_area(tx, "village"), "certificate")
        terms = ReminderTerms("certificate", TOPIC.code, Personal(EXPIRY.date, (-14,)))
        await edit_rule(tx, rule, terms, DUE)
    await plan_due_reminders(db, DUE + timedelta(seconds=1))
    assert await _reminded(db) == people
    await set_clocks(db, DUE + timedelta(minutes=1))
    for day in range(30):
        await plan_due_reminders(db, DUE + timedelta(days=day, minutes=2))
    async with db.read() as tx:
        slots = await tx.execute(
            select(Reminder.slot, func.count().label("many")).group_by(Reminder.slot)
        )
        counted = {row.slot: row.many for row in slots}
    assert counted == {"2026-12-11": len(people), "2026-12-27": len(people)}

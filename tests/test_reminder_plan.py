"""Reminders: planned by day and zone, once for each (rule, person, slot), whoever ticks, late."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import create_engine, event, insert, select, update

from scheduler.checkins import set_clocks
from scheduler.reminders import ensure_reminders, plan_due_reminders
from storage.calendar.personal_dates import Personal, meant_days
from storage.calendar.recurrence import Around
from storage.database import Database
from storage.models import Base, Delivery, Person, Reminder, RuleClock, Subscription, Topic
from storage.people.areas import AreaInfo
from storage.people.who import load_who
from storage.reminders.days import DueDay
from storage.reminders.planning import due_values, is_meant_sql
from storage.reminders.shipped import ensure_set, shipped_set
from storage.reminders.subscriptions import choices_of
from storage.reminders.topics import (
    BadTopic,
    TopicTerms,
    add_topic,
    edit_topic,
    find_topic,
    stop_topic,
)
from storage.rules.kept import add_rule, edit_rule, find_rule, running_rules, stop_rule
from storage.rules.terms import ReminderTerms
from tests.outbox_people import LANE, make_area, make_person

MONDAY = datetime(2026, 11, 23, 4, tzinfo=UTC)
"""Noon in China."""
DAY = timedelta(days=1)
EXPIRY = Personal("certificate-expiry", (-30, -7))
CERTIFICATE = TopicTerms(
    "certificate", {"zh": "证件", "en": "Certificate"}, {"zh": "去换", "en": "Renew"}, EXPIRY.date
)


async def a_rule(db: Database, when: Any = EXPIRY, code: str = "certificate") -> AreaInfo:
    """A village with the topic, a rule for it, and its clocks."""
    area = await make_area(db, MONDAY)
    async with db.write() as tx:
        await add_topic(tx, CERTIFICATE)
        await add_rule(tx, area, ReminderTerms(code, "certificate", when), MONDAY)
    return area


async def subscriber(
    db: Database, area: AreaInfo, day: date | None, *, at: datetime = MONDAY, **more: Any
) -> int:
    every, done_for = more.pop("every", None), more.pop("done_for", None)
    async with db.write() as tx:
        person = await make_person(tx, MONDAY, area=area, **more)
        topic = await tx.scalar(select(Topic.id))
        await tx.execute(
            insert(Subscription).values(
                person_id=person,
                topic_id=topic,
                day=day,
                every_months=every,
                done_for=done_for,
                since=at,
            )
        )
    await set_clocks(db, MONDAY)
    return person


async def planned(db: Database) -> list[tuple[int, str, date]]:
    async with db.read() as tx:
        found = await tx.execute(
            select(Reminder.person_id, Reminder.slot, Reminder.about).order_by(
                Reminder.slot, Reminder.person_id
            )
        )
        return [tuple(row) for row in found]


async def days_pass(db: Database, first: datetime, days: int) -> None:
    for number in range(days):
        await plan_due_reminders(db, first + number * DAY)


async def test_thirty_and_seven_days_before_in_their_own_morning(db: Database) -> None:
    area = await a_rule(db)
    here = await subscriber(db, area, date(2027, 1, 10))
    far = await subscriber(db, area, date(2027, 1, 10), timezone="Europe/Lisbon", usual_minute=1150)
    await subscriber(db, area, date(2027, 1, 12))
    await subscriber(db, area, date(2027, 1, 10), consented=False)
    await subscriber(db, area, date(2027, 1, 10), status="paused")
    eight = datetime(2026, 12, 11, 0, tzinfo=UTC)
    assert await plan_due_reminders(db, eight - timedelta(seconds=1)) == 0
    assert await plan_due_reminders(db, eight) == 1
    assert await plan_due_reminders(db, eight + timedelta(hours=8)) == 1
    assert await planned(db) == [
        (here, "2026-12-11", date(2027, 1, 10)),
        (far, "2026-12-11", date(2027, 1, 10)),
    ]
    async with db.read() as tx:
        rows = (await tx.execute(select(Delivery.__table__).order_by(Delivery.id))).all()
    assert [(row.template, row.priority, row.urgent) for row in rows] == [
        ("reminder", 2, False)
    ] * 2
    assert [row.not_before for row in rows] == [
        datetime(2026, 12, 11, 2, tzinfo=UTC),
        datetime(2026, 12, 11, 19, tzinfo=UTC),
    ]
    await days_pass(db, eight + timedelta(hours=9), 40)
    assert [slot for _, slot, _ in await planned(db)] == ["2026-12-11"] * 2 + ["2026-12-13"] + [
        "2027-01-03"
    ] * 2 + ["2027-01-05"]


async def test_ticking_twice_or_after_a_clock_set_back_reminds_once(db: Database) -> None:
    area = await a_rule(db)
    await subscriber(db, area, date(2027, 1, 10))
    due = datetime(2026, 12, 11, 1, tzinfo=UTC)
    assert await plan_due_reminders(db, due) == 1
    assert await plan_due_reminders(db, due) == 0
    async with db.write() as tx:
        await tx.execute(update(RuleClock).values(next_at=due))
    assert await plan_due_reminders(db, due + timedelta(minutes=5)) == 0
    assert len(await planned(db)) == 1


async def test_two_processes_at_once_remind_once(postgres_url: str, postgres_db: Database) -> None:
    area = await a_rule(postgres_db)
    await subscriber(postgres_db, area, date(2027, 1, 10))
    other = Database(postgres_url, postgres_db.vault)
    due = datetime(2026, 12, 11, 1, tzinfo=UTC)
    try:
        await asyncio.gather(
            *(plan_due_reminders(db, due) for db in (postgres_db, other, postgres_db, other))
        )
    finally:
        await other.close()
    assert len(await planned(postgres_db)) == 1


@pytest.mark.parametrize(
    ("days_late", "slots"),
    [(0, ["2026-12-11"]), (7, ["2026-12-11"]), (8, []), (24, ["2027-01-03"]), (40, [])],
)
async def test_a_late_tick_does_what_was_missed_within_the_grace(
    db: Database, days_late: int, slots: list[str]
) -> None:
    area = await a_rule(db)
    await subscriber(db, area, date(2027, 1, 10))
    late = datetime(2026, 12, 11, 6, tzinfo=UTC) + days_late * DAY
    await plan_due_reminders(db, late)
    assert [slot for _, slot, _ in await planned(db)] == slots
    async with db.read() as tx:
        due_at = (await tx.execute(select(Reminder.due_at))).scalars().all()
    assert all(late <= at < late + DAY for at in due_at)


async def test_of_several_that_were_missed_the_newest_is_sent(db: Database) -> None:
    area = await a_rule(db, Personal("certificate-expiry", (-5, -3, -2)))
    await subscriber(db, area, date(2026, 12, 11))
    await plan_due_reminders(db, datetime(2026, 12, 9, 14, tzinfo=UTC))  # ten in the evening
    assert [slot for _, slot, _ in await planned(db)] == ["2026-12-09"]
    async with db.read() as tx:
        due_at = await tx.scalar(select(Reminder.due_at))
    assert due_at == datetime(2026, 12, 10, 0, tzinfo=UTC)  # when the day opens


async def test_a_date_entered_late_has_the_nearest_lead_ahead(db: Database) -> None:
    area = await a_rule(db)
    await subscriber(db, area, date(2026, 12, 20))  # the 30 days are over by three
    await days_pass(db, datetime(2026, 11, 24, 4, tzinfo=UTC), 40)
    assert [slot for _, slot, _ in await planned(db)] == ["2026-12-13"]


async def test_a_rule_of_the_calendar_and_what_is_settled(db: Database) -> None:
    area = await a_rule(db, Around("spring-festival", (-45, -20)))
    one = await subscriber(db, area, None)
    other = await subscriber(db, area, None, done_for=date(2027, 2, 6))
    for day in ("2026-12-23", "2027-01-17", "2027-01-18", "2027-12-12", "2028-01-06"):
        await plan_due_reminders(db, datetime.fromisoformat(f"{day} 04:00+00:00"))
    assert await planned(db) == [
        (one, "2026-12-23", date(2027, 2, 6)),
        (one, "2027-01-17", date(2027, 2, 6)),
        (one, "2027-12-12", date(2028, 1, 26)),
        (other, "2027-12-12", date(2028, 1, 26)),
        (one, "2028-01-06", date(2028, 1, 26)),
        (other, "2028-01-06", date(2028, 1, 26)),
    ]


async def test_who_moved_between_zones_misses_nothing_and_hears_nothing_twice(db: Database) -> None:
    area = await a_rule(db)
    here = await subscriber(db, area, date(2027, 1, 10), timezone="America/Los_Angeles")
    await subscriber(db, area, date(2028, 1, 1))
    # Due in China since eight, in Los Angeles not for hours; then they come home.
    await plan_due_reminders(db, datetime(2026, 12, 11, 4, tzinfo=UTC))
    async with db.write() as tx:
        await tx.execute(update(Person).where(Person.id == here).values(timezone="Asia/Shanghai"))
    await days_pass(db, datetime(2026, 12, 12, 4, tzinfo=UTC), 3)
    assert await planned(db) == [(here, "2026-12-11", date(2027, 1, 10))]


async def test_a_nearer_rule_a_stopped_one_and_a_stopped_topic(db: Database) -> None:
    area = await a_rule(db)
    below = await make_area(db, MONDAY, "below", "village")
    async with db.write() as tx:
        nearer = ReminderTerms("certificate", "certificate", Personal(EXPIRY.date, (-14,)))
        await add_rule(tx, below, nearer, MONDAY)
    above = await subscriber(db, area, date(2027, 1, 10))
    under = await subscriber(db, below, date(2027, 1, 10))
    await days_pass(db, datetime(2026, 12, 11, 1, tzinfo=UTC), 20)
    assert await planned(db) == [
        (above, "2026-12-11", date(2027, 1, 10)),
        (under, "2026-12-27", date(2027, 1, 10)),
    ]
    async with db.write() as tx:
        await stop_topic(tx, await find_topic(tx, "certificate"), MONDAY)
    await days_pass(db, datetime(2026, 12, 31, 1, tzinfo=UTC), 20)
    assert len(await planned(db)) == 2
    async with db.write() as tx:
        await stop_rule(tx, await find_rule(tx, area, "certificate"), MONDAY)
    assert await plan_due_reminders(db, datetime(2027, 2, 1, tzinfo=UTC)) == 0


async def test_a_rule_edited_while_its_reminders_are_out(db: Database) -> None:
    area = await a_rule(db)
    await subscriber(db, area, date(2027, 1, 10))
    due = datetime(2026, 12, 11, 1, tzinfo=UTC)
    assert await plan_due_reminders(db, due) == 1
    async with db.write() as tx:
        rule = await find_rule(tx, area, "certificate")
        terms = ReminderTerms("certificate", "certificate", Personal(EXPIRY.date, (-30, -5)))
        await edit_rule(tx, rule, terms, due)
    await set_clocks(db, due + timedelta(minutes=1))
    await days_pass(db, due + timedelta(minutes=2), 30)
    assert [slot for _, slot, _ in await planned(db)] == ["2026-12-11", "2027-01-05"]


@contextmanager
def counted(db: Database) -> Iterator[list[str]]:
    """The statements that are run meanwhile."""
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engines = [engine.sync_engine for engine in vars(db).values() if hasattr(engine, "sync_engine")]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


async def test_the_number_of_statements_does_not_grow_with_people(db: Database) -> None:
    area = await a_rule(db)
    await subscriber(db, area, date(2027, 1, 10))
    with counted(db) as one:
        assert await plan_due_reminders(db, datetime(2026, 12, 11, 1, tzinfo=UTC)) == 1
    for _ in range(40):
        await subscriber(db, area, date(2027, 1, 11))
    with counted(db) as many:
        assert await plan_due_reminders(db, datetime(2026, 12, 12, 1, tzinfo=UTC)) == 40
    assert len(one) == len(many) > 0
    with counted(db) as idle:
        assert await plan_due_reminders(db, datetime(2026, 12, 12, 2, tzinfo=UTC)) == 0
    assert len([it for it in idle if it.startswith("SELECT")]) <= 1


_MONTH_ENDS = [date(2027, 1, 31), date(2028, 2, 29), date(2026, 8, 31), date(2026, 12, 30)]


@given(
    some.lists(
        some.tuples(
            some.sampled_from(_MONTH_ENDS) | some.dates(date(2026, 6, 1), date(2028, 3, 1)),
            some.none() | some.sampled_from([1, 3, 6, 12]),
        ),
        min_size=1,
        max_size=6,
    ),
    some.sampled_from([0, 6]),
    some.dates(date(2027, 1, 1), date(2029, 12, 31)) | some.sampled_from(_MONTH_ENDS),
)
def test_the_database_means_the_same_days(
    people: list[tuple[date, int | None]], months: int, about: date
) -> None:
    """What SQL finds for a day is what the arithmetic says of each person."""
    when = Personal("certificate-expiry", (0,), months)
    expected = [
        number
        for number, (day, every) in enumerate(people)
        if about in _until(meant_days(when, day, every), about)
    ]
    assert _found_by_sql(when, people, about) == expected


def _until(days: Iterator[date], last: date) -> Iterator[date]:
    for day in days:
        if day > last:
            return
        yield day


def _found_by_sql(when: Personal, people: list[tuple[date, int | None]], about: date) -> list[int]:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine, tables=[Base.metadata.tables[Subscription.__tablename__]])
    due = due_values([DueDay(about, about, MONDAY)])
    with engine.begin() as conn:
        conn.execute(
            insert(Subscription),
            [
                {
                    "id": number,
                    "person_id": number,
                    "topic_id": 1,
                    "day": day,
                    "every_months": every,
                    "since": MONDAY,
                }
                for number, (day, every) in enumerate(people)
            ],
        )
        found = conn.execute(
            select(Subscription.id).join(due, is_meant_sql(when, due.c)).order_by(Subscription.id)
        )
        return [row.id for row in found]


async def test_the_starting_set_is_made_once(db: Database) -> None:
    area = await make_area(db, MONDAY)
    assert await ensure_reminders(db, MONDAY) == len(shipped_set().topics) + len(
        shipped_set().rules
    )
    assert await ensure_reminders(db, MONDAY) == 0
    async with db.write() as tx:
        for rule in await running_rules(tx, area):
            await stop_rule(tx, rule, MONDAY)
        await stop_topic(tx, await find_topic(tx, "wages"), MONDAY)
        assert await ensure_set(tx, MONDAY) == 0
        assert await running_rules(tx, area) == []
        assert (await find_topic(tx, "wages")).stopped_at == MONDAY
    await make_area(db, MONDAY, "other")
    assert await ensure_reminders(db, MONDAY) == len(shipped_set().rules)


def test_the_starting_set_is_in_both_languages_and_within_the_lines() -> None:
    shipped = shipped_set()
    words = " ".join(
        text
        for topic in shipped.topics
        for texts in (topic.terms.names, topic.terms.about)
        for text in texts.values()
    ).lower()
    for never in ("怀孕", "避孕", "生育", "罚款", "指纹", "pregnan", "contracep", "fine ", "birth"):
        assert never not in words
    asked = {it.terms.code: it.terms.asks for it in shipped.topics}
    assert {rule.terms.topic for rule in shipped.rules} == asked.keys()  # type: ignore[union-attr]
    for rule in shipped.rules:
        assert isinstance(rule.terms, ReminderTerms)
        if isinstance(rule.terms.when, Personal):
            assert rule.terms.when.date == asked[rule.terms.topic]


async def test_a_rule_needs_a_topic_that_asks_for_its_date(db: Database) -> None:
    area = await a_rule(db)
    async with db.write() as tx:
        for terms, field in (
            (ReminderTerms("a", "nothing", EXPIRY), "topic"),
            (ReminderTerms("a", "certificate", Personal("other", (0,))), "date"),
        ):
            with pytest.raises(BadTopic) as refusal:
                await add_rule(tx, area, terms, MONDAY)
            assert refusal.value.field == field
        topic = await find_topic(tx, "certificate")
        without = TopicTerms(topic.code, topic.terms.names, topic.terms.about)
        with pytest.raises(BadTopic, match="rule certificate follows"):
            await edit_topic(tx, topic, without)


async def test_ones_own_page_looks_at_nobody_elses_choices(db: Database) -> None:
    area = await a_rule(db)
    await subscriber(db, area, date(2027, 1, 20), chat_id=77)
    async with db.read() as tx:
        who = await load_who(tx, LANE, 77)
        assert who is not None
        statements = db.count_statements()
        (choice,) = await choices_of(tx, who, MONDAY)
    assert choice.next_on == date(2026, 12, 21)
    assert "subscription" in "".join(statements)
    assert "count(" not in "".join(statements)

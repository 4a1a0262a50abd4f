"""The reminders that rules plan: set-based, one for each (rule, person, slot), harmless twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    String,
    and_,
    case,
    cast,
    exists,
    extract,
    func,
    literal,
    null,
    or_,
    select,
    true,
)

from storage.calendar.months import in_month, month_count
from storage.calendar.personal_dates import TURNS, Personal
from storage.calendar.recurrence import When
from storage.database import Tx
from storage.engine.given import given_rows
from storage.models import (
    Area,
    Delivery,
    PastDelivery,
    Person,
    Reminder,
    Rule,
    RuleClock,
    Subscription,
    Topic,
)
from storage.outbox.messages import REMINDER, lane_of
from storage.reminders.days import DueDay
from storage.rhythm.planning import ZONE, DueClock, Quarter, minute_asked
from storage.rules.kept import RULE_COLUMNS, as_rule, governed
from storage.rules.terms import ReminderTerms

LASTS: Final = timedelta(days=8)
"""How long a reminder may wait for its turn: a week of the budget, and a day."""
TEMPLATE: Final = "reminder"
REMINDED: Final = ("away", "moving", "home")
"""Who is reminded: services are for those at home, too; a pause is kept."""


@dataclass(frozen=True, slots=True)
class DueReminders:
    """Clocks that have come round. ``wanted``: topics that anyone subscribes to."""

    clocks: list[DueClock]
    wanted: frozenset[str]


async def is_reminder_due(tx: Tx, now: datetime) -> bool:
    """Whether the clock of a reminder rule has come round."""
    due = select(RuleClock.rule_id).join(Rule, Rule.id == RuleClock.rule_id)
    due = due.where(RuleClock.next_at <= now, Rule.kind == ReminderTerms.kind)
    return bool(await tx.scalar(select(exists(due.where(Rule.stopped_at.is_(None))))))


async def due_reminder_clocks(tx: Tx, now: datetime, most: int) -> DueReminders:
    """Up to ``most`` clocks of running reminder rules, locked against other processes."""
    rows = await tx.execute(
        select(*RULE_COLUMNS, RuleClock.timezone, RuleClock.next_at)
        .select_from(RuleClock)
        .join(Rule, Rule.id == RuleClock.rule_id)
        .join(Area, Area.id == Rule.area_id)
        .where(
            RuleClock.next_at <= now,
            Rule.stopped_at.is_(None),
            Rule.kind == ReminderTerms.kind,
        )
        .order_by(RuleClock.next_at, Rule.id)
        .limit(most)
        .with_for_update(of=RuleClock, skip_locked=True)
    )
    clocks = [DueClock(as_rule(row), row.timezone, row.next_at) for row in rows.all()]
    if not clocks:
        return DueReminders([], frozenset())
    anyone = exists().where(Subscription.topic_id == Topic.id, Subscription.ended_at.is_(None))
    codes = await tx.execute(select(Topic.code).where(Topic.stopped_at.is_(None), anyone))
    return DueReminders(clocks, frozenset(codes.scalars()))


async def plan_reminders(
    tx: Tx, clock: DueClock, days: Sequence[DueDay], quarters: Sequence[Quarter], now: datetime
) -> int:
    """Remind everyone in a rule's area and zone for whom one of ``days`` is theirs.

    Two statements, however many people: the reminders, and the messages that carry them; returns
    how many messages were written. Of several days that are due for one person the newest counts.
    ``quarters`` are those in which the rule may still write, none of them before ``now``. Unique
    keys, and what stands of the same day already, make a second planning write nothing.
    """
    rule, terms = clock.rule, clock.rule.terms
    assert isinstance(terms, ReminderTerms)
    hours = given_rows(
        "quarter", {"minute": int, "at": datetime}, [(it.minute, it.at) for it in quarters]
    )
    due = due_values(days)
    before = exists().where(
        Reminder.subscription_id == Subscription.id,
        Reminder.about == due.c.about,
        Reminder.slot >= due.c.slot,
    )
    newest = func.row_number().over(
        partition_by=Subscription.id, order_by=(due.c.slot.desc(), due.c.about)
    )
    found = (
        select(
            Person.id.label("person_id"),
            Subscription.id.label("subscription_id"),
            due.c.slot,
            due.c.about,
            hours.c.at,
            newest.label("place"),
            case((before, 1), else_=0).label("before"),
        )
        .select_from(Subscription)
        .join(Topic, Topic.id == Subscription.topic_id)
        .join(Person, Person.id == Subscription.person_id)
        .join(Area, Area.id == Person.area_id)
        .join(hours, hours.c.minute == minute_asked(terms))
        .join(
            due,
            is_meant_sql(terms.when, due.c)
            if isinstance(terms.when, Personal)
            else literal(1) == 1,
        )
        .where(
            Topic.code == terms.topic,
            Topic.stopped_at.is_(None),
            Subscription.ended_at.is_(None),
            Subscription.since < due.c.known_by,
            or_(Subscription.done_for.is_(None), Subscription.done_for < due.c.about),
            Person.area_id.in_(select(Area.id).where(governed(rule))),
            Person.consented,
            Person.erased_at.is_(None),
            Person.status.in_(REMINDED),
            literal(clock.timezone) == ZONE,
        )
        .subquery("found")
    )
    await tx.execute(
        tx.insert(Reminder)
        .from_select(
            ["rule_id", "person_id", "subscription_id", "slot", "about", "due_at"],
            select(
                literal(rule.id),
                found.c.person_id,
                found.c.subscription_id,
                found.c.slot,
                found.c.about,
                found.c.at,
            ).where(found.c.place == 1, found.c.before == 0),
        )
        .on_conflict_do_nothing()
    )
    return await _enqueue(tx, rule.id, days, max(it.at for it in quarters) + LASTS, now)


def due_values(days: Sequence[DueDay]) -> CTE:
    """Due days as rows, each with what a date that comes again is compared with."""
    return given_rows(
        "due",
        {
            "slot": str,
            "about": date,
            "known_by": datetime,
            "month": int,
            "number": int,
            "is_last": int,
        },
        [_as_row(it) for it in days],
    )


def _as_row(day: DueDay) -> tuple[str, date, datetime, int, int, int]:
    month = month_count(day.about)
    is_last = day.about == in_month(month, 31)
    return (
        day.slot.isoformat(),
        day.about,
        day.planned_at,
        month,
        day.about.day,
        int(is_last),
    )


def is_meant_sql(when: When | Personal, due: Any) -> ColumnElement[bool]:
    """Whether a due day is one that the subscription's date stands for; of the calendar's, all are.

    As :func:`storage.calendar.personal_dates.meant_days` says, in the words of a database.
    """
    if not isinstance(when, Personal):
        return true()
    day = Subscription.day
    months = func.coalesce(Subscription.every_months, when.months)
    apart = due.month - (
        cast(extract("year", day), Integer) * 12 + cast(extract("month", day), Integer) - 1
    )
    number = cast(extract("day", day), Integer)
    same_day = or_(number == due.number, and_(due.is_last == 1, number > due.number))
    turns = [same_day, apart % func.nullif(months, 0) == 0]
    if when.months:
        return and_(*turns, apart >= months, apart <= months * TURNS)
    return or_(
        and_(Subscription.every_months.is_(None), day == due.about),
        and_(Subscription.every_months.is_not(None), *turns, apart >= 0),
    )


async def _enqueue(
    tx: Tx, rule_id: int, days: Sequence[DueDay], expires_at: datetime, now: datetime
) -> int:
    """Write the message of every reminder of these days that has just been planned."""
    at = Delivery.created_at.type
    dedupe = literal("reminder:") + cast(Reminder.id, String)
    had_one = exists(select(literal(1)).where(PastDelivery.dedupe_key == dedupe))
    written = await tx.execute(
        tx.insert(Delivery)
        .from_select(
            [
                "person_id",
                "template",
                "priority",
                "urgent",
                "lane",
                "reminder_id",
                "dedupe_key",
                "not_before",
                "expires_at",
                "state",
                "attempts",
                "created_at",
                "params",
            ],
            select(
                Reminder.person_id,
                literal(TEMPLATE),
                literal(REMINDER),
                literal(False),
                lane_of(Reminder.person_id),
                Reminder.id,
                dedupe,
                Reminder.due_at,
                literal(expires_at, at),
                literal("queued"),
                literal(0),
                literal(now, at),
                null(),
            )
            .where(
                Reminder.rule_id == rule_id,
                Reminder.slot.in_({it.slot.isoformat() for it in days}),
                # Nothing planned now is due before now: what was planned earlier is left alone.
                Reminder.due_at >= now,
                Reminder.answered_at.is_(None),
                ~had_one,
            )
            .order_by(Reminder.id),
        )
        .on_conflict_do_nothing(index_elements=[Delivery.dedupe_key])
    )
    return written.rowcount

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
    Person,
    Reminder,
    Rule,
    RuleClock,
    Subscription,
    Topic,
)
from storage.outbox.by_statement import enqueue_selected, message_columns
from storage.outbox.messages import REMINDER
from storage.reminders.days import DueDay
from storage.rhythm.clocks import ZONE, DueClock
from storage.rhythm.planning import Quarter, minute_asked
from storage.rules.kept import governed
from storage.rules.terms import ReminderTerms

LASTS: Final = timedelta(days=8)
"""How long a reminder may wait for its turn: a week of the budget, and a day."""
TEMPLATE: Final = "reminder"
REMINDED: Final = ("away", "moving", "home")
"""Who is reminded: services are for those at home, too; a pause is kept."""


@dataclass(frozen=True, slots=True)
class Subscribers:
    """Whose choices are looked at together: behind ``after`` and up to ``upto``, by their ids.

    ``upto`` is None for all the rest. ``count`` also holds those whom nobody reminds now.
    """

    after: int
    upto: int | None
    count: int


async def is_reminder_due(tx: Tx, now: datetime) -> bool:
    """Whether the clock of a reminder rule has come round."""
    due = select(RuleClock.rule_id).join(Rule, Rule.id == RuleClock.rule_id)
    due = due.where(RuleClock.next_at <= now, Rule.kind == ReminderTerms.kind)
    return bool(await tx.scalar(select(exists(due.where(Rule.stopped_at.is_(None))))))


async def wanted_topics(tx: Tx) -> frozenset[str]:
    """The codes of topics that anyone subscribes to."""
    anyone = exists().where(Subscription.topic_id == Topic.id, Subscription.ended_at.is_(None))
    codes = await tx.execute(select(Topic.code).where(Topic.stopped_at.is_(None), anyone))
    return frozenset(codes.scalars())


async def find_subscribers(tx: Tx, topic: str, after: int, most: int) -> Subscribers:
    """The next ``most`` of all who subscribe to a topic, behind the subscription ``after``."""
    ahead = (
        select(Subscription.id)
        .join(Topic, Topic.id == Subscription.topic_id)
        .where(Topic.code == topic, Subscription.ended_at.is_(None), Subscription.id > after)
        .order_by(Subscription.id)
        .limit(most)
        .subquery()
    )
    found = await tx.execute(
        select(func.max(ahead.c.id).label("upto"), func.count(ahead.c.id).label("many"))
    )
    row = found.one()
    return Subscribers(after, row.upto if row.many == most else None, row.many)


async def plan_reminders(
    tx: Tx,
    clock: DueClock,
    days: Sequence[DueDay],
    quarters: Sequence[Quarter],
    some: Subscribers,
    now: datetime,
) -> int:
    """Remind those of ``some`` in a rule's area and zone for whom one of ``days`` is theirs.

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
            Subscription.id > some.after,
            *([] if some.upto is None else [Subscription.id <= some.upto]),
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
    newest_id: int = await tx.scalar(select(func.coalesce(func.max(Reminder.id), 0)))
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
    messages = select(
        *message_columns(
            Reminder.person_id,
            template=TEMPLATE,
            priority=REMINDER,
            urgent=False,
            dedupe_key=literal("reminder:") + cast(Reminder.id, String),
            not_before=Reminder.due_at,
            expires_at=max(it.at for it in quarters) + LASTS,
            now=now,
            reminder_id=Reminder.id,
        )
    )
    # What is new, and nothing else: what was planned earlier has its message.
    written = messages.where(Reminder.id > newest_id, Reminder.rule_id + 0 == rule.id)
    return await enqueue_selected(tx, written.order_by(Reminder.id))


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

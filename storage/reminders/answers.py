"""Answers to reminders: done, later, no more of this."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, union_all, update

from storage.calendar.personal_dates import Personal
from storage.calendar.recurrence import instant_within
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.models import Delivery, Reminder, Rule, Subscription, Topic
from storage.outbox.messages import REMINDER, enqueue
from storage.outbox.past import DELIVERIES
from storage.people.who import Who
from storage.reminders.planning import LASTS, TEMPLATE
from storage.reminders.subscriptions import call_off, choice_of
from storage.rules.table import from_json
from storage.rules.terms import ReminderTerms

Answer = Literal["done", "later", "stop"]
LATER: Final = timedelta(days=3)
"""When a reminder comes again that was put off; earlier where its day is nearer."""
_LAST_SAID: Final = timedelta(days=14)
"""For how long words answer a reminder."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer came to. ``first``: it was not settled before.

    ``again_on``: the local day it comes again when put off. ``next_on`` and ``next_about`` as
    :class:`storage.reminders.subscriptions.Choice`'s; ``over``: the subscription has ended.
    """

    topic_id: int
    names: dict[str, Any]
    first: bool
    over: bool
    again_on: date | None = None
    next_on: date | None = None
    next_about: date | None = None
    asks: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a reminder's message is about. ``settled``: why it need not be sent any more."""

    reminder_id: int
    names: dict[str, Any]
    words: dict[str, Any]
    about: date
    dated: bool
    behind: date | None
    settled: str | None


def _reminders() -> Any:
    return (
        select(
            Reminder.id,
            Reminder.person_id,
            Reminder.subscription_id,
            Reminder.about,
            Reminder.answer,
            Subscription.day,
            Subscription.every_months,
            Subscription.done_for,
            Subscription.ended_at,
            Topic.id.label("topic_id"),
            Topic.names,
            Topic.about.label("words"),
            Topic.asks,
            Topic.stopped_at.label("topic_stopped_at"),
            Rule.terms,
            Rule.stopped_at.label("rule_stopped_at"),
        )
        .join(Subscription, Subscription.id == Reminder.subscription_id)
        .join(Topic, Topic.id == Subscription.topic_id)
        .join(Rule, Rule.id == Reminder.rule_id)
    )


def _terms(row: Any) -> ReminderTerms:
    terms = from_json(row.terms)
    assert isinstance(terms, ReminderTerms)
    return terms


async def told_of(tx: Tx, delivery_ids: Collection[int]) -> dict[int, Told]:
    """What messages of reminders say, by message."""
    if not delivery_ids:
        return {}
    rows = await tx.execute(
        _reminders()
        .add_columns(Delivery.id.label("delivery_id"))
        .join(Delivery, Delivery.reminder_id == Reminder.id)
        .where(Delivery.id.in_(delivery_ids))
    )
    return {row.delivery_id: _told(row) for row in rows}


def _told(row: Any) -> Told:
    terms = _terms(row)
    personal = isinstance(terms.when, Personal)
    return Told(
        reminder_id=row.id,
        names=row.names,
        words=dict(terms.text) or row.words,
        about=row.about,
        dated=personal or not _recurs(terms),
        behind=row.day if isinstance(terms.when, Personal) and terms.when.months else None,
        settled=_settled(row),
    )


def _recurs(terms: ReminderTerms) -> bool:
    """Whether its days are nothing but days on which to write."""
    return not hasattr(terms.when, "offsets")


def _settled(row: Any) -> str | None:
    if row.ended_at is not None:
        return "no longer wanted"
    if row.done_for is not None and row.about <= row.done_for:
        return "done already"
    if row.topic_stopped_at is not None:
        return "the topic was stopped"
    return None if row.rule_stopped_at is None else "the rule was stopped"


async def answer_reminder(
    tx: Tx, who: Who, reminder_id: int, answer: Answer, now: datetime
) -> Answered | None:
    """Take an answer; None when the reminder is not this person's.

    ``done`` settles what the reminder is about: a date that comes once is over with it, one that
    comes again waits for its next time, and one that is counted from the last time is counted from
    today. ``later`` brings it once more, in :data:`LATER`. ``stop`` ends the subscription.
    """
    row = (
        await tx.execute(
            _reminders()
            .where(Reminder.id == reminder_id, Reminder.person_id == who.person_id)
            .with_for_update(of=Subscription)
        )
    ).first()
    if row is None:
        return None
    terms = _terms(row)
    done_before = row.done_for is not None and row.about <= row.done_for
    first = row.ended_at is None and not (done_before and answer != "stop")
    if not first:
        return Answered(row.topic_id, row.names, False, row.ended_at is not None)
    await tx.execute(
        update(Reminder).where(Reminder.id == row.id).values(answered_at=now, answer=answer)
    )
    zone = zone_of(who.timezone)
    if answer == "later":
        again = await _put_off(tx, row, terms, zone, now)
        return Answered(row.topic_id, row.names, True, False, again_on=again)
    over = answer == "stop" or _comes_once(terms, row.every_months)
    if over:
        values: dict[str, Any] = {
            "ended_at": now,
            "ended_as": "declined" if answer == "stop" else "done",
        }
    else:
        values = {"done_for": row.about}
        if isinstance(terms.when, Personal) and terms.when.months:
            values |= {"day": now.astimezone(zone).date(), "since": now}
    await tx.execute(
        update(Subscription).where(Subscription.id == row.subscription_id).values(**values)
    )
    up_to = None if over else row.about
    await call_off(tx, who.person_id, [row.subscription_id], now, up_to=up_to)
    choice = None if over else await choice_of(tx, who, row.topic_id, now)
    return Answered(
        row.topic_id,
        row.names,
        first=True,
        over=over,
        next_on=choice.next_on if choice else None,
        next_about=choice.next_about if choice else None,
        asks=row.asks,
    )


def _comes_once(terms: ReminderTerms, every_months: int | None) -> bool:
    when = terms.when
    return isinstance(when, Personal) and not when.months and not every_months


async def _put_off(tx: Tx, row: Any, terms: ReminderTerms, zone: ZoneInfo, now: datetime) -> date:
    today = now.astimezone(zone).date()
    tomorrow, again = today + timedelta(days=1), today + LATER
    if tomorrow <= row.about < again:
        again = row.about
    at = instant_within(terms.hours, zone, again)
    await enqueue(
        tx,
        person_id=row.person_id,
        template=TEMPLATE,
        priority=REMINDER,
        dedupe_key=f"reminder:{row.id}:{again.isoformat()}",
        now=now,
        not_before=at,
        expires_at=at + LASTS,
        reminder_id=row.id,
    )
    return again


async def reminders_beside(
    tx: Tx, person_id: int, account_id: int, message_id: int
) -> Sequence[int]:
    """The reminders that left in this message of an account and wait for their answer there."""
    # A reminder's key, unlike the column, is kept in the past, too: "reminder:12", and with the
    # day where it was put off.
    left = await tx.execute(
        union_all(
            *(
                select(table.dedupe_key, table.finished_at).where(
                    table.account_id == account_id,
                    table.message_id == message_id,
                    table.template == TEMPLATE,
                )
                for table in DELIVERIES
            )
        )
    )
    left_at = {int(row.dedupe_key.split(":")[1]): row.finished_at for row in left}
    if not left_at:
        return []
    rows = await tx.execute(
        _reminders()
        .add_columns(Reminder.answered_at)
        .where(Reminder.id.in_(left_at), Reminder.person_id == person_id)
        .order_by(Reminder.id)
    )
    return [
        row.id
        for row in rows
        if _settled(row) is None and not (row.answered_at and row.answered_at >= left_at[row.id])
    ]


async def open_reminder(tx: Tx, person_id: int, now: datetime) -> int | None:
    """The newest reminder that words like "done" answer; None without one."""
    found: int | None = await tx.scalar(
        select(Reminder.id)
        .join(Subscription, Subscription.id == Reminder.subscription_id)
        .where(
            Reminder.person_id == person_id,
            Reminder.delivered_at > now - _LAST_SAID,
            or_(Reminder.answer.is_(None), Reminder.answer == "later"),
            Subscription.ended_at.is_(None),
        )
        .order_by(Reminder.delivered_at.desc(), Reminder.id.desc())
        .limit(1)
    )
    return found

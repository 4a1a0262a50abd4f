"""What a worker chose to hear of: subscribed, dated, ended and taken back, each in one tap."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select, update

from storage.calendar.personal_dates import lies_behind, next_time
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.errors import Refused
from storage.models import Delivery, Reminder, Subscription, Topic
from storage.people.areas import get_area
from storage.people.who import Who
from storage.reminders.days import next_reminder
from storage.reminders.topics import TopicInfo, list_topics
from storage.rules.kept import RuleInfo, rules_over
from storage.rules.terms import ReminderTerms

EVERY: Final = (1, 3, 6, 12, 24, 36, 60)
"""How often a date may come again, in months."""
_FURTHEST: Final = 60
"""Years in which a date makes sense, before and after today."""


class BadDay(Refused):
    """A date that cannot be a topic's. ``why``: ``past``, ``ahead``, ``far``."""

    def __init__(self, why: str) -> None:
        super().__init__(f"this day lies in the {why}")
        self.why = why


@dataclass(frozen=True, slots=True)
class Choice:
    """A topic on offer, and how it stands with one worker.

    ``chosen``: they hear of it; ``day`` as they gave it, ``next_on`` the local day of the next
    reminder and ``next_about`` the day that one is about, None when none is to come.
    """

    topic: TopicInfo
    chosen: bool = False
    day: date | None = None
    every_months: int | None = None
    next_on: date | None = None
    next_about: date | None = None


async def choices_of(tx: Tx, who: Who, now: datetime) -> list[Choice]:
    """Every topic on offer to a worker, in order, and what they chose of them."""
    topics = await list_topics(tx, counted=False)
    mine = {
        row.topic_id: row
        for row in await tx.execute(
            select(Subscription.__table__).where(
                Subscription.person_id == who.person_id, Subscription.ended_at.is_(None)
            )
        )
    }
    rules = await _rules_for(tx, who)
    zone = zone_of(who.timezone)
    found = []
    for topic in topics:
        row = mine.get(topic.id)
        if row is None:
            found.append(Choice(topic))
            continue
        coming = [
            it
            for rule in rules
            if isinstance(rule.terms, ReminderTerms) and rule.terms.topic == topic.code
            if (
                it := next_reminder(
                    rule,
                    zone,
                    now,
                    day=row.day,
                    every_months=row.every_months,
                    done_for=row.done_for,
                )
            )
        ]
        next_on, about = min(coming, default=(None, None))
        found.append(Choice(topic, True, row.day, row.every_months, next_on, about))
    return found


async def choice_of(tx: Tx, who: Who, topic_id: int, now: datetime) -> Choice | None:
    """How one topic stands; None when it is not on offer."""
    found = (it for it in await choices_of(tx, who, now) if it.topic.id == topic_id)
    return next(found, None)


async def _rules_for(tx: Tx, who: Who) -> Sequence[RuleInfo]:
    return [] if who.area_id is None else await rules_over(tx, await get_area(tx, who.area_id))


def check_day(asks: str, day: date, every_months: int | None, today: date) -> date:
    """The day to keep for a topic that ``asks`` for it. Raises :class:`BadDay`.

    One that lies behind must have been; one that lies ahead must still come, unless it comes again:
    then the day stays as it is, and its next time counts.
    """
    if abs(day.year - today.year) > _FURTHEST:
        raise BadDay("far")
    if lies_behind(asks):
        if day > today:
            raise BadDay("ahead")
    elif next_time(day, every_months, today) is None:
        raise BadDay("past")
    return day


async def subscribe(
    tx: Tx,
    who: Who,
    topic: TopicInfo,
    now: datetime,
    *,
    day: date | None = None,
    every_months: int | None = None,
) -> None:
    """Hear of a topic from now on, with the date that it asks for; a new date replaces the old.

    What waits about the old date is called off. Raises :class:`BadDay`.
    """
    if topic.asks is not None:
        if day is None:
            raise BadDay("far")
        check_day(topic.asks, day, every_months, now.astimezone(zone_of(who.timezone)).date())
    changed = await tx.execute(
        update(Subscription)
        .where(
            Subscription.person_id == who.person_id,
            Subscription.topic_id == topic.id,
            Subscription.ended_at.is_(None),
        )
        .values(day=day, every_months=every_months, done_for=None, since=now)
        .returning(Subscription.id)
    )
    before = changed.scalars().all()
    if before:
        await call_off(tx, who.person_id, before, now)
        return
    # Of two taps at once the second finds the first one's row.
    await tx.execute(
        tx.insert(Subscription)
        .values(
            person_id=who.person_id,
            topic_id=topic.id,
            day=day,
            every_months=every_months,
            since=now,
        )
        .on_conflict_do_nothing()
    )


async def unsubscribe(tx: Tx, who: Who, topic_id: int, now: datetime) -> bool:
    """Hear no more of a topic; whether they did until now."""
    ended = await tx.execute(
        update(Subscription)
        .where(
            Subscription.person_id == who.person_id,
            Subscription.topic_id == topic_id,
            Subscription.ended_at.is_(None),
        )
        .values(ended_at=now, ended_as="declined")
        .returning(Subscription.id)
    )
    ids = ended.scalars().all()
    await call_off(tx, who.person_id, ids, now)
    return bool(ids)


async def take_back(tx: Tx, who: Who, topic_id: int) -> bool:
    """Hear again of a topic as before it was declined last; whether there is one."""
    mine = (Subscription.person_id == who.person_id, Subscription.topic_id == topic_id)
    running = await tx.scalar(select(Subscription.id).where(*mine, Subscription.ended_at.is_(None)))
    if running is not None:
        return True
    last = (
        select(Subscription.id)
        .join(Topic, Topic.id == Subscription.topic_id)
        .where(*mine, Topic.stopped_at.is_(None), Subscription.ended_as == "declined")
        .order_by(Subscription.ended_at.desc(), Subscription.id.desc())
        .limit(1)
    )
    changed = await tx.execute(
        update(Subscription)
        .where(Subscription.id == last.scalar_subquery())
        .values(ended_at=None, ended_as=None)
    )
    return changed.rowcount == 1


async def call_off(
    tx: Tx,
    person_id: int,
    subscriptions: Collection[int],
    now: datetime,
    *,
    up_to: date | None = None,
) -> None:
    """End what waits to be sent of these subscriptions; ``up_to``: only about days until then."""
    if not subscriptions:
        return
    about = select(Reminder.id).where(Reminder.subscription_id.in_(subscriptions))
    if up_to is not None:
        about = about.where(Reminder.about <= up_to)
    await tx.execute(
        update(Delivery)
        .where(
            Delivery.person_id == person_id,
            Delivery.reminder_id.in_(about),
            Delivery.state == "queued",
        )
        .values(state="cancelled", reason="no longer wanted", finished_at=now)
    )

"""What the rules will do: computed, not sent.

Reminders that follow a date of each person's own are counted by day, where they are not so few
that the day would say whose it is; all others are slots.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge
from itertools import takewhile
from typing import Final, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from storage.calendar.almanac import YEARS
from storage.calendar.personal_dates import Personal, days_for
from storage.calendar.recurrence import instant_within, slots_between
from storage.database import Tx
from storage.models import Area, Person, Subscription, Topic
from storage.people.areas import AreaInfo, in_subtree
from storage.rhythm.checkins import is_expected
from storage.rhythm.reach import FEW
from storage.rules.kept import RuleInfo, governed, rules_over
from storage.rules.terms import ReminderTerms

_LAST_DAY: Final = date(YEARS.stop - 1, 12, 31)

Dates = Mapping[tuple[date, int | None], int]
"""How many people have which date of their own, and have it come again after how many months."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One slot of a rule; ``at`` in UTC, and ``local`` in the zone that was asked for.

    ``people`` is how many it reminds where each has a date of their own; None elsewhere.
    """

    at: datetime
    local: datetime
    rule: str
    area: str
    kind: Literal["checkin", "reminder"]
    rule_id: int = 0
    people: int | None = None


async def rules_ahead(tx: Tx, area: AreaInfo) -> list[RuleInfo]:
    """The rules that speak for an area, less those of topics that were stopped: they send nothing.

    They stay among the rules, for the topic may be started again.
    """
    stopped = set(
        (await tx.execute(select(Topic.code).where(Topic.stopped_at.is_not(None)))).scalars()
    )
    rules = await rules_over(tx, area)
    return [rule for rule in rules if getattr(rule.terms, "topic", None) not in stopped]


async def load_dates(tx: Tx, area: AreaInfo, rules: Sequence[RuleInfo]) -> dict[int, Dates]:
    """For each rule of personal dates, how many of the area's subtree it speaks for have which.

    Only of those who are away and subscribe to its topic now. Not to be shown as it is: only
    :func:`agenda` leaves out what would say who someone is.
    """
    found: dict[int, Dates] = {}
    for rule in rules:
        if not (isinstance(rule.terms, ReminderTerms) and is_personal(rule)):
            continue
        rows = await tx.execute(
            select(Subscription.day, Subscription.every_months, func.count().label("people"))
            .select_from(Subscription)
            .join(Topic, Topic.id == Subscription.topic_id)
            .join(Person, Person.id == Subscription.person_id)
            .join(Area, Area.id == Person.area_id)
            .where(
                Topic.code == rule.terms.topic,
                Topic.stopped_at.is_(None),
                Subscription.ended_at.is_(None),
                Subscription.day.is_not(None),
                is_expected(),
                in_subtree(Area.path, area.path),
                governed(rule),
            )
            .group_by(Subscription.day, Subscription.every_months)
        )
        found[rule.id] = {(row.day, row.every_months): row.people for row in rows}
    return found


def agenda(
    rules: Sequence[RuleInfo],
    zone: ZoneInfo,
    first: date,
    last: date,
    dates: Mapping[int, Dates] | None = None,
) -> Iterator[Entry]:
    """The slots of the local days ``first`` to ``last``, both included, in order.

    Computed as they are asked for, however far ahead, until the almanac ends with 2100. ``dates``
    of :func:`load_dates` are for the rules of personal dates, which have no slots of their own.
    """
    last = min(last, _LAST_DAY)
    return merge(
        *(
            _personal(rule, zone, first, last, (dates or {}).get(rule.id, {}))
            if is_personal(rule)
            else _entries(rule, zone, first, last)
            for rule in rules
        ),
        key=lambda entry: (entry.at, entry.area, entry.rule),
    )


def is_personal(rule: RuleInfo) -> bool:
    return isinstance(rule.terms.when, Personal)


def _personal(
    rule: RuleInfo, zone: ZoneInfo, first: date, last: date, dates: Dates
) -> Iterator[Entry]:
    assert isinstance(rule.terms.when, Personal)
    begins = max(first, rule.since.astimezone(zone).date(), rule.terms.starts or first)
    ends = min(last, rule.terms.ends or last)
    people: Counter[date] = Counter()
    for (known, months), count in dates.items():
        for day, _ in takewhile(lambda on: on[0] <= ends, days_for(rule.terms.when, known, months)):
            if day >= begins:
                people[day] += count
    for day in sorted(day for day, count in people.items() if count >= FEW):
        yield _entry(rule, instant_within(rule.terms.hours, zone, day), zone, people[day])


def _entries(rule: RuleInfo, zone: ZoneInfo, first: date, last: date) -> Iterator[Entry]:
    start = datetime.combine(first, time.min, tzinfo=zone).astimezone(UTC)
    stop = datetime.combine(last, time.max, tzinfo=zone).astimezone(UTC) + timedelta(days=2)
    slots = slots_between(rule.timing, zone, max(start, rule.since), stop)
    for slot in takewhile(lambda slot: slot.day <= last, slots):
        yield _entry(rule, slot.at, zone)


def _entry(rule: RuleInfo, at: datetime, zone: ZoneInfo, people: int | None = None) -> Entry:
    kind, code = rule.terms.kind, rule.terms.code
    return Entry(at, at.astimezone(zone), code, rule.area_code, kind, rule.id, people)

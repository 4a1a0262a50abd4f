"""What the rules will do: computed, not sent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge
from itertools import takewhile
from typing import Literal
from zoneinfo import ZoneInfo

from storage.calendar.personal_dates import Personal
from storage.calendar.recurrence import slots_between
from storage.rules.kept import RuleInfo


@dataclass(frozen=True, slots=True)
class Entry:
    """One slot of a rule; ``at`` in UTC, and ``local`` in the zone that was asked for."""

    at: datetime
    local: datetime
    rule: str
    area: str
    kind: Literal["checkin", "reminder"]


def agenda(rules: Sequence[RuleInfo], zone: ZoneInfo, first: date, last: date) -> Iterator[Entry]:
    """The slots of the local days ``first`` to ``last``, both included, in order.

    Reminders of personal dates have no slots of their own and are not among them. Computed as they
    are asked for, however far ahead.
    """
    return merge(
        *(_entries(rule, zone, first, last) for rule in rules if not _is_personal(rule)),
        key=lambda entry: (entry.at, entry.area, entry.rule),
    )


def _is_personal(rule: RuleInfo) -> bool:
    return isinstance(rule.terms.when, Personal)


def _entries(rule: RuleInfo, zone: ZoneInfo, first: date, last: date) -> Iterator[Entry]:
    start = datetime.combine(first, time.min, tzinfo=zone).astimezone(UTC)
    stop = datetime.combine(last, time.max, tzinfo=zone).astimezone(UTC) + timedelta(days=2)
    slots = slots_between(rule.timing, zone, max(start, rule.since), stop)
    for slot in takewhile(lambda slot: slot.day <= last, slots):
        local = slot.at.astimezone(zone)
        yield Entry(slot.at, local, rule.terms.code, rule.area_code, rule.terms.kind)

"""When a weekly rule is due in a time zone: arithmetic only."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_EPOCH = date(1970, 1, 5)  # a Monday: weeks are counted from here


@dataclass(frozen=True, slots=True)
class Weekly:
    """Every ``every``-th week on ``weekday`` (0 is Monday) at ``hour``, local time.

    ``since`` is a local date in the first week; weeks begin on Monday.
    """

    every: int
    weekday: int
    hour: int
    since: date


@dataclass(frozen=True, slots=True)
class Slot:
    """One occurrence: the local ``day`` it belongs to, and the instant ``at`` in UTC.

    ``even`` alternates from slot to slot: who chose a slower rhythm is asked in even slots.
    """

    day: date
    at: datetime
    even: bool

    @property
    def key(self) -> str:
        return self.day.isoformat()


def first_instant(zone: ZoneInfo, day: date, hour: int, minute: int = 0) -> datetime:
    """The UTC instant of a local time, for every local time.

    An hour that does not exist (clocks go forward) moves forward to the first instant after the
    gap; of an hour that comes twice (clocks go back) it is the first.
    """
    local = datetime.combine(day, time(hour, minute), tzinfo=zone)  # fold=0: the first of two
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    # In a gap. Read with the offset before it (fold=0) the time lands after the gap, with the
    # offset after it before the gap: the transition lies between, where the offset changes.
    low, high = local.replace(fold=1).astimezone(UTC), instant
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def next_slot(rule: Weekly, zone: ZoneInfo, after: datetime) -> Slot:
    """The first slot later than ``after`` (UTC), not before the rule's own first day."""
    day = max(after.astimezone(zone).date() - timedelta(days=1), rule.since)
    day += timedelta(days=(rule.weekday - day.weekday()) % 7)
    while True:
        if _weeks(day, rule.since) % rule.every == 0:
            slot = slot_on(rule, zone, day)
            if slot.at > after:
                return slot
        day += timedelta(days=7)


def slot_on(rule: Weekly, zone: ZoneInfo, day: date) -> Slot:
    """The slot that belongs to ``day``."""
    turn = (day - _EPOCH).days // 7 // rule.every
    return Slot(day, first_instant(zone, day, rule.hour), turn % 2 == 0)


def _weeks(day: date, since: date) -> int:
    return ((day - since).days + since.weekday()) // 7

"""When a rule is due in a time zone: arithmetic only, cheap enough for every tick.

A rule plans local *days* (every second Sunday, seven days before Spring Festival …); each planned
day has one slot, at a local time. The slot's instant is unique and never in a gap: a time that does
not exist (clocks go forward) moves forward to the first instant after the gap, and of a time that
comes twice (clocks go back) the first counts, once. What would land outside the rule's hours by
that waits until they open. Rules end with the almanac, in 2100.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, overload
from zoneinfo import ZoneInfo

from storage.calendar.almanac import YEARS, days_in
from storage.calendar.months import in_month, month_count, nth_weekday

_EPOCH = date(1970, 1, 5)  # a Monday: weeks are counted from here
_LAST_DAY: Final = date(YEARS.stop - 1, 12, 31)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Weekly:
    """Every ``every``-th week on ``weekday`` (0 is Monday) at ``hour``, local time.

    ``since`` is a local date in the first week; weeks begin on Monday.
    """

    every: int
    weekday: int
    hour: int
    since: date

    def timing(self) -> "Timing":
        """The same rule, at any hour of day or night."""
        hours = Hours(time(self.hour), time.min, time.min)
        return Timing(Weeks(self.every, (self.weekday,)), self.since, hours=hours)


@dataclass(frozen=True, slots=True)
class Weeks:
    """Every ``every``-th week on each of ``weekdays`` (0 is Monday); weeks begin on Monday."""

    every: int
    weekdays: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MonthWeekdays:
    """Every ``every``-th month on the n-th of a weekday, each written ``(n, weekday)``.

    n is 1 to 4, or -1 for the last; 0 is Monday. ``(1, 6)`` is the month's first Sunday.
    """

    every: int
    weekdays: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class MonthDays:
    """Every ``every``-th month on each of ``days``; one the month does not have is its last."""

    every: int
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """So many days from a ``day`` of the almanac, whenever it comes: -7 is a week before."""

    day: str
    offsets: tuple[int, ...]


When = Weeks | MonthWeekdays | MonthDays | Around


@dataclass(frozen=True, slots=True)
class Hours:
    """Asked at ``at``, allowed from ``opens`` to before ``closes``: local times, to the minute.

    ``closes`` 00:00 is the end of the day.
    """

    at: time = time(10)
    opens: time = time(8)
    closes: time = time(21)

    def are_open(self, local: time) -> bool:
        """Whether something may be sent at this local time."""
        return self.opens <= local and (local < self.closes or self.closes == time.min)


@dataclass(frozen=True, slots=True)
class Timing:
    """A rule's arithmetic. ``starts`` and ``ends`` are its first and last local day.

    "Every n weeks" and "every n months" are counted from the week and the month of ``starts``.
    """

    when: When
    starts: date
    ends: date | None = None
    hours: Hours = Hours()


@dataclass(frozen=True, slots=True)
class Slot:
    """One occurrence: the local ``day`` it belongs to, and the instant ``at`` in UTC.

    ``turn`` counts the slots of a rule that recurs by weeks or months, without end; around a day of
    the almanac it is the offset's place, from 0 in each year.
    """

    day: date
    at: datetime
    turn: int

    @property
    def key(self) -> str:
        """Unique within the rule, the same in every zone."""
        return self.day.isoformat()

    @property
    def even(self) -> bool:
        """Whether those who chose a slower rhythm are asked too: in every other slot.

        Around a day of the almanac these are the first, third … of its offsets, every year.
        """
        return self.turn % 2 == 0


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


def instant_within(hours: Hours, zone: ZoneInfo, day: date) -> datetime:
    """When something planned for the local ``day`` is due, in UTC; always within the hours."""
    at = first_instant(zone, day, hours.at.hour, hours.at.minute)
    return at if hours.are_open(at.astimezone(zone).time()) else next_opening(hours, zone, at)


def next_opening(hours: Hours, zone: ZoneInfo, after: datetime) -> datetime:
    """The first instant from ``after`` (UTC) on that lies within the hours."""
    local = after.astimezone(zone)
    if hours.are_open(local.time()):
        return after
    day = local.date() if local.time() < hours.opens else local.date() + _DAY
    opening = first_instant(zone, day, hours.opens.hour, hours.opens.minute)
    return max(opening, after)  # the clocks may have gone back over an opening that has been


@overload
def next_slot(rule: Weekly, zone: ZoneInfo, after: datetime) -> Slot: ...
@overload
def next_slot(rule: Timing, zone: ZoneInfo, after: datetime) -> Slot | None: ...
def next_slot(rule: Weekly | Timing, zone: ZoneInfo, after: datetime) -> Slot | None:
    """The first slot later than ``after`` (UTC); None once the rule has ended."""
    timing = rule.timing() if isinstance(rule, Weekly) else rule
    return next((slot for slot in _slots(timing, zone, after) if slot.at > after), None)


def slots_between(rule: Timing, zone: ZoneInfo, start: datetime, stop: datetime) -> Iterator[Slot]:
    """The slots with ``start`` ≤ at < ``stop`` (UTC), in order, computed as they are asked for."""
    for slot in _slots(rule, zone, start):
        if slot.at >= stop:
            return
        if slot.at >= start:
            yield slot


def slot_on(rule: Timing, zone: ZoneInfo, day: date) -> Slot | None:
    """The slot that belongs to the local ``day``, if the rule plans one."""
    planned = next(planned_days(rule, day), None)
    if planned is None or planned[0] != day:
        return None
    return Slot(day, instant_within(rule.hours, zone, day), planned[1])


def is_turn_of(timing: Timing, slot: Slot, *, slower: bool, monthly: bool) -> bool:
    """Whether a slot is for someone who chose a slower rhythm, or none.

    Every other slot, or, ``monthly``, the first that the rule has in a local month.
    """
    if not slower:
        return True
    return is_months_first(timing, slot.day) if monthly else slot.even


def is_months_first(timing: Timing, day: date) -> bool:
    """Whether a planned ``day`` is the first of its month."""
    return next(planned_days(timing, day.replace(day=1)))[0] == day


def planned_at(hours: Hours, zone: ZoneInfo, slot: Slot) -> datetime:
    """When a slot is planned, in UTC: as the rule's hours begin, for those who like it early."""
    return min(slot.at, first_instant(zone, slot.day, hours.opens.hour, hours.opens.minute))


def _slots(timing: Timing, zone: ZoneInfo, near: datetime) -> Iterator[Slot]:
    # A slot may be a day later than the day it belongs to, where a zone left a whole day out;
    # then it may meet the next day's slot, and is the one of the two that counts.
    last: datetime | None = None
    for day, turn in planned_days(timing, near.astimezone(zone).date() - 3 * _DAY):
        at = instant_within(timing.hours, zone, day)
        if last is None or at > last:
            yield Slot(day, at, turn)
        last = at


def planned_days(timing: Timing, day: date) -> Iterator[tuple[date, int]]:
    """The local days from ``day`` on for which the rule plans something, and the turn of each."""
    first = max(day, timing.starts)
    last = min(timing.ends or _LAST_DAY, _LAST_DAY)
    for planned in _days(timing.when, timing.starts, first):
        if planned[0] > last:
            return
        yield planned


def _days(when: When, starts: date, first: date) -> Iterator[tuple[date, int]]:
    if isinstance(when, Weeks):
        return _by_weeks(when, starts, first)
    if isinstance(when, Around):
        years = range(max(first.year, YEARS.start), YEARS.stop)
        found: Iterator[tuple[date, int]] = (on for year in years for on in _around(when, year))
    else:
        found = _by_months(when, starts, first)
    return (planned for planned in found if planned[0] >= first)


def _by_weeks(when: Weeks, starts: date, first: date) -> Iterator[tuple[date, int]]:
    monday = starts - timedelta(days=starts.weekday())
    week = (first - monday).days // 7
    week += -week % when.every
    turn = ((monday - _EPOCH).days // 7 + week) // when.every * len(when.weekdays)
    while True:
        for place, weekday in enumerate(sorted(when.weekdays)):
            day = monday + timedelta(days=7 * week + weekday)
            if day >= first:
                yield day, turn + place
        week, turn = week + when.every, turn + len(when.weekdays)


def _by_months(
    when: MonthDays | MonthWeekdays, starts: date, first: date
) -> Iterator[tuple[date, int]]:
    month = month_count(first)
    month += (month_count(starts) - month) % when.every
    while True:
        if isinstance(when, MonthDays):
            days = [in_month(month, number) for number in when.days]
        else:
            days = [nth_weekday(month, n, weekday) for n, weekday in when.weekdays]
        turn = month // when.every * len(days)
        # Two that fall on one day (the 30th and 31st of April) are one.
        yield from ((day, turn + place) for place, day in enumerate(sorted(set(days))))
        month += when.every


@lru_cache(maxsize=512)
def _around(when: Around, year: int) -> tuple[tuple[date, int], ...]:
    """The days in ``year``, each with the place of its offset; two on one day are the first."""
    found: dict[date, int] = {}
    for place, offset in enumerate(sorted(set(when.offsets))):
        for origin in range(max(year - 2, YEARS.start), min(year + 3, YEARS.stop)):
            for base in days_in(origin, when.day):
                day = base + timedelta(days=offset)
                if day.year == year:
                    found.setdefault(day, place)
    return tuple(sorted(found.items()))

"""Periods of the register: ISO weeks and calendar months in an area's time zone."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from storage.calendar.zone import zone_of
from storage.errors import Refused

_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_YEARS = range(1970, 9999)  # what datetimes and both databases hold without a corner


class BadPeriod(Refused):
    """Not a week or month there is."""


@dataclass(frozen=True, slots=True)
class Period:
    """``start`` ≤ instant < ``end``, both in UTC; ``key`` is ``2026-W47`` or ``2026-11``."""

    key: str
    start: datetime
    end: datetime


def parse_period(text: str, zone: str | tzinfo) -> Period:
    """The week ``2026-W47`` or the month ``2026-11`` as it runs in ``zone``.

    Raises :class:`BadPeriod`.
    """
    given = text.strip()
    if found := _WEEK.fullmatch(given):
        year, week = int(found[1]), int(found[2])
        _check_year(year)
        last = _weeks_in(year)
        if not 1 <= week <= last:
            raise BadPeriod(
                f"There is no week {given}: the ISO year {year} has weeks 01 to {last}."
            )
        return _week(date.fromisocalendar(year, week, 1), _zone(zone))
    if found := _MONTH.fullmatch(given):
        year, month = int(found[1]), int(found[2])
        _check_year(year)
        if not 1 <= month <= 12:
            raise BadPeriod(f"There is no month {given}: months run from 01 to 12.")
        return _month(date(year, month, 1), _zone(zone))
    shown = given if len(given) <= 40 else f"{given[:39]}…"
    raise BadPeriod(
        f"“{shown}” is not a period: give a week like 2026-W47 or a month like 2026-11."
    )


def week_of(now: datetime, zone: str | tzinfo) -> Period:
    """The ISO week that holds ``now`` in ``zone``."""
    zone = _zone(zone)
    day = now.astimezone(zone).date()
    monday = day - timedelta(days=day.weekday())
    week = _week(monday, zone)
    # Where clocks fall back across midnight, the calendar shows the old day a second time.
    if now < week.start:
        return _week(monday - timedelta(weeks=1), zone)
    return week if now < week.end else _week(monday + timedelta(weeks=1), zone)


def month_of(now: datetime, zone: str | tzinfo) -> Period:
    """The calendar month that holds ``now`` in ``zone``."""
    zone = _zone(zone)
    first = now.astimezone(zone).date().replace(day=1)
    month = _month(first, zone)
    if now < month.start:
        return _month((first - timedelta(days=1)).replace(day=1), zone)
    return month if now < month.end else _month(_next_month(first), zone)


def weeks_back(now: datetime, zone: str | tzinfo, n: int) -> list[Period]:
    """The last ``n`` ISO weeks in ``zone``, oldest first; the last one holds ``now``."""
    zone = _zone(zone)
    this = date.fromisocalendar(*_week_numbers(week_of(now, zone)), 1)
    return [_week(this - timedelta(weeks=back), zone) for back in reversed(range(n))]


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """The instant ``day`` begins in ``zone``, in UTC.

    Where midnight comes twice it is the first one; where it is skipped, the moment the clock
    would have shown it.
    """
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _week(monday: date, zone: tzinfo) -> Period:
    year, week, _ = monday.isocalendar()
    return Period(
        f"{year:04}-W{week:02}",
        start_of_day(monday, zone),
        start_of_day(monday + timedelta(weeks=1), zone),
    )


def _month(first: date, zone: tzinfo) -> Period:
    return Period(
        f"{first.year:04}-{first.month:02}",
        start_of_day(first, zone),
        start_of_day(_next_month(first), zone),
    )


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _weeks_in(year: int) -> int:
    return date(year, 12, 28).isocalendar().week  # 28 December is always in the last one


def _week_numbers(week: Period) -> tuple[int, int]:
    year, number = week.key.split("-W")
    return int(year), int(number)


def _check_year(year: int) -> None:
    if year not in _YEARS:
        raise BadPeriod(f"There is no register for the year {year:04}.")


def _zone(zone: str | tzinfo) -> tzinfo:
    return zone_of(zone) if isinstance(zone, str) else zone

"""The period a page shows, and the ways to others."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from storage.people.areas import AreaInfo
from storage.register.periods import BadPeriod, Period, month_of, parse_period, week_of


@dataclass(frozen=True, slots=True)
class Calendar:
    """Keys of periods in the area's zone; ``later`` is None in the running one."""

    period: Period
    earlier: str
    later: str | None
    week: str
    month: str
    is_week: bool
    is_current: bool


def open_calendar(key: str | None, area: AreaInfo, now: datetime) -> Calendar:
    """The period asked for, this week by default.

    Raises ``HTTPNotFound`` for what is no period, and for one that has not begun.
    """
    zone = area.timezone
    try:
        period = week_of(now, zone) if key is None else parse_period(key, zone)
    except BadPeriod:
        raise web.HTTPNotFound from None
    if period.start > now:
        raise web.HTTPNotFound
    is_week = "W" in period.key
    is_current = period.end > now
    of = week_of if is_week else month_of
    inside = now if is_current else period.start
    return Calendar(
        period=period,
        earlier=of(period.start - timedelta(hours=1), zone).key,
        later=None if is_current else of(period.end, zone).key,
        week=week_of(inside, zone).key,
        month=month_of(inside, zone).key,
        is_week=is_week,
        is_current=is_current,
    )

"""Quiet hours: nothing unsolicited at night, by the person's own clock."""

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from storage.calendar.recurrence import first_instant

_FALLBACK = "Asia/Shanghai"


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone of this name; that of most workers when the tz database does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(_FALLBACK)


def quiet_until(now: datetime, zone: ZoneInfo, quiet_from: int, quiet_to: int) -> datetime | None:
    """When the quiet hours that hold at ``now`` (UTC) end, in UTC; ``None`` when none do.

    ``quiet_from`` and ``quiet_to`` are local hours, 0 to 23; equal hours mean no quiet at all.
    """
    if quiet_from == quiet_to:
        return None
    local = now.astimezone(zone)
    overnight = quiet_from > quiet_to
    if overnight:
        quiet = local.hour >= quiet_from or local.hour < quiet_to
    else:
        quiet = quiet_from <= local.hour < quiet_to
    if not quiet:
        return None
    day = local.date()
    if overnight and local.hour >= quiet_from:
        day += timedelta(days=1)
    end = first_instant(zone, day, quiet_to)
    # Where clocks go back over the end hour, that hour comes twice: the first one ended the quiet.
    return end if end > now else None

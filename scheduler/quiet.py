"""Quiet hours: nothing unsolicited at night, by the person's own clock.

Night is from 21 to 8 for everyone. What a person keeps quiet besides is added to it and never takes
from it; whoever works at night keeps the day quiet, and is asked in what is left of it.
"""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from storage.calendar.recurrence import first_instant

NIGHT: Final = (21, 8)
"""Local hours: from, to."""


def wait_until(now: datetime, zone: ZoneInfo, quiet_from: int, quiet_to: int) -> datetime | None:
    """When something unsolicited may arrive: the end (UTC) of night and of a person's quiet hours.

    ``None``: now. Equal hours are somebody who is awake around the clock, which nobody can choose.
    """
    if quiet_from == quiet_to:
        return None
    until = None
    # One after the other, at most: hours that left nothing of the day are refused when chosen.
    for start, end in (NIGHT, (quiet_from, quiet_to), NIGHT):
        until = quiet_until(until or now, zone, start, end) or until
    return until


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

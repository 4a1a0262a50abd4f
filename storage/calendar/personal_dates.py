"""Dates of the person's own: a certificate's expiry, the last check-up, a child's school start.

What becomes of dates already past is stated in :mod:`storage.reminders.days`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from heapq import heappop, heappush
from itertools import count, islice
from typing import Final

from storage.calendar.almanac import YEARS
from storage.calendar.months import later_by_months, month_count

TURNS: Final = 10
"""How often a rule that repeats by months comes back while the date stays as it is."""

BEHIND: Final = "last-"
"""A date whose name begins so lies behind: the last check-up. All others lie ahead."""


@dataclass(frozen=True, slots=True)
class Personal:
    """So many days from a date of the person's own; -30 is thirty days before.

    ``date`` is which: ``certificate-expiry``, ``last-check-up``, ``school-start`` … With ``months``
    the day meant is so many months after it, and again after as many, :data:`TURNS` times or until
    a newer date is known: six months after the last check-up. ``grace`` in days: how late it may be
    when the service stood still.
    """

    date: str
    offsets: tuple[int, ...]
    months: int = 0
    grace: int = 7


def lies_behind(name: str) -> bool:
    """Whether a personal date of this name is one that has been."""
    return name.startswith(BEHIND)


def meant_days(rule: Personal, known_date: date, every_months: int | None = None) -> Iterator[date]:
    """The days that a date stands for, in order, to the almanac's end.

    Itself; with ``every_months``, the person's own choice, it comes again and again. For a rule of
    ``months`` the days so many months after it, or so many as they chose. The 31st is the last of a
    shorter month, and the 31st again after it.
    """
    months = every_months or rule.months
    if not months:
        yield known_date
        return
    for turn in islice(count(1), TURNS) if rule.months else count(0):
        if month_count(known_date) + months * turn >= YEARS.stop * 12:
            return
        yield later_by_months(known_date, months * turn)


def next_time(day: date, every_months: int | None, today: date) -> date | None:
    """A date that lies ahead, or its next time from ``today`` on; None when it is over."""
    if day >= today or not every_months:
        return day if day >= today else None
    turns = (later_by_months(day, every_months * turn) for turn in count(1))
    return next(on for on in turns if on >= today)


def days_for(
    rule: Personal, known_date: date, every_months: int | None = None
) -> Iterator[tuple[date, date]]:
    """The local days on which one person with this date has a slot, in order, and the day meant.

    Two on one day are one, about the nearer day.
    """
    waiting: list[tuple[date, date]] = []
    last: date | None = None

    def before(horizon: date) -> Iterator[tuple[date, date]]:
        nonlocal last
        while waiting and waiting[0][0] < horizon:
            slot, about = heappop(waiting)
            if slot != last:
                yield slot, about
            last = slot

    earliest = timedelta(days=min(rule.offsets))
    for about in meant_days(rule, known_date, every_months):
        yield from before(about + earliest)
        for offset in rule.offsets:
            heappush(waiting, (about + timedelta(days=offset), about))
    yield from before(date.max)

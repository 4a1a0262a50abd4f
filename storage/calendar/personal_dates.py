"""Reminders relative to a date of the person's own: a certificate's expiry, the last check-up.

A date that becomes known late: what was planned before it was known is skipped, except the newest
of it if its day is at most ``grace`` days ago; that one is due at once, within the allowed hours,
unless the next falls on the same day. So a certificate that is entered ten days before it expires
has no reminder for "30 days before", and one for "7 days before"; entered 27 days before, it has
the first at once. Nothing is ever caught up twice.

A tick asks the other way round, for all people at once: :func:`dates_due_on` says which dates are
due on a local day, as ranges to compare a column with.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from storage.calendar.months import in_month, later_by_months, month_count
from storage.calendar.recurrence import Hours, Slot, instant_within, next_opening

TURNS: Final = 10
"""How often a rule that repeats by months comes back while the date stays as it is."""


@dataclass(frozen=True, slots=True)
class Personal:
    """So many days from a date of the person's own; -30 is thirty days before.

    ``date`` is which: ``certificate-expiry``, ``last-check-up``, ``school-start`` … With ``months``
    the day meant is so many months after it, and again after as many, :data:`TURNS` times or until
    a newer date is known: six months after the last check-up. ``grace`` in days.
    """

    date: str
    offsets: tuple[int, ...]
    months: int = 0
    grace: int = 7


@dataclass(frozen=True, slots=True)
class DueDates:
    """Dates from ``first`` to ``last``, both included, whose slot is today; ``due`` is the day
    meant: the expiry itself, the day of the next check-up.
    """

    first: date
    last: date
    due: date


def meant_days(rule: Personal, known_date: date) -> tuple[date, ...]:
    """The days a date stands for: itself, or the days every so many months after it."""
    if not rule.months:
        return (known_date,)
    return tuple(later_by_months(known_date, rule.months * turn) for turn in range(1, TURNS + 1))


def days_for(rule: Personal, known_date: date) -> tuple[date, ...]:
    """The local days on which one person with this date has a slot, in order."""
    planned = {
        day + timedelta(days=offset)
        for day in meant_days(rule, known_date)
        for offset in rule.offsets
    }
    return tuple(sorted(planned))


def slots_for(
    rule: Personal, known_date: date, zone: ZoneInfo, known_at: datetime, hours: Hours
) -> Iterator[Slot]:
    """One person's slots, in order, when the date became known at ``known_at`` (UTC).

    The first may be a late one (see above): its ``day`` is the one planned, its ``at`` is not.
    """
    slots = [
        Slot(day, instant_within(hours, zone, day), turn)
        for turn, day in enumerate(days_for(rule, known_date))
    ]
    coming = [slot for slot in slots if slot.at >= known_at]
    past = [slot for slot in slots if slot.at < known_at]
    if past:
        late = _late(past[-1], rule, zone, known_at, hours)
        on = late and late.at.astimezone(zone).date()
        if late and not (coming and coming[0].at.astimezone(zone).date() == on):
            yield late
    yield from coming


def late_slot(
    rule: Personal, known_date: date, zone: ZoneInfo, known_at: datetime, hours: Hours
) -> Slot | None:
    """The slot to plan when a date is entered: what :func:`dates_due_on` will not find any more."""
    first = next(slots_for(rule, known_date, zone, known_at, hours), None)
    late = first is not None and instant_within(hours, zone, first.day) < known_at
    return first if late else None


def _late(
    slot: Slot, rule: Personal, zone: ZoneInfo, known_at: datetime, hours: Hours
) -> Slot | None:
    if known_at.astimezone(zone).date() - slot.day > timedelta(days=rule.grace):
        return None
    return Slot(slot.day, next_opening(hours, zone, known_at), slot.turn)


def dates_due_on(rule: Personal, day: date) -> tuple[DueDates, ...]:
    """Which dates have a slot on the local ``day``.

    A date may lie in two of the ranges (a month and 30 days after it may be one day): it has one
    slot, with the key of ``day``.
    """
    due = [day - timedelta(days=offset) for offset in sorted(set(rule.offsets))]
    if not rule.months:
        return tuple(DueDates(on, on, on) for on in due)
    return tuple(
        found
        for on in due
        for turn in range(1, TURNS + 1)
        if (found := _months_before(on, rule.months * turn)) is not None
    )


def _months_before(due: date, months: int) -> DueDates | None:
    """The dates of which ``due`` is so many months later."""
    month = month_count(due) - months
    first = in_month(month, due.day)
    if first.day != due.day:
        return None  # the 31st is never some months after a day of April
    is_last = due.day == calendar.monthrange(due.year, due.month)[1]
    return DueDates(first, in_month(month, 31) if is_last else first, due)

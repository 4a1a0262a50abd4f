"""On which days a reminder is due: arithmetic only, in each person's own zone.

**Dates already past.** A lead whose day is over is not made up for: of someone who enters a date
ten days ahead, the reminder of thirty days before is skipped, and the nearest lead still ahead is
the first; what they are told at entry takes the place of those behind. A date that is over itself
is refused at entry, unless it comes again: then its next time counts. What a standstill of the
service, or a move to another zone, left out is made up for once, the newest only, and no later than
``grace`` days after its day (:data:`GRACE` for days of the calendar). Nothing from before a rule
was made, or before the date was known, is ever sent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from storage.calendar.almanac import YEARS
from storage.calendar.personal_dates import Personal, days_for
from storage.calendar.recurrence import (
    Around,
    Hours,
    Slot,
    instant_within,
    next_slot,
    planned_at,
    planned_days,
)
from storage.rules.kept import RuleInfo
from storage.rules.terms import ReminderTerms

GRACE: Final = 7
"""For how many days a reminder of a day of the calendar may be late."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DueDay:
    """A day of a rule: ``slot`` is the local day it is planned for, ``about`` the day meant.

    Whoever came to it at ``planned_at`` (UTC) or later is not reminded of it.
    """

    slot: date
    about: date
    planned_at: datetime


def _planned(hours: Hours, zone: ZoneInfo, day: date) -> datetime:
    """When the reminders of a local day are planned, in UTC."""
    return planned_at(hours, zone, Slot(day, instant_within(hours, zone, day), 0))


def first_tick(rule: RuleInfo, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When the clock of a rule that has none yet is first due; None when it never is.

    May lie behind ``now``, on a day whose own time is still ahead.
    """
    hours = rule.terms.hours
    if not isinstance(rule.terms.when, Personal):
        slot = next_slot(rule.timing, zone, now)
        return None if slot is None else planned_at(hours, zone, slot)
    today = now.astimezone(zone).date()
    day = today if instant_within(hours, zone, today) > now else today + _DAY
    return _within(rule, zone, day)


def next_tick(rule: RuleInfo, zone: ZoneInfo, after: datetime) -> datetime | None:
    """When the clock is next due, later than ``after`` (UTC); None when never again."""
    hours = rule.terms.hours
    today = after.astimezone(zone).date()
    if isinstance(rule.terms.when, Personal):
        day = today if _planned(hours, zone, today) > after else today + _DAY
        return _within(rule, zone, day)
    coming = (_planned(hours, zone, day) for day, _ in planned_days(rule.timing, today))
    return next((at for at in coming if at > after), None)


def _within(rule: RuleInfo, zone: ZoneInfo, day: date) -> datetime | None:
    day = max(day, rule.terms.starts or day)
    if day.year not in YEARS or (rule.terms.ends is not None and day > rule.terms.ends):
        return None
    return _planned(rule.terms.hours, zone, day)


def due_days(rule: RuleInfo, zone: ZoneInfo, since: datetime, now: datetime) -> list[DueDay]:
    """What a clock that was due ``since`` asks for at ``now``: today's, and what was left out.

    Of people's own dates yesterday's too, for who moved between zones. The newest last.
    """
    terms = rule.terms
    assert isinstance(terms, ReminderTerms)
    today = now.astimezone(zone).date()
    personal = isinstance(terms.when, Personal)
    grace = terms.when.grace if isinstance(terms.when, Personal) else GRACE
    missed = since.astimezone(zone).date()
    first = max(today - timedelta(days=grace), min(missed, today - _DAY) if personal else missed)
    first = max(first, terms.starts or first)
    last = min(today, terms.ends or today)
    return [
        DueDay(slot, about, at)
        for slot, about in _days(rule, first, last)
        if (at := _planned(terms.hours, zone, slot)) <= now
        and instant_within(terms.hours, zone, slot) >= rule.since
    ]


def _days(rule: RuleInfo, first: date, last: date) -> Iterator[tuple[date, date]]:
    when = rule.terms.when
    if isinstance(when, Personal):
        for step in range((last - first).days + 1):
            slot = first + timedelta(days=step)
            yield from ((slot, slot - timedelta(days=it)) for it in sorted(set(when.offsets)))
        return
    for slot, turn in planned_days(rule.timing, first):
        if slot > last:
            return
        yield slot, _about(rule, slot, turn)


def _about(rule: RuleInfo, slot: date, turn: int) -> date:
    when = rule.terms.when
    if isinstance(when, Around):
        return slot - timedelta(days=sorted(set(when.offsets))[turn])
    return slot


def next_reminder(
    rule: RuleInfo,
    zone: ZoneInfo,
    now: datetime,
    *,
    day: date | None,
    every_months: int | None,
    done_for: date | None,
) -> tuple[date, date] | None:
    """The local day of someone's next reminder, and the day it is about; None when none comes."""
    when = rule.terms.when
    today = now.astimezone(zone).date()
    coming: Iterator[tuple[date, date]]
    if isinstance(when, Personal):
        first, last = rule.terms.starts or date.min, rule.terms.ends or date.max
        days = days_for(when, day, every_months) if day else iter(())
        coming = (it for it in days if max(first, today) <= it[0] <= last)
    else:
        planned = planned_days(rule.timing, today)
        coming = ((slot, _about(rule, slot, turn)) for slot, turn in planned)
    settled = done_for or date.min
    for slot, about in coming:
        if about > settled and _planned(rule.terms.hours, zone, slot) > now:
            return slot, about
    return None

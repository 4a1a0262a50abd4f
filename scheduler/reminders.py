"""Reminders: what is due by the rules, and the starting set that every installation begins with."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from scheduler.checkins import quarters_of
from storage.calendar.recurrence import Hours, Slot, instant_within, next_opening
from storage.calendar.zone import zone_of
from storage.database import Database, Tx
from storage.reminders.days import due_days, next_tick
from storage.reminders.planning import due_reminder_clocks, is_reminder_due, plan_reminders
from storage.reminders.shipped import ensure_set, is_set_missing
from storage.rhythm.planning import DueClock, Quarter, may_tick, move_clock
from storage.rules.terms import ReminderTerms

_log = structlog.get_logger(__name__)
_A_PORTION: Final = 60.0
"""Seconds that a statement may take at most."""
_AT_ONCE: Final = 50
"""Clocks of one transaction, so that nobody waits long for the writer."""


async def ensure_reminders(db: Database, now: datetime) -> int:
    """Make the starting set of topics and rules where it never was; how many were made."""
    async with db.read() as tx:
        if not await is_set_missing(tx):
            return 0
    async with db.write() as tx:
        return await ensure_set(tx, now)


async def plan_due_reminders(db: Database, now: datetime) -> int:
    """Plan the reminders of every day that has come; how many messages were written.

    Running it twice, late, or in two processes at once writes nothing twice. A late run does what
    was missed, as :mod:`storage.reminders.days` states.
    """
    async with db.read() as tx:
        if not await is_reminder_due(tx, now):
            return 0
    planned = 0
    more = True
    while more:
        async with db.write() as tx:
            await tx.take_time(_A_PORTION)
            if not await may_tick(tx):
                break
            due = await due_reminder_clocks(tx, now, _AT_ONCE)
            for clock in due.clocks:
                planned += await _plan(tx, clock, due.wanted, now)
            more = len(due.clocks) == _AT_ONCE
    if planned:
        _log.info("reminders planned", messages=planned)
    return planned


async def _plan(tx: Tx, clock: DueClock, wanted: frozenset[str], now: datetime) -> int:
    rule, zone, written = clock.rule, zone_of(clock.timezone), 0
    assert isinstance(rule.terms, ReminderTerms)
    assert clock.next_at is not None
    days = due_days(rule, zone, clock.next_at, now) if rule.terms.topic in wanted else []
    if days:
        written = await plan_reminders(
            tx, clock, days, _still_open(rule.terms.hours, zone, now), now
        )
    await move_clock(tx, rule.id, clock.timezone, next_tick(rule, zone, now))
    return written


def _still_open(hours: Hours, zone: ZoneInfo, now: datetime) -> list[Quarter]:
    """Today's quarters of an hour; what is over of them is now, or when the hours open again."""
    today = now.astimezone(zone).date()
    soonest = next_opening(hours, zone, now)
    slot = Slot(today, instant_within(hours, zone, today), 0)
    return [
        Quarter(it.minute, it.at if it.at >= now else soonest)
        for it in quarters_of(hours, zone, slot)
    ]

"""Reminders: what is due by the rules, and the starting set that every installation begins with."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from scheduler.checkins import quarters_of
from storage.calendar.recurrence import Hours, Slot, instant_within, next_opening
from storage.calendar.zone import zone_of
from storage.database import Database, Tx
from storage.reminders.days import due_days, next_tick
from storage.reminders.planning import (
    find_subscribers,
    is_reminder_due,
    plan_reminders,
    wanted_topics,
)
from storage.reminders.shipped import ensure_set, is_set_missing
from storage.rhythm.clocks import DueClock, due_clocks, keep_place, may_tick, move_clock
from storage.rhythm.planning import Quarter
from storage.rhythm.portions import Place
from storage.rules.terms import ReminderTerms

_log = structlog.get_logger(__name__)
_A_PORTION: Final = 60.0
"""Seconds that a statement may take at most."""
_AT_ONCE: Final = 50
"""Clocks of one transaction, so that nobody waits long for the writer."""
PORTION: Final = 10_000
"""Subscribers looked at in one transaction, for the same reason; most are not reminded today."""


async def ensure_reminders(db: Database, now: datetime) -> int:
    """Make the starting set of topics and rules where it never was; how many were made."""
    async with db.read() as tx:
        if not await is_set_missing(tx):
            return 0
    async with db.write() as tx:
        return await ensure_set(tx, now)


async def plan_due_reminders(
    db: Database,
    now: datetime,
    *,
    nudge: Callable[[], None] = lambda: None,
    going: Callable[[], bool] = lambda: True,
) -> int:
    """Plan the reminders of every day that has come, a portion at a time while ``going``.

    How many messages were written. Each portion is a transaction of its own, after which ``nudge``
    is called; how far a rule's day is planned is kept with it, and whoever comes next goes on from
    there. Running it twice, late, or in two processes at once writes nothing twice. A late run does
    what was missed, as :mod:`storage.reminders.days` states.
    """
    async with db.read() as tx:
        if not await is_reminder_due(tx, now):
            return 0
    planned, more = 0, True
    while more and going():
        async with db.write() as tx:
            await tx.take_time(_A_PORTION)
            if not await may_tick(tx):
                break
            written, more = await _plan_some(tx, now)
        planned += written
        if written:
            nudge()
    if planned:
        _log.info("reminders planned", messages=planned)
    return planned


async def _plan_some(tx: Tx, now: datetime) -> tuple[int, bool]:
    """Plan about a portion, of however many clocks; how many messages, and if there may be more."""
    looked, written = 0, 0
    clocks = await due_clocks(tx, ReminderTerms.kind, now, _AT_ONCE)
    wanted = await wanted_topics(tx) if clocks else frozenset()
    for clock in clocks:
        if looked >= PORTION:
            return written, True
        count, messages, done = await _plan(tx, clock, wanted, PORTION - looked, now)
        looked, written = looked + count, written + messages
        if not done:
            return written, True
    return written, len(clocks) == _AT_ONCE


async def _plan(
    tx: Tx, clock: DueClock, wanted: frozenset[str], most: int, now: datetime
) -> tuple[int, int, bool]:
    """Look at up to ``most`` who chose it: how many, how many messages, and if that was all.

    The clock then moves to the next day, or keeps its place in this one.
    """
    rule, zone = clock.rule, zone_of(clock.timezone)
    assert isinstance(rule.terms, ReminderTerms)
    days = due_days(rule, zone, clock.next_at, now) if rule.terms.topic in wanted else []
    newest = days[-1].slot.isoformat() if days else None
    going_on = newest is not None and newest == clock.slot
    count, written = 0, 0
    if newest is not None and clock.may_plan(newest):
        after = clock.place.person if going_on else 0
        some = await find_subscribers(tx, rule.terms.topic, after, most)
        hours = _still_open(rule.terms.hours, zone, now)
        count, written = some.count, await plan_reminders(tx, clock, days, hours, some, now)
        if some.upto is not None:
            await keep_place(tx, clock, newest, Place(0, some.upto))
            return count, written, False
    await move_clock(tx, clock, next_tick(rule, zone, now))
    return count, written, True


def _still_open(hours: Hours, zone: ZoneInfo, now: datetime) -> list[Quarter]:
    """Today's quarters of an hour; what is over of them is now, or when the hours open again."""
    today = now.astimezone(zone).date()
    soonest = next_opening(hours, zone, now)
    slot = Slot(today, instant_within(hours, zone, today), 0)
    return [
        Quarter(it.minute, it.at if it.at >= now else soonest)
        for it in quarters_of(hours, zone, slot)
    ]

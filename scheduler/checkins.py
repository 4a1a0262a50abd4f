"""Check-ins: which slots are due, and what becomes of those that come late."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from storage.calendar.recurrence import Hours, Slot, first_instant, next_slot, planned_at
from storage.calendar.zone import zone_of
from storage.database import Database, Tx
from storage.reminders.days import first_tick
from storage.rhythm.clocks import (
    DueClock,
    UnsetClock,
    due_clocks,
    is_rule_due,
    keep_place,
    may_tick,
    move_clock,
    set_clock,
    unset_clocks,
)
from storage.rhythm.planning import QUARTER, Quarter, plan_slot
from storage.rhythm.portions import PORTION, START, find_portion
from storage.rules.defaults import ensure_root_rules, roots_without_rule
from storage.rules.kept import RuleInfo
from storage.rules.terms import CheckinTerms

_log = structlog.get_logger(__name__)

_A_PORTION: Final = 60.0
"""Seconds that a statement may take at most."""
_MOST_CLOCKS: Final = 50


@dataclass(frozen=True, slots=True)
class DueSlots:
    """What a clock that came round asks for: at most one slot to plan, and those too late.

    ``next_at`` (UTC) is when the clock is next due, None when the rule has ended.
    """

    plan: Slot | None
    missed: tuple[Slot, ...]
    next_at: datetime | None


def check_due(rule: RuleInfo, timezone: str, next_at: datetime, now: datetime) -> DueSlots:
    """Which slots planned between ``next_at`` and ``now`` (UTC) are still worth asking.

    After a standstill the newest slot is asked if its window is still open; older ones, and one
    whose window has passed, are missed and never asked late.
    """
    assert isinstance(rule.terms, CheckinTerms)
    zone, timing = zone_of(timezone), rule.timing
    window = timedelta(hours=rule.terms.window)
    came: list[Slot] = []
    slot = next_slot(timing, zone, next_at - timedelta(microseconds=1))
    while slot is not None and planned_at(timing.hours, zone, slot) <= now:
        came.append(slot)
        slot = next_slot(timing, zone, slot.at)
    plan = came.pop() if came and came[-1].at + window > now else None
    coming = None if slot is None else planned_at(timing.hours, zone, slot)
    return DueSlots(plan, tuple(came), coming)


def quarters_of(hours: Hours, zone: ZoneInfo, slot: Slot) -> list[Quarter]:
    """The quarters of an hour of the slot's day at which the rule may ask, in order."""
    opens = hours.opens.hour * 60 + hours.opens.minute
    closes = hours.closes.hour * 60 + hours.closes.minute or 24 * 60
    begins = -(-opens // QUARTER) * QUARTER
    quarters = [
        Quarter(minute, first_instant(zone, slot.day, *divmod(minute, 60)))
        for minute in range(begins, closes, QUARTER)
    ]
    # On a day that a zone leaves out, everyone is asked when the slot is.
    return [
        it if it.at.astimezone(zone).date() == slot.day else Quarter(it.minute, slot.at)
        for it in quarters
    ]


async def set_clocks(db: Database, now: datetime) -> None:
    """Start the clocks that are missing: new rules, and zones where a rule's first worker lives.

    Root areas get the default rule here if they never had one. Where nothing is missing, nothing
    is written.
    """
    async with db.read() as tx:
        if not await roots_without_rule(tx) and not await unset_clocks(tx):
            return
    async with db.write() as tx:
        await ensure_root_rules(tx, now)
        for clock in await unset_clocks(tx):
            await set_clock(tx, clock.rule_id, clock.timezone, _first_of(clock, now))


def _first_of(clock: UnsetClock, now: datetime) -> datetime | None:
    """When it is first due; None: never."""
    rule, zone = clock.rule, zone_of(clock.timezone)
    if rule is None:
        return now  # where that is found out, it is told
    if not isinstance(rule.terms, CheckinTerms):
        return first_tick(rule, zone, now)
    slot = next_slot(rule.timing, zone, now)
    return None if slot is None else planned_at(rule.timing.hours, zone, slot)


async def plan_due_checkins(
    db: Database,
    now: datetime,
    *,
    nudge: Callable[[], None] = lambda: None,
    going: Callable[[], bool] = lambda: True,
) -> int:
    """Plan every slot that has come, a portion at a time while ``going``; how many messages.

    Each portion is a transaction of its own, after which others have their turn, and ``nudge`` is
    called. How far a slot is planned is kept with it: killed at any moment, it goes on from there.
    Running it twice, late, or in two processes at once writes nothing twice.
    """
    async with db.read() as tx:
        if not await is_rule_due(tx, now):
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
        _log.info("check-ins planned", messages=planned)
    return planned


async def _plan_some(tx: Tx, now: datetime) -> tuple[int, bool]:
    """Plan about a portion, of however many clocks; how many messages, and if there may be more."""
    looked, written = 0, 0
    clocks = await due_clocks(tx, CheckinTerms.kind, now, _MOST_CLOCKS)
    for clock in clocks:
        if looked >= PORTION:
            return written, True
        count, messages, done = await _plan(tx, clock, PORTION - looked, now)
        looked, written = looked + count, written + messages
        if not done:
            return written, True
    return written, len(clocks) == _MOST_CLOCKS


async def _plan(tx: Tx, clock: DueClock, most: int, now: datetime) -> tuple[int, int, bool]:
    """Ask up to ``most`` people: how many there were, how many messages, and if the slot is done.

    The clock then moves to the next slot, or keeps its place in this one.
    """
    rule, timezone = clock.rule, clock.timezone
    due = check_due(rule, timezone, clock.next_at, now)
    going_on = due.plan is not None and due.plan.key == clock.slot
    for slot in () if going_on else due.missed:
        _log.warning(
            "a check-in was not asked: its time passed while the service stood still",
            rule=rule.terms.code,
            area=rule.area_code,
            timezone=timezone,
            slot=slot.key,
        )
    count, written = 0, 0
    if due.plan is not None and clock.may_plan(due.plan.key):
        place = clock.place if going_on else START
        portion = await find_portion(tx, rule, timezone, place, most)
        quarters = quarters_of(rule.timing.hours, zone_of(timezone), due.plan)
        count = portion.count
        written = await plan_slot(tx, clock, due.plan, quarters, portion, now)
        if portion.then is not None:
            await keep_place(tx, clock, due.plan.key, portion.then)
            return count, written, False
    await move_clock(tx, clock, due.next_at)
    return count, written, True

"""Weekly check-ins: which slots are due, and what becomes of those that come late."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from scheduler.quiet import zone_of
from storage.checkins import ensure_root_rules
from storage.database import Database
from storage.recurrence import Slot, next_slot
from storage.rhythm import (
    RuleTime,
    due_clocks,
    is_rule_due,
    may_tick,
    move_clock,
    plan_slot,
    set_clock,
    unset_clocks,
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DueSlots:
    """What a clock that came round asks for: at most one slot to plan, and those too late."""

    plan: Slot | None
    missed: tuple[Slot, ...]
    next_at: datetime


def check_due(rule: RuleTime, now: datetime) -> DueSlots:
    """Which slots between ``rule.next_at`` and ``now`` (UTC) are still worth asking.

    After a standstill the newest slot is asked if its window is still open; older ones, and one
    whose window has passed, are missed and never asked late.
    """
    if rule.next_at is None:
        raise ValueError("the rule has no clock yet")
    zone = zone_of(rule.timezone)
    weekly = rule.weekly(rule.since.astimezone(zone))
    came: list[Slot] = []
    slot = next_slot(weekly, zone, _just_before(rule.next_at))
    while slot.at <= now:
        came.append(slot)
        slot = next_slot(weekly, zone, slot.at)
    plan = came.pop() if came and came[-1].at + rule.window > now else None
    return DueSlots(plan, tuple(came), slot.at)


def _just_before(at: datetime) -> datetime:
    return at.replace(microsecond=0) - at.resolution


async def set_clocks(db: Database, now: datetime) -> None:
    """Start the clocks that are missing: new rules, and zones where a rule's first worker lives.

    Root areas get the default rule here if they never had one.
    """
    async with db.read() as tx:
        unset = await unset_clocks(tx)
    async with db.write() as tx:
        made = await ensure_root_rules(tx, now)
        unset = await unset_clocks(tx) if made else unset
        for rule in unset:
            zone = zone_of(rule.timezone)
            slot = next_slot(rule.weekly(rule.since.astimezone(zone)), zone, now)
            await set_clock(tx, rule.rule_id, rule.timezone, slot.at)


async def plan_due_checkins(db: Database, now: datetime) -> int:
    """Plan every slot that has come; how many messages were written.

    Running it twice, late, or in two processes at once writes nothing twice.
    """
    async with db.read() as tx:
        if not await is_rule_due(tx, now):
            return 0
    planned = 0
    async with db.write() as tx:
        if not await may_tick(tx):
            return 0
        for rule in await due_clocks(tx, now):
            due = check_due(rule, now)
            for slot in due.missed:
                _log.warning(
                    "a check-in was not asked: its time passed while the service stood still",
                    rule=rule.rule_id,
                    timezone=rule.timezone,
                    slot=slot.key,
                )
            if due.plan is not None:
                planned += await plan_slot(tx, rule, due.plan, now)
            await move_clock(tx, rule.rule_id, rule.timezone, due.next_at)
    if planned:
        _log.info("check-ins planned", messages=planned)
    return planned

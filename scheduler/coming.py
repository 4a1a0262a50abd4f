"""When the next check-in comes to one person, as planning will have it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from scheduler.checkins import quarters_of
from storage.calendar.recurrence import is_turn_of, next_slot, planned_at
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.models import Checkin, Person, RuleClock
from storage.people.areas import get_area
from storage.people.hours import Hours
from storage.rhythm.planning import asked_between, minute_asked
from storage.rules.kept import RuleInfo, rules_over
from storage.rules.terms import CheckinTerms

_FURTHEST: Final = 100
"""Slots of one rule that are looked at: the slowest rhythm of a rule that asks daily is thirty."""


@dataclass(frozen=True, slots=True)
class Coming:
    """``at`` (UTC) is when; ``on_its_way``: planned already, so what is changed now comes later.

    ``minute`` is when of the day the person is asked now, after local midnight; ``earliest`` and
    ``latest`` are the quarters in which the rules of their area ask at all.
    """

    at: datetime | None
    on_its_way: bool
    minute: int | None
    earliest: int
    latest: int


async def next_checkin(tx: Tx, person_id: int, hours: Hours, now: datetime) -> Coming | None:
    """The person's next check-in; ``None`` if they are in no area, or no rule asks there.

    Whether they are at home or taking a break is not looked at.
    """
    if hours.area_id is None:
        return None
    over = await rules_over(tx, await get_area(tx, hours.area_id))
    rules = [rule for rule in over if isinstance(rule.terms, CheckinTerms)]
    if not rules:
        return None
    planned = await _planned(tx, person_id, now)
    minutes = {rule.id: await _minute(tx, person_id, rule) for rule in rules}
    found: list[tuple[datetime, RuleInfo]] = []
    for rule in rules:
        at = await _next_of(tx, rule, hours, minutes[rule.id], now)
        if at is not None:
            found.append((at, rule))
    spans = [asked_between(rule.timing.hours) for rule in rules]
    first = min(found, key=lambda one: one[0], default=None)
    return Coming(
        at=planned or (first[0] if first else None),
        on_its_way=planned is not None,
        minute=minutes[first[1].id if first else rules[0].id],
        earliest=min(opens for opens, _ in spans),
        latest=max(closes for _, closes in spans),
    )


async def _planned(tx: Tx, person_id: int, now: datetime) -> datetime | None:
    """A check-in that is written and has not left yet."""
    at: datetime | None = await tx.scalar(
        select(Checkin.due_at)
        .where(
            Checkin.person_id == person_id,
            Checkin.rule_id.is_not(None),
            Checkin.due_at > now,
            Checkin.delivered_at.is_(None),
            Checkin.answered_at.is_(None),
        )
        .order_by(Checkin.due_at)
        .limit(1)
    )
    return at


async def _minute(tx: Tx, person_id: int, rule: RuleInfo) -> int:
    assert isinstance(rule.terms, CheckinTerms)
    minute: int = await tx.scalar(select(minute_asked(rule.terms)).where(Person.id == person_id))
    return minute


async def _next_of(
    tx: Tx, rule: RuleInfo, hours: Hours, minute: int, now: datetime
) -> datetime | None:
    zone, timing = zone_of(hours.timezone), rule.timing
    # What the rule's clock there has passed is planned, for whom it was for.
    clock: datetime | None = await tx.scalar(
        select(RuleClock.next_at).where(
            RuleClock.rule_id == rule.id, RuleClock.timezone == hours.timezone
        )
    )
    since = clock or now
    slot = next_slot(timing, zone, since - timedelta(days=1))
    for _ in range(_FURTHEST):
        if slot is None:
            return None
        if planned_at(timing.hours, zone, slot) >= since and is_turn_of(
            timing, slot, slower=hours.slower, monthly=hours.monthly
        ):
            quarters = quarters_of(timing.hours, zone, slot)
            at = next((it.at for it in quarters if it.minute == minute), slot.at)
            if at > now:
                return at
        slot = next_slot(timing, zone, slot.at)
    return None

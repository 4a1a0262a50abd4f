"""Which rules spoke for a person on a day, in which version, and what each came to."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from storage.calendar.almanac import YEARS
from storage.calendar.recurrence import (
    Slot,
    Timing,
    is_months_first,
    next_slot,
    planned_at,
    planned_days,
    slot_on,
)
from storage.database import Tx
from storage.rhythm.why_facts import Coming, Reason, RuleHeld, Verdict
from storage.rhythm.why_kept import Kept, held_until
from storage.rhythm.why_person import Life
from storage.rhythm.why_verdict import Day, asked_at, unexpected, verdict
from storage.rules.kept import RuleInfo
from storage.rules.table import as_table

_SECOND: Final = timedelta(microseconds=1)
_MOST_TURNS: Final = 60
_BACK: Final = (40, 400, 4000)
"""Days: how far back the slot before is looked for, in growing steps."""
_LAST_DAY: Final = date(YEARS.stop - 1, 12, 31)


def as_held(each: Kept, overrides: Sequence[Kept], at: datetime, area_code: str) -> RuleHeld:
    rule, since = each.version_at(at)
    return RuleHeld(
        rule_id=rule.id,
        kind=rule.terms.kind,
        code=rule.terms.code,
        area_code=rule.area_code,
        area_name=each.area_name,
        inherited=rule.area_code != area_code,
        overrides=tuple(above.rule.area_code for above in overrides),
        version=rule.version,
        version_at=since,
        versions=len(each.versions),
        table=as_table(rule.terms),
        override_names=tuple(above.area_name for above in overrides),
    )


def absent_verdict(each: Kept, on: Day) -> Verdict:
    """Why a rule that is known did not hold."""
    rule = each.rule
    if rule.id in on.planned:
        return verdict(rule, Reason.ASKED)
    if rule.stopped_at is not None and rule.since < on.end:
        return verdict(rule, Reason.STOPPED, at=rule.stopped_at)
    return verdict(rule, Reason.MADE_LATER, at=rule.since)


async def judge(tx: Tx, each: Kept, on: Day) -> Verdict:
    """What a rule that held came to on the day."""
    life = on.life
    latest = min(on.end - _SECOND, life.now) if on.start <= life.now else life.now
    rule, _ = each.version_at(latest)
    timing = rule.timing
    slot = slot_on(timing, life.zone, on.day)
    if slot is not None:
        rule, _ = each.version_at(min(planned_at(timing.hours, life.zone, slot), life.now))
        timing = rule.timing
        slot = slot_on(timing, life.zone, on.day)
    near = _nearest(timing, on)
    if slot is None:
        return verdict(rule, _not_due(timing, on.day), **near)
    plan = planned_at(timing.hours, life.zone, slot)
    if rule.id in on.planned:
        return verdict(rule, Reason.ASKED, **near)
    if plan < each.rule.since:
        return verdict(rule, Reason.MADE_LATER, at=each.rule.since, **near)
    expected = life.expected_at(plan)
    if not expected.expected:
        return unexpected(rule, expected, near)
    if not _their_turn(rule, life, slot, plan):
        return verdict(rule, Reason.SLOWER, **near)
    other = next((code for rule_id, code in on.planned.items() if rule_id != rule.id), None)
    if other is not None:
        return verdict(rule, Reason.OTHER_RULE, other=other, **near)
    at, by = await asked_at(tx, rule, life, slot.day)
    reason = Reason.NOT_PLANNED if plan < life.now - timedelta(minutes=5) else Reason.WILL_ASK
    return verdict(rule, reason, at=at, minute_by=by, **near)


def _nearest(timing: Timing, on: Day) -> dict[str, object]:
    """The nearest days before and after; ``before`` may lie before the person came."""
    before = None
    for back in _BACK:
        first = max(timing.starts, on.day - timedelta(days=back))
        for day, _ in planned_days(timing, first):
            if day >= on.day:
                break
            before = day
        if before is not None:
            break
    after = next(planned_days(timing, min(on.day + timedelta(days=1), _LAST_DAY)), None)
    later = None if after is None or after[0] <= on.day else after[0]
    return {"before": before, "after": later}


def _not_due(timing: Timing, day: date) -> Reason:
    if day > _LAST_DAY:
        return Reason.ALMANAC_ENDS
    if timing.ends is not None and day > timing.ends:
        return Reason.ENDED
    if day < timing.starts:
        return Reason.NOT_BEGUN
    return Reason.NOT_DUE


def _their_turn(rule: RuleInfo, life: Life, slot: Slot, at: datetime) -> bool:
    """Whether someone who may have chosen a slower rhythm is asked in this slot."""
    if not life.slower_at(at):
        return True
    return is_months_first(rule.timing, slot.day) if life.row.monthly else slot.even


async def next_coming(tx: Tx, kept: Sequence[Kept], on: Day) -> Coming:
    """The next thing the rules will send, from now or from the day asked for on."""
    life = on.life
    after = max(life.now, on.end - _SECOND)
    governing, _ = held_until(kept, after + timedelta(days=1))
    found: list[Coming] = []
    for each, _ in governing:
        coming = await _coming(tx, each.rule, on, after)
        if coming is not None:
            found.append(coming)
    if found:
        return min(found, key=lambda coming: (coming.at, coming.code))
    expected = life.expected_at(after)
    if expected.reason is not None:
        return Coming(None, None, None, expected.reason)
    lasting = any(each.rule.timing.ends is None for each, _ in governing)
    return Coming(None, None, None, Reason.ALMANAC_ENDS if lasting else Reason.NO_RULES)


async def _coming(tx: Tx, rule: RuleInfo, on: Day, after: datetime) -> Coming | None:
    life = on.life
    slot = next_slot(rule.timing, life.zone, after)
    for _ in range(_MOST_TURNS):  # paused, or not their turn: some of the next ones pass by
        if slot is None:
            return None
        if _their_turn(rule, life, slot, slot.at) and life.expected_at(slot.at).expected:
            at, _by = await asked_at(tx, rule, life, slot.day)
            return Coming("checkin", rule.terms.code, at, table=as_table(rule.terms))
        slot = next_slot(rule.timing, life.zone, slot.at)
    return None

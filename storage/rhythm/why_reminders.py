"""What a reminder rule came to on a day, and what it will send next."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from storage.calendar.personal_dates import Personal, slots_for
from storage.calendar.recurrence import Slot, next_slot, planned_at
from storage.database import Tx
from storage.rhythm.why_facts import Coming, Expected, Reason, Verdict
from storage.rhythm.why_kept import Subscribed
from storage.rhythm.why_person import Life
from storage.rhythm.why_verdict import Day, asked_at, unexpected, verdict, was_sent
from storage.rules.kept import RuleInfo
from storage.rules.terms import ReminderTerms

_SECOND: Final = timedelta(microseconds=1)
_ASIDE: Final = timedelta(minutes=5)
"""How long after its time a tick may come and still be no standstill."""


def reminded_at(life: Life, at: datetime) -> Expected:
    """As :meth:`Life.expected_at`, but those at home are reminded too."""
    expected = life.expected_at(at)
    return Expected(True, None, None, None) if expected.reason is Reason.HOME else expected


async def judge_reminder(
    tx: Tx, rule: RuleInfo, slot: Slot, near: dict[str, Any], on: Day
) -> Verdict:
    """Of a rule by the calendar that is due on the day, and by which nothing was planned."""
    assert isinstance(rule.terms, ReminderTerms)
    plan = planned_at(rule.terms.hours, on.life.zone, slot)
    expected = reminded_at(on.life, plan)
    if not expected.expected:
        return unexpected(rule, expected, near)
    missing = _missing(rule.terms, plan, on)
    if missing is not None:
        return verdict(rule, missing, **near)
    return await _due(tx, rule, slot, near, on)


async def judge_personal(tx: Tx, rule: RuleInfo, on: Day) -> Verdict:
    """Of a rule that follows a date of the person's own."""
    assert isinstance(rule.terms, ReminderTerms)
    if rule.id in on.planned:
        return verdict(rule, was_sent(rule))
    expected = reminded_at(on.life, on.end - _SECOND)
    if not expected.expected:
        return unexpected(rule, expected, {})
    known = _subscription(rule.terms.topic, on.end, on)
    missing = _missing(rule.terms, on.end, on)
    if missing is not None or known is None:
        return verdict(rule, missing or Reason.NOT_SUBSCRIBED)
    if known.day is None:
        return verdict(rule, Reason.NO_DATE)
    near: dict[str, Any] = {"before": None, "after": None}
    today: Slot | None = None
    for slot in _slots(rule, known, on.life):
        if slot.day > on.day:
            near["after"] = slot.day
            break
        if slot.day == on.day:
            today = slot
        else:
            near["before"] = slot.day
    if today is None:
        return verdict(rule, Reason.NOT_DUE, **near)
    return await _due(tx, rule, today, near, on)


async def coming_reminder(tx: Tx, rule: RuleInfo, after: datetime, on: Day) -> Coming | None:
    """The next one later than ``after`` (UTC), as the person and their dates are now."""
    assert isinstance(rule.terms, ReminderTerms)
    known = _subscription(rule.terms.topic, after, on)
    if known is None or _missing(rule.terms, after, on) is not None:
        return None
    slot: Slot | None
    if not isinstance(rule.terms.when, Personal):
        slot = next_slot(rule.timing, on.life.zone, after)
    elif known.day is None:
        return None
    else:
        slot = next((slot for slot in _slots(rule, known, on.life) if slot.at > after), None)
    if slot is None or not reminded_at(on.life, slot.at).expected:
        return None
    at, _by = await asked_at(tx, rule, on.life, slot.day)
    return Coming("reminder", rule.terms.code, at)


async def _due(tx: Tx, rule: RuleInfo, slot: Slot, near: dict[str, Any], on: Day) -> Verdict:
    plan = planned_at(rule.terms.hours, on.life.zone, slot)
    at, by = await asked_at(tx, rule, on.life, slot.day)
    reason = Reason.NOT_PLANNED if plan < on.life.now - _ASIDE else Reason.WILL_REMIND
    return verdict(rule, reason, at=at, minute_by=by, **near)


def _slots(rule: RuleInfo, known: Subscribed, life: Life) -> Iterator[Slot]:
    assert isinstance(rule.terms.when, Personal)
    assert known.day is not None
    slots = slots_for(
        rule.terms.when,
        known.day,
        life.zone,
        max(known.since, rule.since),
        rule.terms.hours,
        every_months=known.every_months,
        done_for=known.done_for,
    )
    starts, ends = rule.terms.starts, rule.terms.ends
    for slot in slots:
        if ends is not None and slot.day > ends:
            return
        if starts is None or slot.day >= starts:
            yield slot


def _subscription(topic: str, at: datetime, on: Day) -> Subscribed | None:
    found = [each for each in on.subscriptions if each.topic == topic and each.since <= at]
    return found[-1] if found else None


def _missing(terms: ReminderTerms, at: datetime, on: Day) -> Reason | None:
    known = _subscription(terms.topic, at, on)
    if known is None:
        return Reason.NOT_SUBSCRIBED
    if known.ended_at is not None and known.ended_at <= at:
        return Reason.SUBSCRIPTION_OVER
    return None

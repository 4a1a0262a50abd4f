"""What is known of people's silence, for many at once: what :mod:`next_steps` decides from."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import ColumnElement, case, exists, func, literal, or_, select
from sqlalchemy.orm import aliased

from storage.calendar.recurrence import is_turn_of, next_slot
from storage.database import Tx
from storage.family.ties import with_family
from storage.models import Account, Area, Contact, Delivery, Kin, KinQuestion, Person, Task
from storage.outbox.messages import QUEUED
from storage.people.areas import get_area
from storage.register.answering import habits_of
from storage.register.contacts import is_uncorrected
from storage.register.next_steps import Facts
from storage.register.standing import Silence
from storage.rules.kept import RuleInfo, rules_over
from storage.rules.terms import CheckinTerms

_WEEK: Final = timedelta(days=7)
_QUESTIONS: Final = ("checkin", "nudge", "nudge_again", "rollcall")
_AT_ONCE: Final = 5000
_MOST_TURNS: Final = 60
"""Slots looked at for someone slower: of daily questions one a month is theirs."""


def is_silent(standing: str | None) -> bool:
    """Whether there is something to be done about someone of this standing."""
    return standing in ("silent", "tried")


@dataclass(frozen=True, slots=True)
class _Family:
    said: Any = None
    said_at: datetime | None = None
    asking: bool = False


async def facts_of(
    tx: Tx, silences: Mapping[int, Silence | None], now: datetime
) -> dict[int, Facts]:
    """The facts of these people, by person; each with the register's class of their silence."""
    found: dict[int, Facts] = {}
    ids = list(silences)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        found |= await _facts(tx, {it: silences[it] for it in some}, now)
    return found


async def _facts(tx: Tx, silences: Mapping[int, Silence | None], now: datetime) -> dict[int, Facts]:
    ids = list(silences)
    people = await tx.execute(
        select(
            Person.id,
            Person.area_id,
            Person.phone.is_not(None).label("phone"),
            Person.slower,
            Person.monthly,
            func.coalesce(Person.timezone, Area.timezone).label("timezone"),
        )
        .outerjoin(Area, Area.id == Person.area_id)
        .where(Person.id.in_(ids))
    )
    rows = people.all()
    accounts = await tx.execute(
        select(Account.person_id).where(Account.person_id.in_(ids)).distinct()
    )
    reached = set(accounts.scalars())
    kin = await with_family(tx, ids)
    said = await _families(tx, kin, now)
    held = await _held(tx, ids)
    open_tasks = await tx.execute(
        select(Task.person_id).where(Task.person_id.in_(ids), Task.closed_at.is_(None))
    )
    tasks = set(open_tasks.scalars())
    habits = await habits_of(tx, ids, now)
    rules = await _rules(tx, {row.area_id for row in rows if row.area_id is not None})
    facts: dict[int, Facts] = {}
    for row in rows:
        family = said.get(row.id, _Family())
        reason, until = held.get(row.id, (None, None))
        facts[row.id] = Facts(
            silence=silences[row.id],
            account=row.id in reached,
            phone=row.phone,
            family=row.id in kin,
            said=family.said,
            said_at=family.said_at,
            asking=family.asking,
            held=reason,
            held_until=until,
            next_at=_next_at(rules.get(row.area_id, ()), row, now),
            task=row.id in tasks,
            habit=habits.get(row.id),
        )
    return facts


async def _families(tx: Tx, worker_ids: Collection[int], now: datetime) -> dict[int, _Family]:
    """What families said within a week, the last word of each; and which are being asked.

    What they said before the worker's own last word is of no interest any more.
    """
    if not worker_ids:
        return {}
    families: dict[int, _Family] = {}
    spoke = await tx.execute(
        select(Contact.person_id, func.max(Contact.at).label("at"))
        .where(
            Contact.person_id.in_(worker_ids),
            Contact.at > now - _WEEK,
            Contact.evidence == "relative",
            Contact.success,
            is_uncorrected(),
            _no_own_word(Contact.person_id, Contact.at),
        )
        .group_by(Contact.person_id)
    )
    for row in spoke:
        families[row.person_id] = _Family("fine", row.at)
    asked = await tx.execute(
        select(
            Kin.worker_id,
            KinQuestion.answer,
            KinQuestion.answered_at,
            case((KinQuestion.answered_at.is_(None), 1), else_=0).label("open"),
        )
        .join(Kin, Kin.id == KinQuestion.kin_id)
        .where(
            Kin.worker_id.in_(worker_ids),
            or_(
                (KinQuestion.answered_at > now - _WEEK)
                & _no_own_word(Kin.worker_id, KinQuestion.answered_at),
                KinQuestion.answered_at.is_(None)
                & (KinQuestion.answer_until > now)
                & Kin.ended_at.is_(None),
            ),
        )
        .order_by(KinQuestion.answered_at)
    )
    for row in asked:
        family = families.get(row.worker_id, _Family())
        if row.open:
            families[row.worker_id] = _Family(family.said, family.said_at, asking=True)
        elif family.said_at is None or row.answered_at >= family.said_at:
            families[row.worker_id] = _Family(row.answer, row.answered_at, family.asking)
    return families


def _no_own_word(person_id: Any, since: Any) -> ColumnElement[bool]:
    own = aliased(Contact)
    return ~exists(
        select(literal(1)).where(
            own.person_id == person_id, own.evidence == "self", own.at >= since
        )
    )


async def _held(tx: Tx, ids: Collection[int]) -> dict[int, tuple[str, datetime]]:
    """Why a question to them waits, and until when."""
    rows = await tx.execute(
        select(Delivery.person_id, Delivery.reason, Delivery.not_before)
        .where(
            Delivery.person_id.in_(ids),
            Delivery.template.in_(_QUESTIONS),
            QUEUED,
            Delivery.reason.is_not(None),
        )
        .order_by(Delivery.not_before.desc())
    )
    return {row.person_id: (row.reason, row.not_before) for row in rows}


async def _rules(tx: Tx, area_ids: Iterable[int]) -> dict[int, list[RuleInfo]]:
    """The check-in rules that speak for each of these areas."""
    return {
        area_id: [
            rule
            for rule in await rules_over(tx, await get_area(tx, area_id))
            if isinstance(rule.terms, CheckinTerms)
        ]
        for area_id in area_ids
    }


def _next_at(rules: Collection[RuleInfo], row: Any, now: datetime) -> datetime | None:
    """When the rules next come round to someone; None where none does, or nobody knows the zone."""
    if not rules:
        return None
    try:
        zone = ZoneInfo(row.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return None
    found = [_turn(rule, zone, now, slower=row.slower, monthly=row.monthly) for rule in rules]
    return min((at for at in found if at is not None), default=None)


def _turn(
    rule: RuleInfo, zone: ZoneInfo, now: datetime, *, slower: bool, monthly: bool
) -> datetime | None:
    timing, after = rule.timing, now
    for _ in range(_MOST_TURNS):
        slot = next_slot(timing, zone, after)
        if slot is None or is_turn_of(timing, slot, slower=slower, monthly=monthly):
            return None if slot is None else slot.at
        after = slot.at
    return None

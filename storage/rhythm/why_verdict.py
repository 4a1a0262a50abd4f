"""A verdict on one rule and one day of a person's: what every kind of rule has in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from storage.calendar.recurrence import first_instant
from storage.database import Tx
from storage.models import Person
from storage.rhythm.planning import minute_asked
from storage.rhythm.why_facts import Expected, Reason, Verdict
from storage.rhythm.why_person import Life
from storage.rules.kept import RuleInfo


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a person's, and what was planned on it: by rule id the code."""

    life: Life
    day: date
    start: datetime
    end: datetime
    planned: Mapping[int, str]


def verdict(rule: RuleInfo, reason: Reason, **more: Any) -> Verdict:
    return Verdict(rule.id, rule.terms.kind, rule.terms.code, reason, **more)


def unexpected(rule: RuleInfo, expected: Expected, near: Mapping[str, Any]) -> Verdict:
    """Nothing, because the person was not to be asked then."""
    assert expected.reason is not None
    return verdict(rule, expected.reason, at=expected.since, until=expected.until, **near)


async def asked_at(tx: Tx, rule: RuleInfo, life: Life, day: date) -> tuple[datetime, str]:
    """When of a local day they are asked, by the planner's own arithmetic, and who set the hour."""
    minute = await tx.scalar(
        select(minute_asked(rule.terms)).select_from(Person).where(Person.id == life.row.id)
    )
    at = first_instant(life.zone, day, *divmod(int(minute or 0), 60))
    if life.row.ask_minute is not None:
        return at, "chosen"
    return at, "rule" if life.row.usual_minute is None else "usual"

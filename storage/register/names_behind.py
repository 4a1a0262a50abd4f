"""The names behind the figures that stand beside the rate: the excluded, and the check-ins.

Counted as :mod:`storage.register.expected` and :mod:`storage.register.feedback` count them, so
lists and figures agree. The caller has checked that the officer may see the area, and records the
look.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import String, bindparam, select

from storage.database import Tx
from storage.models import Checkin, Person
from storage.people.areas import AreaInfo
from storage.register.expected import SUBTREE, bounds_of, periods_cte, register_cte
from storage.register.feedback import DELIVERED, due_in
from storage.register.periods import Period

NAMED_REASONS: Final = frozenset({"home", "paused", "too new", "on hold"})
"""Reasons of exclusion whose people are named; who withdrew is a number and stays one."""


_CHECKINS: Final = (
    select(
        Person.id,
        Person.ref,
        Person.name,
        Checkin.delivered_at,
        Checkin.answered_at,
        Checkin.window_until,
    )
    .join(Checkin, Checkin.person_id == Person.id)
    .where(DELIVERED)
)


@dataclass(frozen=True, slots=True)
class NamedExcluded:
    """Someone on the register who is not expected. ``name`` is empty once erased."""

    person_id: int
    ref: str
    name: str


@dataclass(frozen=True, slots=True)
class NamedCheckin:
    """One delivered check-in of the period; ``in_time``: answered inside its window. Times UTC.

    ``name`` is empty once erased.
    """

    person_id: int
    ref: str
    name: str
    delivered_at: datetime
    answered_at: datetime | None
    in_time: bool


async def named_excluded(
    tx: Tx, area: AreaInfo, period: Period, now: datetime, reason: str
) -> list[NamedExcluded]:
    """Who is excluded for one of :data:`NAMED_REASONS`, by name."""
    if reason not in NAMED_REASONS:
        return []
    rows = await tx.execute(_excluded(), {"reason": reason, **bounds_of(area, [period], now)})
    listed = [NamedExcluded(row.id, row.ref, _name(tx, row)) for row in rows]
    return sorted(listed, key=lambda named: (named.name, named.person_id))


async def named_checkins(
    tx: Tx, area: AreaInfo, period: Period, now: datetime
) -> list[NamedCheckin]:
    """The delivered check-ins of the period's slots, unanswered ones first, then by name."""
    rows = await tx.execute(_CHECKINS, due_in(area, period, now))
    listed = [
        NamedCheckin(
            person_id=row.id,
            ref=row.ref,
            name=_name(tx, row),
            delivered_at=row.delivered_at,
            answered_at=row.answered_at,
            in_time=row.answered_at is not None and row.answered_at < row.window_until,
        )
        for row in rows
    ]
    return sorted(listed, key=lambda one: (one.in_time, one.name, one.person_id, one.delivered_at))


@cache
def _excluded() -> Any:
    register = register_cte(periods_cte(1), SUBTREE)
    return (
        select(Person.id, Person.ref, Person.name)
        .join(register, register.c.person_id == Person.id)
        .where(register.c.excluded == bindparam("reason", type_=String))
    )


def _name(tx: Tx, row: Any) -> str:
    return tx.vault.open("person.name", row.ref, row.name) if row.name else ""

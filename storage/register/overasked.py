"""Who is asked too much: a full budget week after week, or more waiting than a week holds.

Counted are the messages that weigh on the week's budget (:mod:`storage.outbox.burden`), what left
as one once. A **full week** is seven days with as many as the area's budget allows; three in a row,
the last of them ending now, are too much. So is more waiting for the budget than it holds.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, case, func, null, or_, select, union_all

from storage.database import Tx
from storage.models import Area, Delivery, PastDelivery, Person
from storage.outbox.burden import USED_UP, WEEK, counted, went_out
from storage.outbox.messages import QUEUED
from storage.people.areas import in_subtree
from storage.people.budgets import budget_of
from storage.vault import SealBroken

WEEKS: Final = 3


@dataclass(frozen=True, slots=True)
class OverAsked:
    """``got``: messages in each of the last three weeks, the newest first. ``waiting`` for the
    budget, of ``budget`` a week."""

    person_id: int
    ref: str
    name: str
    area_name: str
    budget: int
    got: tuple[int, ...]
    waiting: int

    @property
    def always_full(self) -> bool:
        return min(self.got) >= self.budget


async def list_overasked(
    tx: Tx, paths: Collection[str], now: datetime, limit: int, offset: int = 0
) -> tuple[int, list[OverAsked]]:
    """How many are asked too much in the subtrees of these paths, and a page of them.

    Those for whom most waits come first.
    """
    since = [now - WEEK * n for n in range(WEEKS + 1)]
    people = (
        select(Person.id, Area.name.label("area_name"), budget_of(Area.path).label("budget"))
        .join(Area, Area.id == Person.area_id)
        .where(
            or_(*(in_subtree(Area.path, path) for path in paths)),
            Person.consented,
            Person.erased_at.is_(None),
        )
        .cte("people")
    )
    columns: list[Any] = [people.c.id, people.c.area_name, people.c.budget]
    waits = and_(QUEUED, Delivery.reason == USED_UP)
    told = union_all(
        select(
            *columns,
            Delivery.finished_at,
            case((waits, Delivery.id), else_=null()).label("waiting"),
        )
        .join(Delivery, Delivery.person_id == people.c.id)
        .where(
            counted(Delivery),
            or_(waits, and_(went_out(Delivery), Delivery.finished_at > since[-1])),
        ),
        select(*columns, PastDelivery.finished_at, null())
        .join(PastDelivery, PastDelivery.person_id == people.c.id)
        .where(counted(PastDelivery), went_out(PastDelivery), PastDelivery.finished_at > since[-1]),
    ).subquery("told")
    at = told.c.finished_at
    # What left as one ended in one moment.
    weeks = [
        func.count(case((and_(at > since[n + 1], at <= since[n]), at), else_=null()).distinct())
        for n in range(WEEKS)
    ]
    waiting = func.count(told.c.waiting)
    found = (
        select(
            told.c.id,
            told.c.area_name,
            told.c.budget,
            *(week.label(f"week{n}") for n, week in enumerate(weeks)),
            waiting.label("waiting"),
            func.count().over().label("all"),
        )
        .group_by(told.c.id, told.c.area_name, told.c.budget)
        .having(or_(waiting > told.c.budget, and_(*(week >= told.c.budget for week in weeks))))
        .subquery("found")
    )
    rows = (
        await tx.execute(
            select(found, Person.ref, Person.name)
            .join(Person, Person.id == found.c.id)
            .order_by(found.c.waiting.desc(), found.c.week0.desc(), found.c.id)
            .limit(limit)
            .offset(offset)
        )
    ).all()
    return (rows[0].all if rows else 0), [_of(tx, row) for row in rows]


def _of(tx: Tx, row: Any) -> OverAsked:
    try:
        name = tx.vault.open("person.name", row.ref, row.name) if row.name else ""
    except SealBroken:
        name = ""
    got = tuple(getattr(row, f"week{n}") for n in range(WEEKS))
    return OverAsked(row.id, row.ref, name, row.area_name, row.budget, got, row.waiting)

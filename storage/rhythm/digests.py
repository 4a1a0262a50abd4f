"""Officers told of tasks, many in one message: a digest is a row of the outbox for each officer.

Whose a task is: the nearest liaisons' whom a message can reach, up the tree; where there is none,
the nearest supervisors', then the admins'. Nobody is asked to look for themselves. A task that was
raised is the supervisors' in the same way.

One digest at most waits for an officer: what is found meanwhile is in it when it is written, and it
leaves :data:`APART` after the last one at the earliest. A family's wish for a call does not
wait for that.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import (
    CTE,
    ColumnElement,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Account, Area, Delivery, Person, Role, Task
from storage.models.rhythm import TASK_NEWS
from storage.outbox.messages import REMINDER, URGENT, lane_of
from storage.outbox.past import DELIVERIES
from storage.people.areas import in_subtree
from storage.people.duties import LADDER
from storage.vault import SealBroken

Digest = Literal["tasks", "tasks_call", "tasks_raised"]
APART: Final[dict[Digest, timedelta]] = {
    "tasks": timedelta(hours=1),
    "tasks_call": timedelta(0),
    "tasks_raised": timedelta(hours=24),
}
OF_USE: Final = timedelta(days=2)
"""How long a digest may wait for its officer's morning, or for the channel."""
_LOST: Final = ("failed", "expired")

_NEWS: Final = text(TASK_NEWS)  # spelt as the index has it
_UNTOLD: Final = and_(Task.closed_at.is_(None), Task.told_at.is_(None))
_RAISED: Final = and_(Task.closed_at.is_(None), Task.told_at < Task.raised_at)


@dataclass(frozen=True, slots=True)
class Lying:
    """What lies with one officer: ``open`` tasks, the ``oldest`` since when (UTC), ``raised`` of
    them, and for how many of them the family asks for a call. ``areas``: how many where, the most
    first.
    """

    open: int
    oldest: datetime
    raised: int
    calls: int
    areas: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Lies:
    """The open tasks of one liaison; ``name`` is None when nobody can be told of them."""

    name: str | None
    open: int
    oldest: datetime
    raised: int


async def has_news(tx: Tx) -> bool:
    """Whether any officer is to be told of a task; one index probe."""
    return bool(await tx.scalar(select(exists(select(Task.id).where(_NEWS)))))


def _assigned(role: Literal["liaison", "supervisor"], *which: ColumnElement[bool]) -> CTE:
    """Whose these tasks are: ``task_id`` and the officer's ``person_id``."""
    above = (
        select(Task.area_id.label("home"), Task.area_id.label("area_id"), literal(0).label("up"))
        .where(*which)
        .distinct()
        .cte("above", recursive=True)
    )
    above = above.union_all(
        select(above.c.home, Area.parent_id, above.c.up + 1)
        .join(Area, Area.id == above.c.area_id)
        .where(Area.parent_id.is_not(None))
    )
    ladder = LADDER[LADDER.index(role) :]
    rank = case({it: place for place, it in enumerate(ladder)}, value=Role.role)
    ranked = (
        select(
            Task.id.label("task_id"),
            Role.person_id,
            func.dense_rank()
            .over(partition_by=Task.id, order_by=(rank, above.c.up))
            .label("place"),
        )
        .join(above, above.c.home == Task.area_id)
        .join(Role, Role.area_id == above.c.area_id)
        .where(
            *which,
            Role.until.is_(None),
            Role.role.in_(ladder),
            Role.person_id != Task.person_id,
            exists(
                select(literal(1)).where(
                    Account.person_id == Role.person_id, Account.state == "reachable"
                )
            ),
        )
        .cte("ranked")
    )
    return (
        select(ranked.c.task_id, ranked.c.person_id)
        .where(ranked.c.place == 1)
        .distinct()
        .cte("assigned")
    )


async def plan_digests(tx: Tx, now: datetime) -> int:
    """Write the digests that are due, in a few statements; how many.

    Twice, or in two processes at once, nothing is written twice: an officer's next digest has the
    number of the one before it in its key, and who comes second finds it taken.
    """
    calls = and_(_UNTOLD, Task.why == "call")
    written = await _write(tx, "tasks_call", _assigned("liaison", calls), now)
    written += await _write(tx, "tasks", _assigned("liaison", _UNTOLD, Task.why != "call"), now)
    written += await _write(tx, "tasks_raised", _assigned("supervisor", _RAISED), now)
    for which, assigned in (
        (_UNTOLD, _assigned("liaison", _UNTOLD)),
        (_RAISED, _assigned("supervisor", _RAISED)),
    ):
        # Nobody is there to be told: it stays news until somebody is.
        told = Task.id.in_(select(assigned.c.task_id))
        await tx.execute(
            update(Task)
            .where(which, told)
            .values(told_at=now)
            .execution_options(synchronize_session=False)
        )
    return written


async def _write(tx: Tx, template: Digest, assigned: CTE, now: datetime) -> int:
    """A digest for each officer of ``assigned`` for whom none waits."""
    found = await tx.execute(select(assigned.c.person_id).distinct())
    officers = set(found.scalars())
    if not officers:
        return 0
    last_id: dict[int, int] = {}
    last_at: dict[int, datetime] = {}
    for table in DELIVERIES:
        before = await tx.execute(
            select(
                table.person_id,
                func.max(table.id).label("id"),
                func.max(table.finished_at).label("at"),
                func.max(case((table.state == "queued", 1), else_=0)).label("waits"),
                func.max(case((table.state == "sending", 1), else_=0)).label("leaves"),
            )
            .where(table.person_id.in_(officers), table.template == template)
            .group_by(table.person_id)
        )
        for row in before:
            last_id[row.person_id] = max(row.id, last_id.get(row.person_id, 0))
            if row.at is not None:
                last_at[row.person_id] = max(row.at, last_at.get(row.person_id, row.at))
            if row.waits:
                officers.discard(row.person_id)
            if row.leaves:
                # It was written before this was found, which the next one has to tell.
                last_at[row.person_id] = now
    rows = []
    for person_id in sorted(officers):
        not_before = max(now, last_at.get(person_id, now - APART[template]) + APART[template])
        rows.append(
            {
                "to": person_id,
                "person_id": person_id,
                "template": template,
                "priority": URGENT if template == "tasks_call" else REMINDER,
                "dedupe_key": f"{template}:{person_id}:{last_id.get(person_id, 0)}",
                "not_before": not_before,
                "expires_at": not_before + OF_USE,
                "created_at": now,
            }
        )
    if rows:
        to = bindparam("to", type_=Delivery.person_id.type)
        await tx.execute(
            tx.insert(Delivery)
            .values(lane=lane_of(to))
            .on_conflict_do_nothing(index_elements=[Delivery.dedupe_key]),
            rows,
        )
    return len(rows)


async def forget_lost(tx: Tx) -> None:
    """What was in a digest that did not arrive is news again."""
    held, home = aliased(Area), aliased(Area)
    lost = (
        select(Delivery.template, Delivery.created_at, Delivery.finished_at, held.path)
        .join(Role, Role.person_id == Delivery.person_id)
        .join(held, held.id == Role.area_id)
        .where(Role.until.is_(None), Delivery.template.in_(tuple(APART)), Delivery.state.in_(_LOST))
        .cte("lost")
    )
    if not await tx.scalar(select(exists(select(lost.c.template)))):
        return  # nearly always, and cheaper than to ask it of each task
    again = exists(
        select(literal(1))
        .select_from(lost)
        .join(home, home.id == Task.area_id)
        .where(
            Task.told_at >= lost.c.created_at,
            Task.told_at <= lost.c.finished_at,
            func.substr(home.path, 1, func.length(lost.c.path)) == lost.c.path,
            # Null when it was not raised: then it was the liaisons' digest.
            (lost.c.template == "tasks_raised")
            == func.coalesce(Task.told_at >= Task.raised_at, false()),
        )
    )
    await tx.execute(
        update(Task)
        .where(Task.closed_at.is_(None), Task.told_at.is_not(None), again)
        .values(told_at=case((Task.told_at >= Task.raised_at, Task.opened_at)))
        .execution_options(synchronize_session=False)
    )


async def tasks_with(
    tx: Tx, officers: Collection[int], *, raised: bool = False
) -> dict[int, Lying]:
    """What lies with these officers now, by officer; those with nothing are left out.

    ``raised``: of what was raised, as supervisors; else of everything open, as liaisons.
    """
    if not officers:
        return {}
    held = aliased(Area)
    theirs = Task.area_id.in_(
        select(Area.id)
        .join(held, func.substr(Area.path, 1, func.length(held.path)) == held.path)
        .join(Role, Role.area_id == held.id)
        .where(Role.person_id.in_(officers), Role.until.is_(None))
    )
    still = Task.closed_at.is_(None)
    if raised:
        assigned = _assigned("supervisor", still, Task.raised_at.is_not(None), theirs)
    else:
        assigned = _assigned("liaison", still, theirs)
    rows = await tx.execute(
        select(
            assigned.c.person_id,
            Area.name,
            func.count().label("n"),
            func.min(Task.opened_at).label("oldest"),
            func.sum(case((Task.raised_at.is_not(None), 1), else_=0)).label("raised"),
            func.sum(case((Task.why == "call", 1), else_=0)).label("calls"),
        )
        .join(Task, Task.id == assigned.c.task_id)
        .join(Area, Area.id == Task.area_id)
        .where(assigned.c.person_id.in_(officers))
        .group_by(assigned.c.person_id, Area.id, Area.name)
        .order_by(func.count().desc(), Area.id)
    )
    found: dict[int, Lying] = {}
    for row in rows:
        one = found.setdefault(row.person_id, Lying(0, row.oldest, 0, 0, ()))
        found[row.person_id] = Lying(
            open=one.open + row.n,
            oldest=min(one.oldest, row.oldest),
            raised=one.raised + int(row.raised),
            calls=one.calls + int(row.calls),
            areas=(*one.areas, (row.name, row.n)),
        )
    return found


async def tasks_by_liaison(tx: Tx, path: str) -> list[Lies]:
    """Whose the open tasks of a subtree are, longest lying first; also those that are nobody's.

    The caller has checked who asks.
    """
    below = Task.area_id.in_(select(Area.id).where(in_subtree(Area.path, path)))
    assigned = _assigned("liaison", Task.closed_at.is_(None), below)
    rows = await tx.execute(
        select(
            assigned.c.person_id,
            Person.ref,
            Person.name,
            func.count().label("n"),
            func.min(Task.opened_at).label("oldest"),
            func.sum(case((Task.raised_at.is_not(None), 1), else_=0)).label("raised"),
        )
        .select_from(Task)
        .outerjoin(assigned, assigned.c.task_id == Task.id)
        .outerjoin(Person, Person.id == assigned.c.person_id)
        .where(Task.closed_at.is_(None), below)
        .group_by(assigned.c.person_id, Person.ref, Person.name)
        .order_by(func.min(Task.opened_at))
    )
    return [
        Lies(None if row.person_id is None else _name(tx, row), row.n, row.oldest, int(row.raised))
        for row in rows
    ]


def _name(tx: Tx, row: Any) -> str:
    try:
        return "" if row.name is None else tx.vault.open("person.name", row.ref, row.name)
    except SealBroken:
        return ""

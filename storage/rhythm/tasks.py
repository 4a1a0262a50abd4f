"""What a liaison is asked to do about a silent worker: one task a person, until there is word."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, func, select, true, update

from storage.database import Tx
from storage.models import Area, Contact, Person, Task
from storage.people.areas import in_subtree
from storage.people.duties import covers
from storage.people.who import Who
from storage.register.contacts import is_uncorrected
from storage.rhythm.checkins import is_expected
from storage.vault import SealBroken

RAISED_AFTER: Final = timedelta(hours=72)
"""When the supervisor hears of a task that no rule has a time for."""


@dataclass(frozen=True, slots=True)
class TaskLine:
    """An open task as its officers see it. Times are UTC.

    ``why``: ``unanswered``, ``unreachable``, or what the relative said, ``no`` or ``call``.
    """

    id: int
    person_id: int
    ref: str
    name: str
    area_name: str
    why: str
    opened_at: datetime
    raised_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewTask:
    """Whom to have a word with, and why; at ``raise_at`` the supervisor hears of it, or never."""

    person_id: int
    area_id: int
    checkin_id: int | None
    why: str
    raise_at: datetime | None


async def add_tasks(tx: Tx, tasks: Sequence[NewTask], now: datetime) -> None:
    """Ask liaisons for a word with each; a task that is open already stays as it is.

    Only a family's wish for a call is stronger than what it was opened for, and is told anew.
    """
    if not tasks:
        return
    rows = [asdict(task) | {"opened_at": now} for task in tasks]
    await tx.execute(tx.insert(Task).on_conflict_do_nothing(), rows)
    calls = [task.person_id for task in tasks if task.why == "call"]
    if calls:
        await tx.execute(
            update(Task)
            .where(Task.person_id.in_(calls), Task.closed_at.is_(None), Task.why != "call")
            .values(why="call", told_at=None)
        )


async def close_tasks(tx: Tx, now: datetime, person_id: int | None = None) -> int:
    """Close the tasks of those there is word of, or who are not asked any more; how many.

    Of everyone, or of one person of whom there has just been word.
    """
    since = and_(
        Contact.person_id == Task.person_id, Contact.at >= Task.opened_at, is_uncorrected()
    )
    closed = 0
    for how, which in (
        ("heard", exists().where(since, Contact.evidence == "self")),
        ("vouched", exists().where(since, Contact.evidence == "relative", Contact.success)),
        ("reached", exists().where(since, Contact.evidence == "liaison", Contact.success)),
        ("left", ~exists().where(Person.id == Task.person_id, is_expected())),
    ):
        done = await tx.execute(
            update(Task)
            .where(
                Task.closed_at.is_(None),
                which,
                true() if person_id is None else Task.person_id == person_id,
            )
            .values(closed_at=now, closed_as=how)
            .execution_options(synchronize_session=False)
        )
        closed += done.rowcount
    return closed


async def reopen_task(tx: Tx, person_id: int, reached_at: datetime) -> None:
    """A call that closed a task is taken back: the task is open again, unless there is another."""
    newer = select(func.max(Task.id)).where(Task.person_id == person_id).scalar_subquery()
    await tx.execute(
        update(Task)
        .where(
            Task.id == newer,
            Task.person_id == person_id,
            Task.closed_as == "reached",
            Task.closed_at >= reached_at,
        )
        .values(closed_at=None, closed_as=None)
    )


async def raise_tasks(tx: Tx, now: datetime) -> int:
    """Mark the tasks that have lain for as long as their rule, or the usual time, says."""
    raised = await tx.execute(
        update(Task)
        .where(Task.closed_at.is_(None), Task.raise_at <= now, Task.raised_at.is_(None))
        .values(raised_at=now)
    )
    return raised.rowcount


def _of(by: Who) -> tuple[ColumnElement[bool], ...]:
    """The open tasks that are ``by``'s to see: nobody is asked to look for themselves."""
    return (
        Task.closed_at.is_(None),
        Task.person_id != by.person_id,
        covers(by.person_id, Area.path),
    )


async def count_tasks(tx: Tx, by: Who) -> int:
    """How many tasks are open in the areas ``by`` looks after."""
    count: int = await tx.scalar(
        select(func.count()).select_from(Task).join(Area, Area.id == Task.area_id).where(*_of(by))
    )
    return count


async def open_tasks(tx: Tx, by: Who, limit: int, offset: int = 0) -> list[TaskLine]:
    """A page of them: a family's wish for a call first, then those raised, then the oldest."""
    return await _lines(tx, *_of(by), limit=limit, offset=offset)


async def tasks_of_area(tx: Tx, path: str, limit: int) -> list[TaskLine]:
    """The open tasks of a subtree, in the same order. The caller has checked who asks."""
    return await _lines(tx, Task.closed_at.is_(None), in_subtree(Area.path, path), limit=limit)


async def _lines(
    tx: Tx, *which: ColumnElement[bool], limit: int, offset: int = 0
) -> list[TaskLine]:
    rows = await tx.execute(
        select(
            Task.id,
            Task.person_id,
            Task.why,
            Task.opened_at,
            Task.raised_at,
            Person.ref,
            Person.name,
            Area.name.label("area_name"),
        )
        .join(Area, Area.id == Task.area_id)
        .join(Person, Person.id == Task.person_id)
        .where(*which)
        .order_by(Task.why != "call", Task.raised_at.is_(None), Task.opened_at, Task.id)
        .limit(limit)
        .offset(offset)
    )
    return [
        TaskLine(
            id=row.id,
            person_id=row.person_id,
            ref=row.ref,
            name=_name(tx, row),
            area_name=row.area_name,
            why=row.why,
            opened_at=row.opened_at,
            raised_at=row.raised_at,
        )
        for row in rows
    ]


def _name(tx: Tx, row: Any) -> str:
    """One broken seal must not keep a whole page from being shown."""
    try:
        return "" if row.name is None else tx.vault.open("person.name", row.ref, row.name)
    except SealBroken:
        return ""

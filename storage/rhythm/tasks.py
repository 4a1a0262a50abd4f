"""What a liaison is asked to do about a silent worker: one task a person, until there is word."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, exists, select, update

from storage.database import Tx
from storage.models import Area, Contact, Person, Task
from storage.people.areas import in_subtree
from storage.rhythm.checkins import is_expected

RAISED_AFTER: Final = timedelta(hours=72)
"""When the supervisor hears of a task that no rule has a time for."""


async def open_task(
    tx: Tx,
    *,
    person_id: int,
    area_id: int,
    checkin_id: int | None,
    why: str,
    raise_at: datetime | None,
    now: datetime,
) -> None:
    """Ask the liaison for a word with someone; a task that is open already stays as it is."""
    await tx.execute(
        tx.insert(Task)
        .values(
            person_id=person_id,
            area_id=area_id,
            checkin_id=checkin_id,
            why=why,
            opened_at=now,
            raise_at=raise_at,
        )
        .on_conflict_do_nothing()
    )


async def close_tasks(tx: Tx, now: datetime) -> int:
    """Close the tasks of those there is word of, or who are not asked any more; how many."""
    since = and_(Contact.person_id == Task.person_id, Contact.at >= Task.opened_at)
    closed = 0
    for how, which in (
        ("heard", exists().where(since, Contact.evidence == "self")),
        ("vouched", exists().where(since, Contact.evidence == "relative", Contact.success)),
        ("reached", exists().where(since, Contact.evidence == "liaison", Contact.success)),
        ("left", ~exists().where(Person.id == Task.person_id, is_expected())),
    ):
        done = await tx.execute(
            update(Task)
            .where(Task.closed_at.is_(None), which)
            .values(closed_at=now, closed_as=how)
            .execution_options(synchronize_session=False)
        )
        closed += done.rowcount
    return closed


async def open_tasks(tx: Tx, path: str, limit: int) -> list[Any]:
    """Open tasks of a subtree, those raised first, then the oldest."""
    rows = await tx.execute(
        select(Task.id, Task.person_id, Task.why, Task.opened_at, Task.raised_at)
        .join(Area, Area.id == Task.area_id)
        .where(Task.closed_at.is_(None), in_subtree(Area.path, path))
        .order_by(Task.raised_at.is_(None), Task.opened_at, Task.id)
        .limit(limit)
    )
    return list(rows)

"""Every look an officer takes at names is written down, and the worker can see it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, literal, or_, select

from storage.database import Tx
from storage.models import Area, Look, Person

# A page that stays open and refreshes itself is one look, not one a second.
ONE_LOOK = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class LookSeen:
    """One line of "who looked": when (UTC), the officer, and what: ``person``, ``register`` …"""

    at: datetime
    by_name: str
    what: str


async def record_look(
    tx: Tx,
    by: int,
    now: datetime,
    *,
    what: str,
    person_id: int | None = None,
    area_id: int | None = None,
) -> None:
    """Write down that officer ``by`` saw a person, or the names of an area's subtree.

    ``what`` (at most 20 characters) names the page or list: ``register``, ``person``, ``silent``,
    ``case``. The same look within ten minutes is one row.
    """
    again = _same_look(by, now, what, person_id, area_id)
    await tx.execute(
        tx.insert(Look).from_select(
            ["by_person_id", "person_id", "area_id", "what", "at"],
            select(
                literal(by, Look.by_person_id.type),
                literal(person_id, Look.person_id.type),
                literal(area_id, Look.area_id.type),
                literal(what, Look.what.type),
                literal(now, Look.at.type),
            ).where(~select(Look.id).where(again).exists()),
        )
    )


async def looked_lately(
    tx: Tx,
    by: int,
    now: datetime,
    *,
    what: str,
    person_id: int | None = None,
    area_id: int | None = None,
) -> bool:
    """Whether :func:`record_look` would add nothing, so that no write is needed."""
    again = _same_look(by, now, what, person_id, area_id)
    return await tx.scalar(select(Look.id).where(again).limit(1)) is not None


def _same_look(
    by: int, now: datetime, what: str, person_id: int | None, area_id: int | None
) -> ColumnElement[bool]:
    return and_(
        Look.by_person_id == by,
        Look.what == what,
        Look.person_id.is_(None) if person_id is None else Look.person_id == person_id,
        Look.area_id.is_(None) if area_id is None else Look.area_id == area_id,
        Look.at > now - ONE_LOOK,
    )


async def looks_at(tx: Tx, person_id: int, *, limit: int = 20) -> list[LookSeen]:
    """Who looked at this worker, newest first: at the person, or at a list the name stood in.

    A list of an area shows the names of its subtree as it is now.
    """
    own = (
        select(Area.path)
        .join(Person, Person.area_id == Area.id)
        .where(Person.id == person_id)
        .scalar_subquery()
    )
    since = select(Person.created_at).where(Person.id == person_id).scalar_subquery()
    officer = select(Person.id, Person.ref, Person.name).subquery("officer")
    rows = await tx.execute(
        select(Look.at, Look.what, officer.c.ref, officer.c.name)
        .join(officer, officer.c.id == Look.by_person_id)
        .outerjoin(Area, Area.id == Look.area_id)
        .where(
            or_(
                Look.person_id == person_id,
                and_(
                    Look.person_id.is_(None),
                    own.is_not(None),
                    func.substr(own, 1, func.length(Area.path)) == Area.path,
                ),
            ),
            Look.by_person_id != person_id,
            Look.at >= since,
        )
        .order_by(Look.at.desc(), Look.id.desc())
        .limit(limit)
    )
    return [
        LookSeen(
            row.at,
            tx.vault.open("person.name", row.ref, row.name) if row.name else "",
            row.what,
        )
        for row in rows
    ]

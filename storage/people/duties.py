"""Whose duty covers what: an officer's role reaches the whole subtree of its area."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from storage.database import Tx
from storage.models import Account, Area, Person, Role
from storage.people.areas import AreaInfo
from storage.people.who import Duty

LADDER = ("liaison", "supervisor", "admin")
"""Who stands in when there is no one of the role asked for: the next to the right."""


@dataclass(frozen=True, slots=True)
class Officer:
    """Someone who can be told: ``depth`` is how many areas up their duty lies (0: here)."""

    person_id: int
    role: str
    depth: int
    name: str


def covers(by: int, path: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """True where a standing duty of the person ``by`` covers the area whose path this is.

    Asked of the roles as they are now, not of what was loaded with the update.
    """
    held = aliased(Area)
    return exists(
        select(literal(1))
        .select_from(Role)
        .join(held, held.id == Role.area_id)
        .where(
            Role.person_id == by,
            Role.until.is_(None),
            func.substr(path, 1, func.length(held.path)) == held.path,
        )
    )


def duty_roots(duties: Sequence[Duty]) -> list[Duty]:
    """The duties that no other duty contains, so that nobody is counted twice. In tree order."""
    roots: list[Duty] = []
    for duty in sorted(duties, key=lambda duty: [int(step) for step in _steps(duty.area_path)]):
        if not any(duty.area_path.startswith(root.area_path) for root in roots):
            roots.append(duty)
    return roots


def _steps(path: str) -> list[str]:
    return [step for step in path.split("/") if step]


async def officers_near(
    tx: Tx, area_id: int, roles: Sequence[str], *, apart_from: int | None = None
) -> list[Officer]:
    """The officers to tell about something in the area, each once, nearest first.

    For each of ``roles`` those of the nearest area that has one; when no area up to the root
    has one, the next role of :data:`LADDER` stands in. Only officers a message can reach count;
    ``apart_from`` is never among them (nobody answers their own call).
    """
    up = (
        select(Area.id, Area.parent_id, literal(0).label("depth"))
        .where(Area.id == area_id)
        .cte("up", recursive=True)
    )
    up = up.union_all(
        select(Area.id, Area.parent_id, up.c.depth + 1).join(up, Area.id == up.c.parent_id)
    )
    found = await tx.execute(
        select(Role.role, Role.person_id, up.c.depth, Person.ref, Person.name)
        .join(up, up.c.id == Role.area_id)
        .join(Person, Person.id == Role.person_id)
        .where(
            Role.until.is_(None),
            Person.erased_at.is_(None),
            exists(
                select(literal(1)).where(
                    Account.person_id == Person.id, Account.state == "reachable"
                )
            ),
        )
        .order_by(up.c.depth, Role.id)
    )
    by_role: dict[str, list[Officer]] = {}
    for row in found:
        if row.person_id == apart_from:
            continue
        known = by_role.setdefault(row.role, [])
        if not known or known[0].depth == row.depth:
            name = "" if row.name is None else tx.vault.open("person.name", row.ref, row.name)
            known.append(Officer(row.person_id, row.role, row.depth, name))
    told: dict[int, Officer] = {}
    for wanted in roles:
        for stand_in in LADDER[LADDER.index(wanted) :]:
            if nearest := by_role.get(stand_in):
                for officer in nearest:
                    told.setdefault(officer.person_id, officer)
                break
    return list(told.values())


_AREA = select(
    Area.id, Area.code, Area.name, Area.path, Area.timezone, Area.language, Area.parent_id
)


async def areas_to_choose(
    tx: Tx, officer_id: int, *, limit: int, offset: int = 0
) -> list[AreaInfo]:
    """The areas an officer looks after, a page at a time: the largest first, then by name."""
    depth = func.length(Area.path) - func.length(func.replace(Area.path, "/", ""))
    found = await tx.execute(
        _AREA.where(covers(officer_id, Area.path))
        .order_by(depth, Area.name, Area.id)
        .limit(limit)
        .offset(offset)
    )
    return [_info(row) for row in found]


async def access_area_by_id(tx: Tx, officer_id: int, area_id: int) -> AreaInfo | None:
    """The area, if the officer's duties cover it."""
    row = (
        await tx.execute(_AREA.where(Area.id == area_id, covers(officer_id, Area.path)))
    ).one_or_none()
    return None if row is None else _info(row)


def _info(row: Sequence[Any]) -> AreaInfo:
    return AreaInfo(*row)

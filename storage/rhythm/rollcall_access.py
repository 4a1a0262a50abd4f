"""Roll calls as officers find them: which ones, and how much of each is theirs to see."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, literal, or_, select
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Area, Checkin, Person, Role, Rollcall
from storage.people.areas import AreaInfo, in_subtree
from storage.people.destinations import Destination
from storage.rhythm.rollcall_figures import Figures, count_rollcall
from storage.vault import SealBroken


@dataclass(frozen=True, slots=True)
class RollcallInfo:
    """A roll call, and what an officer sees of it.

    ``roots``: the paths below which it is theirs; ``None``: all of it. ``by_name`` is None when no
    person began it, empty for someone who has left. An empty ``text`` stands for the usual words.
    ``kept``: the whole's figures as they stood when it ended.
    """

    id: int
    area_id: int
    area_code: str
    area_name: str
    timezone: str
    text: str
    where: Destination
    urgent: bool
    at: datetime
    closes_at: datetime
    next_at: datetime | None
    asked: int
    most: int
    ended_at: datetime | None
    by_name: str | None
    kept: Figures | None
    roots: tuple[str, ...] | None

    @property
    def is_open(self) -> bool:
        return self.ended_at is None


def over_since() -> ColumnElement[datetime | None]:
    """When a :class:`Rollcall` ended; NULL while it runs."""
    # Of one from before roll calls ended by themselves, when it would have.
    return func.coalesce(Rollcall.ended_at, case((Rollcall.next_at.is_(None), Rollcall.closes_at)))


def _infos() -> Select[Any]:
    author = aliased(Person, name="author")
    columns: list[Any] = [
        Rollcall.id,
        Rollcall.area_id,
        Area.code,
        Area.name,
        Area.path,
        Area.timezone,
        Rollcall.text,
        Rollcall.country,
        Rollcall.province,
        Rollcall.city,
        Rollcall.urgent,
        Rollcall.at,
        Rollcall.closes_at,
        Rollcall.next_at,
        Rollcall.asked,
        Rollcall.most,
        over_since().label("ended_at"),
        Rollcall.figures,
        author.ref.label("author_ref"),
        author.name.label("author_name"),
    ]
    return (
        select(*columns)
        .join(Area, Area.id == Rollcall.area_id)
        .outerjoin(author, author.id == Rollcall.by_person_id)
    )


async def find_rollcall(tx: Tx, rollcall_id: int) -> RollcallInfo | None:
    """The roll call, for the operator, who may see all."""
    row = (await tx.execute(_infos().where(Rollcall.id == rollcall_id))).one_or_none()
    return None if row is None else _info(tx, row, None)


async def access_rollcall(tx: Tx, officer_id: int, rollcall_id: int) -> RollcallInfo | None:
    """The roll call, if it went to an area under the officer's duties, or took one of them in."""
    row = (await tx.execute(_infos().where(Rollcall.id == rollcall_id))).one_or_none()
    if row is None:
        return None
    duties = await _duties(tx, officer_id)
    if any(row.path.startswith(duty) for duty in duties):
        return _info(tx, row, None)
    below = tuple(duty for duty in duties if duty.startswith(row.path))
    return _info(tx, row, below) if below else None


async def _duties(tx: Tx, officer_id: int) -> list[str]:
    found = await tx.execute(
        select(Area.path)
        .join(Role, Role.area_id == Area.id)
        .where(Role.person_id == officer_id, Role.until.is_(None))
        .order_by(Area.path)
    )
    return [row.path for row in found]


async def list_rollcalls(
    tx: Tx,
    officer_id: int,
    area: AreaInfo | None = None,
    *,
    only_open: bool = False,
    limit: int,
    offset: int = 0,
) -> list[RollcallInfo]:
    """What was asked in the officer's areas, or that took them in; of ``area`` only, if given.

    The newest first.
    """
    duties = await _duties(tx, officer_id)
    within = duties if area is None else [area.path]
    asked = _infos().where(_touches(within))
    if only_open:
        asked = asked.where(Rollcall.ended_at.is_(None), Rollcall.next_at.is_not(None))
    asked = asked.order_by(Rollcall.at.desc(), Rollcall.id.desc()).limit(limit).offset(offset)
    found = []
    for row in (await tx.execute(asked)).all():
        whole = any(row.path.startswith(duty) for duty in duties)
        below = tuple(duty for duty in duties if duty.startswith(row.path))
        if whole or below:
            found.append(_info(tx, row, None if whole else below))
    return found


async def every_rollcall(tx: Tx, area: AreaInfo | None, *, limit: int) -> list[RollcallInfo]:
    """For the operator: of the area's subtree, or all there are; the newest first."""
    asked = _infos().order_by(Rollcall.at.desc(), Rollcall.id.desc()).limit(limit)
    if area is not None:
        asked = asked.where(in_subtree(Area.path, area.path))
    return [_info(tx, row, None) for row in (await tx.execute(asked)).all()]


def _touches(paths: Collection[str]) -> Any:
    return or_(
        literal(False),
        *(in_subtree(Area.path, path) for path in paths),
        *(func.substr(literal(path), 1, func.length(Area.path)) == Area.path for path in paths),
    )


async def figures_of(tx: Tx, call: RollcallInfo) -> Figures:
    """How it stands now, in as much of it as the officer sees; who answers late counts too."""
    return await count_rollcall(tx, call.id, call.roots)


async def count_asked_already(tx: Tx, area: AreaInfo, where: Destination) -> int:
    """How many of those a roll call would ask have another one before them without an answer."""
    return int(
        await tx.scalar(
            select(func.count(Checkin.person_id.distinct()))
            .select_from(Checkin)
            .join(Rollcall, Rollcall.id == Checkin.rollcall_id)
            .join(Person, Person.id == Checkin.person_id)
            .join(Area, Area.id == Person.area_id)
            .where(
                Rollcall.ended_at.is_(None),
                Rollcall.next_at.is_not(None),
                Checkin.answered_at.is_(None),
                in_subtree(Area.path, area.path),
                where.holds(),
            )
        )
    )


def _info(tx: Tx, row: Row[Any], roots: tuple[str, ...] | None) -> RollcallInfo:
    name = None
    if row.author_ref is not None:
        name = ""
        if row.author_name is not None:
            try:
                name = tx.vault.open("person.name", row.author_ref, row.author_name)
            except SealBroken:
                name = ""
    return RollcallInfo(
        id=row.id,
        area_id=row.area_id,
        area_code=row.code,
        area_name=row.name,
        timezone=row.timezone,
        text=row.text,
        where=Destination(row.country, row.province, row.city),
        urgent=row.urgent,
        at=row.at,
        closes_at=row.closes_at,
        next_at=row.next_at,
        asked=row.asked,
        most=row.most,
        ended_at=row.ended_at,
        by_name=name,
        kept=None if row.figures is None else Figures(**row.figures),
        roots=roots,
    )

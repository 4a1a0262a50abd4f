"""Workers × weeks: one standing a cell, from the same statement as the register."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import Integer, Select, bindparam, or_, select

from storage.database import Tx
from storage.models import Area, Enrolment, Person, UtcDateTime
from storage.people.areas import AreaInfo
from storage.register.expected import SUBTREE, bounds_of, is_newest
from storage.register.periods import Period, weeks_back
from storage.register.standing import STANDINGS, Silence, Standing, standings_asked


@dataclass(frozen=True, slots=True)
class Cell:
    """``standing`` is None in a week the worker was not expected in this area; ``excluded`` is
    then the reason, or None when they were not on its register.
    """

    standing: Standing | None
    silence: Silence | None
    excluded: str | None = None


@dataclass(frozen=True, slots=True)
class GridRow:
    """One worker; ``cells`` run with the grid's periods, oldest first."""

    person_id: int
    ref: str
    name: str
    area_name: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Grid:
    """``periods`` are ISO weeks in the area's zone, oldest first; the last one runs."""

    periods: list[Period]
    rows: list[GridRow]


_NOTHING: Final = Cell(None, None)


async def standing_grid(
    tx: Tx,
    area: AreaInfo,
    now: datetime,
    weeks: int = 12,
    *,
    limit: int | None = None,
    offset: int = 0,
) -> Grid:
    """The workers on the register of the area's subtree now, in the last ``weeks`` weeks.

    Who has left, or moved out of the subtree, has no row; their weeks are in the counts of
    :func:`storage.register.figures.weekly_counts`. Rows run by area; within an area of one page,
    who needs care this week comes first, then by name. ``limit`` and ``offset`` cut by area and
    person, so a page costs what its rows cost. The caller has checked that the officer may see the
    area, and records the look.
    """
    periods = weeks_back(now, area.timezone, weeks)
    asked = bounds_of(area, periods, now)
    paged = limit is not None
    page = {"page_size": limit, "page_from": offset} if paged else {}
    by_area: dict[int, list[GridRow]] = {}
    cells_of: dict[int, list[Cell]] = {}
    for row in await tx.execute(_people(weeks, paged=paged), asked | page):
        cells_of[row.id] = [_NOTHING] * weeks
        by_area.setdefault(row.area_id, []).append(
            GridRow(
                person_id=row.id,
                ref=row.ref,
                name=tx.vault.open("person.name", row.ref, row.name) if row.name else "",
                area_name=row.area_name,
                cells=cells_of[row.id],
            )
        )
    these = {"these": list(cells_of)} if paged else {}
    for cell in await tx.execute(_cells(weeks, paged=paged), asked | these):
        if cell.person_id not in cells_of:
            continue  # on the register in some of the weeks, and no longer
        cells_of[cell.person_id][cell.n] = Cell(cell.standing, cell.silence, cell.excluded)
    return Grid(periods, [row for rows in by_area.values() for row in sorted(rows, key=_need)])


@cache
def _people(weeks: int, *, paged: bool) -> Select[int, str, bytes | None, int, str]:
    now = bindparam(f"p{weeks - 1}_stop", type_=UtcDateTime())
    people = (
        select(Person.id, Person.ref, Person.name, Enrolment.area_id, Area.name.label("area_name"))
        .join(Enrolment, Enrolment.person_id == Person.id)
        .join(Area, Area.id == Enrolment.area_id)
        .where(
            SUBTREE,
            Enrolment.since < now,
            or_(Enrolment.until.is_(None), Enrolment.until >= now),
            is_newest(now),
        )
        .order_by(Area.path, Person.id)
    )
    if paged:
        page_size = bindparam("page_size", type_=Integer)
        page_from = bindparam("page_from", type_=Integer)
        return people.limit(page_size).offset(page_from)
    return people


@cache
def _cells(weeks: int, *, paged: bool) -> Select[int, int, Standing, Silence, str]:
    # A page's people are few and known by now; everyone's are not worth sending back.
    narrowed = [Enrolment.person_id.in_(bindparam("these", expanding=True))] if paged else []
    found = standings_asked(weeks, *narrowed).c
    return select(found.n, found.person_id, found.standing, found.silence, found.excluded)


def _need(row: GridRow) -> tuple[int, str, int]:
    standing = row.cells[-1].standing
    care = len(STANDINGS) if standing is None else -STANDINGS.index(standing)
    return care, row.name, row.person_id

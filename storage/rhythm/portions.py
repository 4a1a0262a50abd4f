"""Whom a slot asks, in portions: people of one time zone, area by area, in constant memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select, union_all

from storage.database import Tx
from storage.models import Area, Person
from storage.rules.kept import RuleInfo, governed

PORTION: Final = 10_000
"""People asked in one transaction: some tenths of a second, which is all that anyone else who
writes on SQLite has to wait. In fewer, the same pages of the indexes were written too often."""
_FIRST_LOOK, _LONGEST_LOOK = 8, 512
_MOST_AREAS: Final = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """How far a slot is planned: all areas before ``area``, and in it the people to ``person``."""

    area: int
    person: int = 0


START: Final = Place(0)


@dataclass(slots=True)
class Portion:
    """People of a zone, asked together; ``then`` is where the next begins, None behind the last.

    ``own`` are areas where some have the zone as their own, ``home`` those that lie in it, where
    some have none of their own. Of an area with too many for one portion, these are those behind
    person ``after`` and up to ``upto``. ``count`` also holds those whom nobody asks now.
    """

    own: list[int] = field(default_factory=list)
    home: list[int] = field(default_factory=list)
    count: int = 0
    after: int = 0
    upto: int | None = None
    then: Place | None = None

    def who(self, timezone: str) -> list[ColumnElement[bool]]:
        """Whether :class:`Person` is one of them; in parts that an index serves, and all apart."""
        between = [Person.id > self.after] if self.after else []
        between += [Person.id <= self.upto] if self.upto is not None else []
        parts = ((self.own, Person.timezone == timezone), (self.home, Person.timezone.is_(None)))
        return [and_(Person.area_id.in_(ids), zone, *between) for ids, zone in parts if ids]


async def find_portion(
    tx: Tx, rule: RuleInfo, timezone: str, place: Place, most: int = PORTION
) -> Portion:
    """The next people of the zone that a rule speaks to, from ``place`` on, at most so many.

    Counts in an index as far ahead as one portion needs, and no further: an area of a million is
    as good as a million of one.
    """
    found, look = Portion(after=place.person), _FIRST_LOOK
    start = place.area
    while True:
        areas = list(await tx.execute(_counted(rule, timezone, start, found.after, look, most)))
        for area in areas:
            many = area.own + area.home
            if found.count and (found.count + many > most or _areas_of(found) >= _MOST_AREAS):
                found.then = Place(area.id)
                return found
            found.count += many
            found.own += [area.id] if area.own else []
            found.home += [area.id] if area.home else []
            if many > most:
                found.count = most
                found.upto = await _person_number(tx, found.who(timezone), most)
                found.then = Place(area.id, found.upto)
                return found
            if found.after:
                # The rest of an area that was too large is a portion by itself.
                found.then = Place(area.id + 1)
                return found
        if len(areas) < look:
            return found
        start, look = areas[-1].id + 1, min(2 * look, _LONGEST_LOOK)


def _areas_of(portion: Portion) -> int:
    return max(len(portion.own), len(portion.home))


def _counted(
    rule: RuleInfo, timezone: str, start: int, after: int, look: int, most: int
) -> Select[tuple[int, int, int]]:
    """So many areas from ``start`` on, with how many live there, counted up to beyond ``most``."""
    page = (
        select(Area.id, Area.timezone)
        .where(governed(rule), Area.id >= start)
        .order_by(Area.id)
        .limit(look)
        .subquery()
    )

    def count(zone: ColumnElement[bool]) -> ColumnElement[int]:
        some = (
            select(literal(1).label("one"))
            .select_from(Person)
            .where(Person.area_id == page.c.id, zone, Person.id > after)
            .limit(most + 1)
            .correlate(page)
            .subquery()
        )
        return select(func.count()).select_from(some).correlate(page).scalar_subquery()

    return select(
        page.c.id,
        count(Person.timezone == timezone).label("own"),
        case((page.c.timezone == timezone, count(Person.timezone.is_(None))), else_=0).label(
            "home"
        ),
    ).order_by(page.c.id)


async def _person_number(tx: Tx, parts: Sequence[ColumnElement[bool]], number: int) -> int:
    """The id of so manieth of them, in the order of ids."""
    firsts = [
        select(Person.id).where(part).order_by(Person.id).limit(number).subquery() for part in parts
    ]
    together = union_all(*(select(first.c.id) for first in firsts)).subquery()
    ordered = select(together.c.id).order_by(together.c.id).limit(number).subquery()
    last: int = await tx.scalar(select(func.max(ordered.c.id)))
    return last

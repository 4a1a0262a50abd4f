"""Who was not heard from this week, in the order an officer should work them down.

Standings are those of :func:`storage.register.standing.standings`, so the list and the rate agree:
on the list is who is expected this week and was neither heard, vouched for nor reached.

**Order of need.** First those nobody has tried to reach this week, then those on the slower
rhythm (their silence was to be expected), then those a liaison tried already. Within each, the
longest silence first; it runs from the last time anyone had word of them, or from joining for
those never heard from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    case,
    exists,
    func,
    not_,
    select,
)
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Area, Contact, Person
from storage.people.areas import AreaInfo, get_area
from storage.people.duties import covers, duty_roots
from storage.people.who import Who
from storage.register.figures import Counts, live_figures
from storage.register.periods import Period, week_of
from storage.register.standing import STANDINGS, Silence, standings


@dataclass(frozen=True, slots=True)
class TodayFigures:
    """This week so far, pooled over the areas."""

    areas: tuple[AreaInfo, ...]
    counts: Counts

    @property
    def waiting(self) -> int:
        """How many stand on the silent list."""
        return self.counts.tried + self.counts.silent


@dataclass(frozen=True, slots=True)
class SilentPerson:
    """A line of the list. ``since`` is when the silence began, ``last_heard_at`` None: never.

    ``standing`` and ``silence`` are the register's; ``standing`` is None for someone who is not
    expected this week, with the reason in ``excluded``. ``place`` is what was typed where no
    country is known. ``last_attempt_id`` is the newest contact any liaison logged, 0 for none.
    """

    person_id: int
    name: str
    area_name: str
    country: str | None
    province: str | None
    city: str | None
    place: str | None
    standing: str | None
    silence: Silence | None
    excluded: str | None
    last_heard_at: datetime | None
    since: datetime
    tried_at: datetime | None
    last_attempt_id: int
    phone: str | None


async def officer_areas(tx: Tx, who: Who) -> list[AreaInfo]:
    """The areas at the top of the officer's duties; none lies within another."""
    return [await get_area(tx, duty.area_id) for duty in duty_roots(who.duties)]


async def today_figures(tx: Tx, who: Who, now: datetime) -> TodayFigures:
    """The running week's standings in all the officer's areas, each in its own time zone."""
    areas = await officer_areas(tx, who)
    found = [await live_figures(tx, area, now) for area in areas]
    pooled = {standing: sum(figures[standing] for figures in found) for standing in STANDINGS}
    return TodayFigures(tuple(areas), Counts(**pooled))


async def silent_list(
    tx: Tx, area: AreaInfo | Iterable[AreaInfo], now: datetime, limit: int, offset: int = 0
) -> list[SilentPerson]:
    """A page of the silent list of one area's subtree, or of several that do not overlap."""
    areas = [area] if isinstance(area, AreaInfo) else list(area)
    rows: list[Row[Any]] = []
    for one in areas:
        week = week_of(now, one.timezone)
        stand = standings(one, [week], now)
        page = (
            _lines(stand, week)
            .where(stand.c.excluded.is_(None), stand.c.strength <= 1)
            .order_by("need", "since", stand.c.person_id)
            .limit(limit + offset)
        )
        rows.extend((await tx.execute(page)).all())
    if len(areas) > 1:
        rows.sort(key=lambda row: (row.need, row.since, row.person_id))
    return [_person(tx, row, phone=False) for row in rows[offset : offset + limit]]


async def access_person(tx: Tx, by: Who, person_id: int, now: datetime) -> SilentPerson | None:
    """One worker with their phone, silent or not; None when ``by`` does not look after them."""
    area_id: int | None = await tx.scalar(
        select(Person.area_id)
        .join(Area, Area.id == Person.area_id)
        .where(
            Person.id == person_id,
            Person.erased_at.is_(None),
            covers(by.person_id, Area.path),
        )
    )
    if area_id is None:
        return None
    area = await get_area(tx, area_id)
    week = week_of(now, area.timezone)
    row = (
        await tx.execute(_lines(standings(area, [week], now, Person.id == person_id), week))
    ).one_or_none()
    return None if row is None else _person(tx, row, phone=True)


def _lines(stand: CTE, week: Period) -> Select[Any]:
    last_heard = _last(Contact.at, stand, Contact.success)
    need = case((stand.c.strength == 1, 2), (stand.c.silence == "quiet", 1), else_=0)
    return (
        select(
            stand.c.person_id,
            stand.c.standing,
            stand.c.silence,
            stand.c.excluded,
            Person.ref,
            Person.name,
            Person.phone,
            Person.country,
            Person.province,
            Person.city,
            Person.place,
            Area.name.label("area_name"),
            last_heard.label("last_heard_at"),
            func.coalesce(last_heard, Person.enrolled_at, Person.created_at).label("since"),
            need.label("need"),
            _last(
                Contact.at,
                stand,
                Contact.evidence == "liaison",
                not_(Contact.success),
                Contact.corrects_id.is_(None),
                Contact.at >= week.start,
            ).label("tried_at"),
            func.coalesce(
                select(func.max(Contact.id))
                .where(Contact.person_id == stand.c.person_id, Contact.evidence == "liaison")
                .correlate(stand)
                .scalar_subquery(),
                0,
            ).label("last_attempt_id"),
        )
        .select_from(stand)
        .join(Person, Person.id == stand.c.person_id)
        .join(Area, Area.id == stand.c.area_id)
    )


def _last(column: Any, stand: CTE, *conditions: SQLColumnExpression[bool]) -> ColumnElement[Any]:
    """The newest ``column`` of the person's contacts that no later row corrects."""
    correction = aliased(Contact)
    return (
        select(func.max(column))
        .where(
            Contact.person_id == stand.c.person_id,
            *conditions,
            not_(
                exists().where(
                    correction.person_id == Contact.person_id,
                    correction.corrects_id == Contact.id,
                )
            ),
        )
        .correlate(stand)
        .scalar_subquery()
    )


def _person(tx: Tx, row: Row[Any], *, phone: bool) -> SilentPerson:
    def opened(column: str, sealed: bytes | None) -> str | None:
        return None if sealed is None else tx.vault.open(column, row.ref, sealed)

    return SilentPerson(
        person_id=row.person_id,
        name=opened("person.name", row.name) or "",
        area_name=row.area_name,
        country=row.country,
        province=row.province,
        city=row.city,
        place=opened("person.place", row.place),
        standing=row.standing,
        silence=row.silence,
        excluded=row.excluded,
        last_heard_at=row.last_heard_at,
        since=row.since,
        tried_at=row.tried_at,
        last_attempt_id=row.last_attempt_id,
        phone=opened("person.phone", row.phone) if phone else None,
    )

"""What an officer may open: asked of the roles as they are now, in the query itself."""

from dataclasses import dataclass

from sqlalchemy import Row, select

from storage.database import Tx
from storage.models import Area, Person
from storage.people.areas import AreaInfo
from storage.people.duties import covers


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A worker as an officer of their area sees them."""

    person_id: int
    ref: str
    name: str
    phone: str | None
    status: str
    area: AreaInfo


_AREA = (
    Area.id,
    Area.code,
    Area.name,
    Area.path,
    Area.timezone,
    Area.language,
    Area.parent_id,
)


async def access_areas(tx: Tx, officer_id: int) -> list[AreaInfo]:
    """Every area under the officer's duties, in tree order: a parent before its children."""
    rows = await tx.execute(select(*_AREA).where(covers(officer_id, Area.path)))
    return sorted((_area(row) for row in rows), key=lambda area: _steps(area.path))


async def access_area(tx: Tx, officer_id: int, code: str) -> AreaInfo | None:
    """The area named ``code``, if the officer's duties cover it."""
    row = (
        await tx.execute(select(*_AREA).where(Area.code == code, covers(officer_id, Area.path)))
    ).first()
    return None if row is None else _area(row)


async def access_worker(tx: Tx, officer_id: int, ref: str) -> WorkerInfo | None:
    """The worker named ``ref``, if they are now on the register of an area the duties cover."""
    row = (
        await tx.execute(
            select(
                *_AREA,
                Person.id.label("person_id"),
                Person.ref,
                Person.name.label("sealed_name"),
                Person.phone,
                Person.status,
            )
            .join(Area, Area.id == Person.area_id)
            .where(Person.ref == ref, Person.erased_at.is_(None), covers(officer_id, Area.path))
        )
    ).first()
    if row is None:
        return None
    return WorkerInfo(
        person_id=row.person_id,
        ref=row.ref,
        name=_opened(tx, "person.name", row.ref, row.sealed_name) or "",
        phone=_opened(tx, "person.phone", row.ref, row.phone),
        status=row.status,
        area=_area(row),
    )


def _area(row: Row[tuple[object, ...]]) -> AreaInfo:
    return AreaInfo(
        id=row.id,
        code=row.code,
        name=row.name,
        path=row.path,
        timezone=row.timezone,
        language=row.language,
        parent_id=row.parent_id,
    )


def _opened(tx: Tx, column: str, ref: str, sealed: bytes | None) -> str | None:
    return None if sealed is None else tx.vault.open(column, ref, sealed)


def _steps(path: str) -> list[int]:
    return [int(step) for step in path.split("/") if step]

"""What an officer sees of someone who is also of another worker's family."""

from sqlalchemy import select

from storage.database import Tx
from storage.family.ties import STANDS, opened
from storage.models import Area, Kin, Person
from storage.people.duties import covers


async def speaks_for(tx: Tx, relative_id: int, officer_id: int) -> list[str]:
    """The names of those whom someone may speak for, as far as they are the officer's to see."""
    rows = await tx.execute(
        select(Person.ref, Person.name)
        .join(Kin, Kin.worker_id == Person.id)
        .join(Area, Area.id == Person.area_id)
        .where(Kin.relative_id == relative_id, STANDS, covers(officer_id, Area.path))
        .order_by(Kin.id)
    )
    names = (opened(tx, "person.name", row.ref, row.name) for row in rows)
    return [name for name in names if name]

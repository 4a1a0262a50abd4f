"""The room the web chat's page stands for: whose area's, and in which language."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.family.ties import STANDS
from storage.models import Account, Area, Kin, Person, Role


@dataclass(frozen=True, slots=True)
class Room:
    """What the page's head says: the area's name, the person's language, whether made up.

    ``name`` is empty and ``language`` None where neither an area nor the person tells.
    """

    name: str
    language: str | None
    is_demo: bool


async def find_room(tx: Tx, bot_id: int, chat_id: int) -> Room | None:
    """The room a known person is in: their village's, the area their first role is for, or that
    of the first worker they speak for.

    The ``language`` they chose holds from the moment it is known, before there is any room: the
    ``name`` is empty then.
    """
    duty = (
        select(func.min(Role.area_id))
        .where(Role.person_id == Person.id, Role.until.is_(None))
        .scalar_subquery()
    )
    worker = aliased(Person)
    family = (
        select(worker.area_id)
        .join(Kin, Kin.worker_id == worker.id)
        .where(Kin.relative_id == Person.id, STANDS, worker.area_id.is_not(None))
        .order_by(Kin.id)
        .limit(1)
        .scalar_subquery()
    )
    row = (
        await tx.execute(
            select(
                func.coalesce(Area.name, "").label("name"),
                func.coalesce(Person.language, Area.language).label("language"),
                Person.is_demo,
            )
            .select_from(Account)
            .join(Person, Person.id == Account.person_id)
            .outerjoin(Area, Area.id == func.coalesce(Person.area_id, duty, family))
            .where(Account.bot_id == bot_id, Account.chat_id == chat_id)
        )
    ).first()
    return None if row is None else Room(row.name, row.language, row.is_demo)

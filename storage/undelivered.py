"""To whom a broadcast did not come through, and why."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from storage.database import Tx
from storage.duties import covers
from storage.models import Area, Broadcast, Delivery, Person


@dataclass(frozen=True, slots=True)
class BroadcastInfo:
    id: int
    area_id: int
    area_name: str
    audience: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Missed:
    """``state``: ``failed``, ``expired``, ``cancelled`` or ``unknown``."""

    person_id: int
    name: str
    state: str
    reason: str | None


async def access_broadcast(tx: Tx, officer_id: int, broadcast_id: int) -> BroadcastInfo | None:
    """The broadcast, if the officer's duties cover the area it went to."""
    row = (
        await tx.execute(
            select(Broadcast.area_id, Area.name, Broadcast.audience, Broadcast.at)
            .join(Area, Area.id == Broadcast.area_id)
            .where(Broadcast.id == broadcast_id, covers(officer_id, Area.path))
        )
    ).one_or_none()
    if row is None:
        return None
    return BroadcastInfo(broadcast_id, row.area_id, row.name, row.audience, row.at)


async def missed_by_broadcast(
    tx: Tx, officer_id: int, broadcast_id: int, *, limit: int
) -> list[Missed]:
    """Who did not get it, of those the officer looks after now, in the order it was written."""
    found = await tx.execute(
        select(Delivery.person_id, Delivery.state, Delivery.reason, Person.ref, Person.name)
        .join(Person, Person.id == Delivery.person_id)
        .join(Area, Area.id == Person.area_id)
        .where(
            Delivery.broadcast_id == broadcast_id,
            Delivery.state.in_(("failed", "expired", "cancelled", "unknown")),
            covers(officer_id, Area.path),
        )
        .order_by(Delivery.id)
        .limit(limit)
    )
    return [
        Missed(
            row.person_id,
            "" if row.name is None else tx.vault.open("person.name", row.ref, row.name),
            row.state,
            row.reason,
        )
        for row in found
    ]

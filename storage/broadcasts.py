"""Broadcasts: one text to the workers of a subtree, and what became of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Select,
    SQLColumnExpression,
    String,
    cast,
    func,
    literal,
    null,
    select,
    update,
)

from storage.areas import AreaInfo, in_subtree
from storage.database import Tx
from storage.models import Area, Broadcast, Delivery, Person
from storage.outbox import BROADCAST as BROADCAST_PRIORITY
from storage.outbox import lane_of

OF_USE_FOR: Final = timedelta(hours=72)
_NOT_SENT_TO: Final = ("paused", "left")


@dataclass(frozen=True, slots=True)
class BroadcastPlanned:
    """``count``: how many it is sent to."""

    id: int
    count: int


def _audience(
    area: AreaInfo, language: str | None, *columns: SQLColumnExpression[Any]
) -> Select[Any]:
    """Consented workers of the subtree, paused ones left in peace, who read ``language``."""
    chosen = (
        select(*columns)
        .select_from(Person)
        .join(Area, Area.id == Person.area_id)
        .where(
            in_subtree(Area.path, area.path),
            Person.consented,
            Person.erased_at.is_(None),
            Person.status.not_in(_NOT_SENT_TO),
        )
    )
    if language is not None:
        chosen = chosen.where(func.coalesce(Person.language, Area.language) == language)
    return chosen


async def count_audience(tx: Tx, area: AreaInfo, language: str | None = None) -> int:
    """How many a broadcast would be sent to now."""
    return int(await tx.scalar(_audience(area, language, func.count())))


async def plan_broadcast(
    tx: Tx, *, area: AreaInfo, text: str, language: str | None, by: int | None, now: datetime
) -> BroadcastPlanned:
    """Write the broadcast and a message for each of its audience, in one statement.

    It waits for nobody's night longer than 72 hours: then it expires.
    """
    broadcast_id: int = await tx.scalar(
        tx.insert(Broadcast)
        .values(area_id=area.id, text=text, language=language, by_person_id=by, audience=0, at=now)
        .returning(Broadcast.id)
    )
    at = Delivery.created_at.type
    written = await tx.execute(
        tx.insert(Delivery)
        .from_select(
            [
                "person_id",
                "template",
                "priority",
                "urgent",
                "lane",
                "broadcast_id",
                "dedupe_key",
                "not_before",
                "expires_at",
                "state",
                "attempts",
                "created_at",
                "params",
            ],
            _audience(
                area,
                language,
                Person.id,
                literal("broadcast"),
                literal(BROADCAST_PRIORITY),
                literal(False),
                lane_of(Person.id),
                literal(broadcast_id),
                literal(f"broadcast:{broadcast_id}:") + cast(Person.id, String),
                literal(now, at),
                literal(now + OF_USE_FOR, at),
                literal("queued"),
                literal(0),
                literal(now, at),
                null(),
            ),
        )
        .on_conflict_do_nothing(index_elements=[Delivery.dedupe_key])
    )
    count = written.rowcount
    await tx.execute(update(Broadcast).where(Broadcast.id == broadcast_id).values(audience=count))
    return BroadcastPlanned(broadcast_id, count)


async def broadcast_outcome(tx: Tx, broadcast_id: int) -> dict[str, int]:
    """How many messages of it stand in each state; states of no message are left out."""
    found = await tx.execute(
        select(Delivery.state, func.count().label("n"))
        .where(Delivery.broadcast_id == broadcast_id)
        .group_by(Delivery.state)
    )
    return {row.state: row.n for row in found}

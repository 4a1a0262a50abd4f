"""Broadcasts: one text to the workers of a subtree; begun, looked up, stopped."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Area, Broadcast, Person
from storage.outbox.audience import count_audience, count_up_to, write_to_all
from storage.outbox.past import EVERY_DELIVERY
from storage.outbox.running_broadcasts import (
    CHUNK,
    cancel_some,
    count_written,
    end_finished,
    expand_next,
)
from storage.people.areas import AreaInfo, in_subtree
from storage.people.duties import covers
from storage.vault import SealBroken

State = Literal["running", "stopped", "done"]


@dataclass(frozen=True, slots=True)
class BroadcastPlanned:
    """``count``: how many it is sent to."""

    id: int
    count: int


@dataclass(frozen=True, slots=True)
class BroadcastInfo:
    """A broadcast as it stands. ``by_name`` is None when no person sent it.

    ``audience``: how many it was written for; how many it will be, while ``expanded_at`` is None.
    """

    id: int
    area_id: int
    area_code: str
    area_name: str
    timezone: str
    text: str
    language: str | None
    audience: int
    at: datetime
    expanded_at: datetime | None
    stopped_at: datetime | None
    stop_reason: str | None
    ended_at: datetime | None
    by_name: str | None
    stopped_by_name: str | None

    @property
    def state(self) -> State:
        if self.stopped_at is not None:
            return "stopped"
        return "running" if self.ended_at is None else "done"


async def plan_broadcast(
    tx: Tx, *, area: AreaInfo, text: str, language: str | None, by: int | None, now: datetime
) -> BroadcastPlanned:
    """Write the broadcast and its first messages: of a small audience, all of them.

    The others follow in chunks (:mod:`storage.outbox.running_broadcasts`). What nobody is there to
    read ends at once.
    """
    broadcast_id: int = await tx.scalar(
        tx.insert(Broadcast)
        .values(area_id=area.id, text=text, language=language, by_person_id=by, audience=0, at=now)
        .returning(Broadcast.id)
    )
    values: dict[str, Any]
    if await count_up_to(tx, area, language, CHUNK + 1) <= CHUNK:
        count = await write_to_all(tx, broadcast_id, area.path, language, now, now)
        values = {"audience": count, "expanded_at": now, "ended_at": None if count else now}
    else:
        count = await count_audience(tx, area, language)
        values = {"audience": count}
    await tx.execute(update(Broadcast).where(Broadcast.id == broadcast_id).values(values))
    if "expanded_at" not in values:
        await expand_next(tx, now, only=broadcast_id)
    return BroadcastPlanned(broadcast_id, count)


async def stop_broadcast(
    tx: Tx, broadcast_id: int, *, by: int | None, now: datetime, reason: str | None = None
) -> bool:
    """Write nothing more of it and call off what waits; whether this stopped it.

    False when it was over or stopped before. ``by``: the officer, or ``reason`` names what did it.
    Of many messages only the first are called off here, the others in chunks; none of them leaves
    meanwhile. What is in flight arrives, and counts as sent.
    """
    stopped: Row[Any] | None = (
        await tx.execute(
            update(Broadcast)
            .where(
                Broadcast.id == broadcast_id,
                Broadcast.ended_at.is_(None),
                Broadcast.stopped_at.is_(None),
            )
            .values(stopped_at=now, stopped_by=by, stop_reason=reason)
            .returning(Broadcast.expanded_at)
        )
    ).one_or_none()
    if stopped is None:
        return False
    if stopped.expanded_at is None:
        written = await count_written(tx, broadcast_id)
        await tx.execute(
            update(Broadcast).where(Broadcast.id == broadcast_id).values(audience=written)
        )
    await cancel_some(tx, broadcast_id, now, CHUNK)
    await end_finished(tx, now)
    return True


async def broadcast_outcome(tx: Tx, broadcast_id: int) -> dict[str, int]:
    """How many messages of it stand in each state; states of no message are left out."""
    every = EVERY_DELIVERY.c
    found = await tx.execute(
        select(every.state, func.count().label("n"))
        .where(every.broadcast_id == broadcast_id)
        .group_by(every.state)
    )
    return {row.state: row.n for row in found}


def _infos() -> Select[Any]:
    author, stopper = aliased(Person, name="author"), aliased(Person, name="stopper")
    columns: list[Any] = [
        Broadcast.id,
        Broadcast.area_id,
        Area.code,
        Area.name,
        Area.timezone,
        Broadcast.text,
        Broadcast.language,
        Broadcast.audience,
        Broadcast.at,
        Broadcast.expanded_at,
        Broadcast.stopped_at,
        Broadcast.stop_reason,
        Broadcast.ended_at,
        author.ref.label("author_ref"),
        author.name.label("author_name"),
        stopper.ref.label("stopper_ref"),
        stopper.name.label("stopper_name"),
    ]
    return (
        select(*columns)
        .join(Area, Area.id == Broadcast.area_id)
        .outerjoin(author, author.id == Broadcast.by_person_id)
        .outerjoin(stopper, stopper.id == Broadcast.stopped_by)
    )


async def access_broadcast(tx: Tx, officer_id: int, broadcast_id: int) -> BroadcastInfo | None:
    """The broadcast, if the officer's duties cover the area it went to."""
    asked = _infos().where(Broadcast.id == broadcast_id, covers(officer_id, Area.path))
    row = (await tx.execute(asked)).one_or_none()
    return None if row is None else _info(tx, row)


async def find_broadcast(tx: Tx, broadcast_id: int) -> BroadcastInfo | None:
    """The broadcast, for the operator, who may see all."""
    row = (await tx.execute(_infos().where(Broadcast.id == broadcast_id))).one_or_none()
    return None if row is None else _info(tx, row)


async def list_broadcasts(
    tx: Tx, area: AreaInfo | None, *, limit: int, offset: int = 0
) -> list[BroadcastInfo]:
    """What was sent to the area and below it, or anywhere; the newest first."""
    asked = _infos()
    if area is not None:
        asked = asked.where(in_subtree(Area.path, area.path))
    asked = asked.order_by(Broadcast.at.desc(), Broadcast.id.desc()).limit(limit).offset(offset)
    return [_info(tx, row) for row in await tx.execute(asked)]


def _info(tx: Tx, row: Row[Any]) -> BroadcastInfo:
    return BroadcastInfo(
        id=row.id,
        area_id=row.area_id,
        area_code=row.code,
        area_name=row.name,
        timezone=row.timezone,
        text=row.text,
        language=row.language,
        audience=row.audience,
        at=row.at,
        expanded_at=row.expanded_at,
        stopped_at=row.stopped_at,
        stop_reason=row.stop_reason,
        ended_at=row.ended_at,
        by_name=_name(tx, row.author_ref, row.author_name),
        stopped_by_name=_name(tx, row.stopper_ref, row.stopper_name),
    )


def _name(tx: Tx, ref: str | None, sealed: bytes | None) -> str | None:
    """Empty for someone who has left; None where there was nobody."""
    if ref is None:
        return None
    try:
        return "" if sealed is None else tx.vault.open("person.name", ref, sealed)
    except SealBroken:
        return ""

"""Broadcasts that run: what is still to be written, to be called off, to be ended."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Area, Broadcast, Delivery
from storage.outbox.audience import write_to_some
from storage.outbox.messages import BROADCAST, QUEUED, SENDING
from storage.outbox.past import EVERY_DELIVERY

CHUNK: Final = 15_000
"""People looked at, or messages called off, in one transaction: about a tenth of a second, which is
all that anyone else who writes on SQLite has to wait."""
STOPPED: Final = "the notice was stopped"

# Spelt out rather than bound, as in storage.outbox.messages: the partial index is of those that
# run.
_RUNNING: Final = Broadcast.ended_at.is_(literal_column("NULL"))
_TO_EXPAND: Final = (_RUNNING, Broadcast.stopped_at.is_(None), Broadcast.expanded_at.is_(None))
_TO_CANCEL: Final = (_RUNNING, Broadcast.stopped_at.is_not(None))


async def find_work(tx: Tx) -> bool:
    """Whether something of a broadcast is to be written, called off, or ended; takes no lock."""
    unwritten = or_(Broadcast.stopped_at.is_not(None), Broadcast.expanded_at.is_(None))
    asked = select(Broadcast.id).where(_RUNNING, unwritten).limit(1)
    return await tx.scalar(asked) is not None or bool(await _find_over(tx))


async def expand_next(tx: Tx, now: datetime, *, only: int | None = None) -> int | None:
    """Write the next chunk of the broadcast that is least far; how many messages.

    ``None`` when there is nothing to write. The place it came to is kept in the same transaction
    as its messages: killed at any moment, it neither loses nor doubles anyone. What another
    process is just writing is passed by. ``only``: of this broadcast and no other.
    """
    found = await tx.execute(
        select(Broadcast.id, Broadcast.language, Broadcast.at, Broadcast.expanded_to, Area.path)
        .join(Area, Area.id == Broadcast.area_id)
        .where(*_TO_EXPAND, literal(True) if only is None else Broadcast.id == only)
        .order_by(Broadcast.expanded_to, Broadcast.id)
        .limit(1)
        .with_for_update(of=Broadcast, skip_locked=True, key_share=True)
    )
    row = found.one_or_none()
    if row is None:
        return None
    written, last = await write_to_some(
        tx, row.id, row.path, row.language, row.at, now, after=row.expanded_to, most=CHUNK
    )
    if last is None:
        values: dict[str, Any] = {
            "expanded_at": now,
            "audience": await count_written(tx, row.id),
        }
    else:
        values = {"expanded_to": last}
    await tx.execute(update(Broadcast).where(Broadcast.id == row.id).values(values))
    return written


async def count_written(tx: Tx, broadcast_id: int) -> int:
    """How many messages of it were ever written."""
    of_it = EVERY_DELIVERY.c.broadcast_id == broadcast_id
    return int(await tx.scalar(select(func.count()).select_from(EVERY_DELIVERY).where(of_it)))


async def cancel_next(tx: Tx, now: datetime) -> int:
    """Call off a chunk of what still waits of broadcasts that were stopped; how many messages."""
    stopped = await tx.execute(select(Broadcast.id).where(*_TO_CANCEL).order_by(Broadcast.id))
    cancelled = 0
    for broadcast_id in stopped.scalars().all():
        cancelled += await cancel_some(tx, broadcast_id, now, CHUNK - cancelled)
        if cancelled >= CHUNK:
            break
    return cancelled


async def cancel_some(tx: Tx, broadcast_id: int, now: datetime, limit: int) -> int:
    """Cancel up to ``limit`` of its messages that wait; how many.

    Lane by lane, as they are queued: among all of the broadcast those that are cancelled already
    would be looked at again each time.
    """
    cancelled = 0
    for lane in [None, *(await tx.execute(_LANES)).scalars().all()]:
        waiting = (
            select(Delivery.id)
            .where(
                QUEUED,
                Delivery.lane.is_(None) if lane is None else Delivery.lane == lane,
                Delivery.priority == BROADCAST,
                Delivery.broadcast_id == broadcast_id,
            )
            .limit(limit - cancelled)
            .with_for_update(skip_locked=True)
        )
        done = await tx.execute(
            update(Delivery)
            .where(Delivery.id.in_(waiting))
            .values(state="cancelled", reason=STOPPED, finished_at=now)
        )
        cancelled += done.rowcount
        if cancelled >= limit:
            break
    return cancelled


async def end_finished(tx: Tx, now: datetime) -> int:
    """End the broadcasts that are written, or stopped, and of which nothing waits; how many."""
    over = await _find_over(tx)
    if over:
        await tx.execute(update(Broadcast).where(Broadcast.id.in_(over)).values(ended_at=now))
    return len(over)


async def _find_over(tx: Tx) -> list[int]:
    # A list of what is in flight, made once: few, where the messages of one broadcast are many.
    in_flight = select(func.coalesce(Delivery.broadcast_id, 0)).where(SENDING)
    lanes = (await tx.execute(_LANES)).scalars().all()
    found = await tx.execute(
        select(Broadcast.id)
        .where(
            _RUNNING,
            or_(Broadcast.expanded_at.is_not(None), Broadcast.stopped_at.is_not(None)),
            *(_nothing_waits(Delivery.lane == lane) for lane in lanes),
            _nothing_waits(Delivery.lane.is_(None)),
            Broadcast.id.not_in(in_flight),
        )
        .limit(CHUNK)
    )
    return list(found.scalars().all())


def _nothing_waits(on_lane: ColumnElement[bool]) -> ColumnElement[bool]:
    # In the index's whole order and with a limit, so that PostgreSQL looks it up in the index.
    return (
        select(Delivery.id)
        .where(
            QUEUED,
            on_lane,
            Delivery.priority == BROADCAST,
            Delivery.broadcast_id == Broadcast.id,
        )
        .order_by(Delivery.lane, Delivery.broadcast_id, Delivery.not_before, Delivery.id)
        .limit(1)
        .correlate(Broadcast)
        .scalar_subquery()
        .is_(None)
    )


def _lanes() -> Any:
    """The lanes that anything waits for: from one to the next, whatever waits in each."""
    other = aliased(Delivery)
    lanes = (
        select(func.min(Delivery.lane).label("lane"))
        .where(QUEUED, Delivery.lane.is_not(None))
        .cte("lanes", recursive=True)
    )
    following = select(func.min(other.lane)).where(
        other.state == literal_column("'queued'"), other.lane > lanes.c.lane
    )
    lanes = lanes.union_all(select(following.scalar_subquery()).where(lanes.c.lane.is_not(None)))
    return select(lanes.c.lane).where(lanes.c.lane.is_not(None))


_LANES: Final = _lanes()

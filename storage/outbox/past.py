"""Deliveries that are over: moved out of the way of those that are not, kept for a while."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Subquery,
    any_,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    tuple_,
    union_all,
)

from storage.database import Tx
from storage.models import Delivery, PastDelivery

MOVED_AFTER: Final = timedelta(hours=1)
"""How long a finished message stays where its ``dedupe_key`` is unique: a planner that was slow,
was ended half-way or has its clock behind may still plan the same thing for the same moment."""
KEPT_FOR: Final = timedelta(days=30)

_SHARED: Final = tuple(column.key for column in PastDelivery.__table__.columns)

DELIVERIES: Final[tuple[type[Delivery | PastDelivery], ...]] = (Delivery, PastDelivery)
"""The two tables, for questions that are asked of each."""

EVERY_DELIVERY: Final[Subquery] = union_all(
    select(*(getattr(Delivery, name) for name in _SHARED)),
    select(*(getattr(PastDelivery, name) for name in _SHARED)),
).subquery("every_delivery")
"""Deliveries on their way and over, as one: ``EVERY_DELIVERY.c.state`` and the rest of what
:class:`storage.models.PastDelivery` has. Both databases look a condition on constants up in the
indexes of both tables; SQLite does not for one on the row of a query around it, nor for a join:
ask :data:`DELIVERIES` one by one then."""


async def find_finished(
    tx: Tx, now: datetime, since: datetime | None, limit: int
) -> Sequence[tuple[int, datetime]]:
    """Messages that finished an hour ago or earlier, the oldest first: id, and when (UTC).

    ``since``: no earlier than this, to pass by what was moved before. On PostgreSQL a transaction
    held open elsewhere keeps those in the index, and each look would wade through all of them.
    """
    over = [Delivery.finished_at <= now - MOVED_AFTER]
    if since is not None:
        over.append(Delivery.finished_at >= since)
    found = await tx.execute(
        select(Delivery.id, Delivery.finished_at)
        .where(*over)
        .order_by(Delivery.finished_at)
        .limit(limit)
    )
    return [(row.id, row.finished_at) for row in found]


async def move_finished(tx: Tx, ids: Sequence[int]) -> int:
    """Move these messages to the past, where they are still there to move; how many.

    Of two processes the second passes by what the first is moving.
    """
    given = {"ids": list(ids)}
    if tx.on_postgres:
        return (await tx.execute(_MOVE, given)).rowcount
    await tx.execute(_COPY, given)
    return (await tx.execute(_DROP, given)).rowcount


def _columns(source: Any) -> list[Any]:
    return [getattr(source, name) for name in _SHARED]


_FINISHED: Final = Delivery.finished_at.is_not(None)


def _move() -> Any:
    given = bindparam("ids", type_=ARRAY(BigInteger))
    picked = (
        select(Delivery.id)
        .where(Delivery.id == any_(given), _FINISHED)
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    gone = (
        delete(Delivery)
        .where(Delivery.id.in_(select(picked.c.id)))
        .returning(*_columns(Delivery))
        .cte("gone")
    )
    return insert(PastDelivery).from_select(_SHARED, select(*gone.c))


_MOVE: Final = _move()
_GIVEN: Final = select(
    func.json_each(bindparam("ids", type_=Delivery.params.type)).table_valued("value").c.value
)
_COPY: Final = insert(PastDelivery).from_select(
    _SHARED, select(*_columns(Delivery)).where(Delivery.id.in_(_GIVEN), _FINISHED)
)
_DROP: Final = delete(Delivery).where(Delivery.id.in_(_GIVEN), _FINISHED)


async def prune_past(tx: Tx, now: datetime, limit: int) -> int:
    """Drop up to ``limit`` messages that finished more than 30 days ago; how many.

    What a delivery proved stays in its check-in; a case's message stays with the case. Replies
    to a case's message are found through its delivery, so those go with the rest. On PostgreSQL
    a month goes whole (:mod:`storage.outbox.partitions`), and this is for what belongs to none.
    """
    statement = _PRUNE_DEFAULT if tx.on_postgres else _PRUNE
    return (await tx.execute(statement, {"before": now - KEPT_FOR, "most": limit})).rowcount


_KEY: Final = (PastDelivery.id, PastDelivery.finished_at)
_PRUNE: Final = delete(PastDelivery).where(
    tuple_(*_KEY).in_(
        select(*_KEY)
        .where(PastDelivery.finished_at < bindparam("before", type_=PastDelivery.finished_at.type))
        .order_by(PastDelivery.finished_at)
        .limit(bindparam("most"))
    )
)
_PRUNE_DEFAULT: Final = text(
    "DELETE FROM delivery_past_default WHERE ctid = ANY (ARRAY("
    "SELECT ctid FROM delivery_past_default WHERE finished_at < :before"
    " ORDER BY finished_at LIMIT :most))"
)

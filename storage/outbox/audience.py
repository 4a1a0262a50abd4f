"""Who a broadcast goes to, and the messages written for them: by statement, never one by one."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    String,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Area, Person
from storage.outbox.by_statement import enqueue_selected, message_columns
from storage.outbox.messages import BROADCAST
from storage.people.areas import AreaInfo, in_subtree

OF_USE_FOR: Final = timedelta(hours=72)
"""It waits for nobody's night, and for no channel, longer than this: then it expires."""
_FEW: Final = 5000
_NOT_SENT_TO: Final = ("paused", "left")


def _audience(
    area_path: str,
    language: str | None,
    *columns: SQLColumnExpression[Any],
    area_id: ColumnElement[int | None],
) -> Select[Any]:
    """Consented workers of the subtree, paused ones left in peace, who read ``language``."""
    below = aliased(Area)
    chosen = (
        select(*columns)
        .select_from(Person)
        .where(
            area_id.in_(select(below.id).where(in_subtree(below.path, area_path))),
            Person.consented,
            Person.erased_at.is_(None),
            Person.status.not_in(_NOT_SENT_TO),
        )
    )
    if language is not None:
        chosen = chosen.join(Area, Area.id == Person.area_id).where(
            func.coalesce(Person.language, Area.language) == language
        )
    return chosen


async def count_audience(tx: Tx, area: AreaInfo, language: str | None = None) -> int:
    """How many a broadcast would be sent to now; reads everyone once when they are many."""
    few = await count_up_to(tx, area, language, _FEW)
    if few < _FEW:
        return few
    counted = _audience(area.path, language, func.count(), area_id=_by_scan())
    return int(await tx.scalar(counted))


async def count_up_to(tx: Tx, area: AreaInfo, language: str | None, limit: int) -> int:
    """The same, without counting on beyond ``limit``."""
    some = _audience(area.path, language, Person.id, area_id=_by_index()).limit(limit)
    return int(await tx.scalar(select(func.count()).select_from(some.subquery())))


def _by_index() -> ColumnElement[int | None]:
    return Person.area_id.expression


def _by_scan() -> ColumnElement[int | None]:
    # Not a bare column: many people are read in their own order. Through the index of areas they
    # are read here and there, and a chunk, which is a range of them, would read all each time.
    return Person.area_id + 0


async def write_to_all(
    tx: Tx, broadcast_id: int, area_path: str, language: str | None, at: datetime, now: datetime
) -> int:
    """Write a message for each of a small audience; how many."""
    return await enqueue_selected(
        tx,
        _audience(
            area_path,
            language,
            *_message(broadcast_id, at, now),
            area_id=_by_index(),
        ),
    )


async def write_to_some(
    tx: Tx,
    broadcast_id: int,
    area_path: str,
    language: str | None,
    at: datetime,
    now: datetime,
    *,
    after: int,
    most: int,
) -> tuple[int, int | None]:
    """Write for those of the audience among the next ``most`` people behind person ``after``.

    Returns how many messages, and the last person looked at: ``None`` when there was nobody any
    more. Who enrolled since ``at`` is left out: they found the notice among the latest.
    """
    ahead = select(Person.id).where(Person.id > after).order_by(Person.id).limit(most).subquery()
    last: int | None = await tx.scalar(select(func.max(ahead.c.id)))
    if last is None:
        return 0, None
    chunk = _audience(
        area_path, language, *_message(broadcast_id, at, now), area_id=_by_scan()
    ).where(
        Person.id > after,
        Person.id <= last,
        func.coalesce(Person.enrolled_at, literal(at, Person.created_at.type)) <= at,
    )
    return await enqueue_selected(tx, chunk), last


def _message(
    broadcast_id: int, at: datetime, now: datetime
) -> tuple[SQLColumnExpression[Any], ...]:
    return message_columns(
        Person.id.expression,
        template="broadcast",
        priority=BROADCAST,
        urgent=False,
        dedupe_key=literal(f"broadcast:{broadcast_id}:") + cast(Person.id, String),
        not_before=at,
        expires_at=at + OF_USE_FOR,
        now=now,
        broadcast_id=broadcast_id,
    )

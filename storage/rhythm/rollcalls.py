"""Roll calls: begun, looked after, ended."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, func, literal, select, update

from storage.database import Tx
from storage.models import Area, Person, Rollcall
from storage.people.areas import AreaInfo
from storage.people.destinations import EVERYWHERE, Destination
from storage.rhythm.rollcall_figures import count_rollcall
from storage.rhythm.rollcall_report import enqueue_reports
from storage.rhythm.rollcall_rounds import DueRollcall, to_ask, write_next


@dataclass(frozen=True, slots=True)
class Manner:
    """How a roll call asks: ``most`` nudges, one each ``every``; it closes after ``lasts``.

    What is ``urgent`` leaves at night too.
    """

    urgent: bool
    every: timedelta
    most: int
    lasts: timedelta


AT_ONCE: Final = Manner(True, timedelta(minutes=30), 4, timedelta(hours=24))
CALMLY: Final = Manner(False, timedelta(hours=4), 2, timedelta(hours=24))
"""Unless told otherwise: an urgent roll call, and one that is not."""


@dataclass(frozen=True, slots=True)
class RollcallPlanned:
    """``count``: how many are asked."""

    id: int
    count: int


async def plan_rollcall(
    tx: Tx,
    *,
    area: AreaInfo,
    text: str,
    by: int | None,
    now: datetime,
    where: Destination = EVERYWHERE,
    manner: Manner = AT_ONCE,
) -> RollcallPlanned:
    """Ask every expected worker of the area's subtree who is ``where``, now.

    Of few people all messages are written here, of many the first; the others follow in chunks
    (:mod:`scheduler.rollcalls`). Who arrives there later is not asked. One that has nobody to ask
    is over at once.
    """
    count = await count_to_ask(tx, area, where)
    closes_at = now + manner.lasts
    rollcall_id: int = await tx.scalar(
        tx.insert(Rollcall)
        .values(
            area_id=area.id,
            text=text,
            by_person_id=by,
            urgent=manner.urgent,
            every=int(manner.every / timedelta(minutes=1)),
            most=manner.most,
            at=now,
            closes_at=closes_at,
            next_at=now,
            written_to=0,
            **asdict(where),
        )
        .returning(Rollcall.id)
    )
    if count == 0:
        await tx.execute(
            update(Rollcall)
            .where(Rollcall.id == rollcall_id)
            .values(ended_at=now, closed_at=now, next_at=None, written_to=None)
        )
        return RollcallPlanned(rollcall_id, 0)
    due = await lock_due(tx, now, only=rollcall_id)
    assert due is not None  # it was written just now
    await write_next(tx, due, now)
    return RollcallPlanned(rollcall_id, count)


async def count_to_ask(tx: Tx, area: AreaInfo, where: Destination) -> int:
    """How many a roll call would ask now."""
    asked = to_ask(area.path, where, Person.area_id.expression, func.count())
    return int(await tx.scalar(asked))


async def is_rollcall_due(tx: Tx, now: datetime) -> bool:
    """Whether any roll call has something to do; one index probe."""
    due = exists().where(Rollcall.closed_at.is_(None), Rollcall.next_at <= now)
    return bool(await tx.scalar(select(due)))


async def lock_due(tx: Tx, now: datetime, *, only: int | None = None) -> DueRollcall | None:
    """The roll call that is due for longest; what another process is busy with is passed by."""
    found = await tx.execute(
        select(
            Rollcall.id,
            Rollcall.area_id,
            Area.path,
            Rollcall.country,
            Rollcall.province,
            Rollcall.city,
            Rollcall.urgent,
            Rollcall.every,
            Rollcall.most,
            Rollcall.at,
            Rollcall.closes_at,
            Rollcall.asked,
            Rollcall.written_to,
            Rollcall.ended_at,
        )
        .join(Area, Area.id == Rollcall.area_id)
        .where(
            Rollcall.closed_at.is_(None),
            Rollcall.next_at <= now,
            literal(True) if only is None else Rollcall.id == only,
        )
        .order_by(Rollcall.next_at, Rollcall.id)
        .limit(1)
        .with_for_update(of=Rollcall, skip_locked=True, key_share=True)
    )
    row = found.one_or_none()
    return None if row is None else DueRollcall(**row._mapping)  # noqa: SLF001  # its public name


async def set_next(tx: Tx, rollcall_id: int, next_at: datetime) -> None:
    """When there is next something to do."""
    await tx.execute(update(Rollcall).where(Rollcall.id == rollcall_id).values(next_at=next_at))


async def begin_round(tx: Tx, rollcall_id: int, asked: int) -> None:
    """From now on everyone without an answer is asked for the ``asked``-th time."""
    await tx.execute(
        update(Rollcall).where(Rollcall.id == rollcall_id).values(asked=asked, written_to=0)
    )


async def end_rollcall(tx: Tx, rollcall_id: int, *, by: int | None, now: datetime) -> bool:
    """Ask nobody any more, keep the figures as they stand, tell the officers; whether this did it.

    What waits is called off, and everyone told, in chunks that follow.
    """
    ended = await tx.scalar(
        update(Rollcall)
        .where(Rollcall.id == rollcall_id, Rollcall.ended_at.is_(None))
        .values(ended_at=now, closed_by=by, written_to=0, next_at=now)
        .returning(Rollcall.id)
    )
    if ended is None:
        return False
    figures = await count_rollcall(tx, rollcall_id)
    await tx.execute(
        update(Rollcall).where(Rollcall.id == rollcall_id).values(figures=asdict(figures))
    )
    await enqueue_reports(tx, rollcall_id, now)
    return True

"""How check-ins were answered: the feedback rate, and how long answers took."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Float,
    Function,
    Integer,
    and_,
    bindparam,
    case,
    cast,
    func,
    not_,
    null,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from storage.database import Tx
from storage.models import Checkin, UtcDateTime
from storage.people.areas import AreaInfo
from storage.register.expected import PATH, NotBegun, below
from storage.register.periods import Period


@dataclass(frozen=True, slots=True)
class Feedback:
    """Check-ins ``delivered``, and of these ``answered`` inside their window.

    ``median`` and ``ninetieth`` are the answer times, in whole seconds from delivery, that half
    and nine tenths of the answered did not exceed (nearest rank); None when none was answered.
    """

    delivered: int
    answered: int
    median: timedelta | None
    ninetieth: timedelta | None


async def measure_feedback(tx: Tx, area: AreaInfo, period: Period, now: datetime) -> Feedback:
    """The check-ins that were due in the period (:func:`due_in`), whoever they were put to.

    Delivery and answer may fall after the period's end: a check-in of its last day has its
    window in the next one. Raises :class:`storage.register.expected.NotBegun`.
    """
    row = (await tx.execute(_feedback(), due_in(area, period, now))).one()
    return Feedback(
        delivered=row.delivered,
        answered=row.answered,
        median=_time(row.median),
        ninetieth=_time(row.ninetieth),
    )


def due_in(area: AreaInfo, period: Period, now: datetime) -> dict[str, Any]:
    """The values of the parameters of :data:`DELIVERED`. Raises :class:`NotBegun`."""
    if now < period.start:
        raise NotBegun(period)
    return {"subtree": area.path, "due_from": period.start, "due_to": period.end}


DELIVERED: Final = and_(
    below(Checkin.area_id, PATH),
    Checkin.due_at >= bindparam("due_from", type_=UtcDateTime()),
    Checkin.due_at < bindparam("due_to", type_=UtcDateTime()),
    Checkin.delivered_at.is_not(None),
)
"""A check-in of a slot in the period that arrived, in the area its worker belonged to then.

What its worker does after it changes nothing: whose answer is "going home", who moves to another
village or leaves stays counted where and when they were asked.
"""


@cache
def _feedback() -> Any:
    answered = and_(Checkin.answered_at.is_not(None), Checkin.answered_at < Checkin.window_until)
    took = case(
        (answered, cast(seconds_between(Checkin.delivered_at, Checkin.answered_at), Integer)),
        else_=null(),
    )
    slot = select(took.label("took")).where(DELIVERED).subquery("slot")
    unanswered = slot.c.took.is_(None)
    ranked = select(
        slot.c.took,
        func.row_number().over(partition_by=unanswered, order_by=slot.c.took).label("place"),
        func.count(slot.c.took).over().label("answers"),
    ).subquery("ranked")
    r = ranked.c
    return select(
        func.count().label("delivered"),
        func.count(r.took).label("answered"),
        _at_place(ranked, (r.answers + 1) // 2).label("median"),
        _at_place(ranked, (r.answers * 9 + 9) // 10).label("ninetieth"),
    ).select_from(ranked)


def _at_place(ranked: Any, place: ColumnElement[int]) -> ColumnElement[Any]:
    return func.max(
        case((and_(not_(ranked.c.took.is_(None)), ranked.c.place == place), ranked.c.took))
    )


class seconds_between(Function[float]):  # noqa: N801  # an SQL function, named like one
    """``later`` − ``earlier`` in seconds, to the second."""

    inherit_cache = True

    def __init__(self, earlier: Any, later: Any) -> None:
        super().__init__("seconds_between", earlier, later, type_=Float())


@compiles(seconds_between, "postgresql")
def _on_postgresql(element: seconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    earlier, later = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"round(extract(epoch from {later} - {earlier}))"


@compiles(seconds_between, "sqlite")
def _on_sqlite(element: seconds_between, compiler: SQLCompiler, **kw: Any) -> str:
    earlier, later = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"round((julianday({later}) - julianday({earlier})) * 86400)"


def _time(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)

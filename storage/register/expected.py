"""Who is expected in a period, and who is excluded for what reason: design.md §4, in SQL.

**As of.** A period that runs is looked at now, a past one at its end: *until* is the earlier of
the two. Status is the person's own row while the period runs, the last :class:`StatusChange`
before its end after that; consent likewise. A row at the very instant of the end belongs to what
follows; a row at the very instant of ``now`` is already seen.

**On the register** is who has an enrolment in the subtree, open at *until*; of several, the
newest. **Too new** is less than 24 h before the period's end, which lies ahead while it runs: who
comes in on Wednesday is expected that week, who comes in on its last day is not. The time counts
from joining (or rejoining after leaving); moving to another village makes no one new.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    SQLColumnExpression,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from storage.errors import Refused
from storage.models import (
    Area,
    Consent,
    Enrolment,
    Person,
    StatusChange,
    UtcDateTime,
)
from storage.people.areas import AreaInfo, in_subtree
from storage.people.enrolment import PURPOSE
from storage.register.periods import Period
from storage.rhythm.checkins import LONGEST_WINDOW

REASONS: Final = ("home", "paused", "withdrawn", "too new", "on hold")

NEW_FOR: Final = timedelta(hours=24)
_INSTANT: Final = timedelta(microseconds=1)  # the finest both databases keep


class NotBegun(Refused):
    """The period lies ahead: nobody can be said to be heard or silent in it."""

    def __init__(self, period: Period) -> None:
        super().__init__(f"{period.key} has not begun yet.")


def stop_of(period: Period, now: datetime) -> datetime:
    """The exclusive bound of what has a say in the period: its end, or just after ``now``."""
    return min(period.end, now + _INSTANT)


def bounds_of(area: AreaInfo, periods: Sequence[Period], now: datetime) -> dict[str, Any]:
    """The values of the parameters of :func:`periods_cte` and :data:`PATH`.

    Raises :class:`NotBegun`.
    """
    values: dict[str, Any] = {"subtree": area.path}
    for n, period in enumerate(periods):
        if now < period.start:
            raise NotBegun(period)
        values |= {
            f"p{n}_start": period.start,
            f"p{n}_stop": stop_of(period, now),
            f"p{n}_new_after": period.end - NEW_FOR,
            # A check-in is delivered within its window: so long before can it have been due.
            f"p{n}_asked_after": period.start - LONGEST_WINDOW,
            f"p{n}_running": int(now < period.end),
        }
    return values


def below(
    area_id: SQLColumnExpression[int], path: str | SQLColumnExpression[str]
) -> ColumnElement[bool]:
    """Whether ``area_id`` is an area of the subtree at ``path``.

    As a list of ids, not as a join: so SQLite, which keeps no statistics, begins with the areas
    and their index instead of reading everyone there is.
    """
    return area_id.in_(select(Area.id).where(in_subtree(Area.path, path)))


PATH: Final = bindparam("subtree", type_=Text)
SUBTREE: Final = below(Enrolment.area_id, PATH)


def periods_cte(count: int, values: Mapping[str, Any] | None = None) -> CTE:
    """``count`` periods as rows: ``n`` from 0, ``start``, ``stop`` (:func:`stop_of`), ``running``
    (0 or 1), and the bounds of who is too new and of which check-ins can have been delivered.

    Without ``values`` they are parameters, for a statement that is built once.
    """

    def value(name: str, n: int) -> ColumnElement[Any]:
        kind = Integer() if name == "running" else UtcDateTime()
        key = f"p{n}_{name}"
        given = bindparam(key, type_=kind) if values is None else literal(values[key], type_=kind)
        return given.label(name)

    names = ("start", "stop", "new_after", "asked_after", "running")
    rows = [
        select(literal(n, Integer).label("n"), *(value(name, n) for name in names))
        for n in range(count)
    ]
    return (rows[0] if count == 1 else union_all(*rows)).cte("period")


def register_cte(period: CTE, subtree: ColumnElement[bool], *also: ColumnElement[bool]) -> CTE:
    """Who is on the register in each period: ``n``, ``person_id``, ``area_id``, ``excluded``.

    ``excluded`` is the reason, null for the expected. What lasts is named first: without consent,
    or gone, is ``withdrawn``; then ``home``, ``paused``, ``too new``. ``also`` narrows the rows,
    by :class:`Enrolment` or :class:`Person`.
    """
    status = case(
        (period.c.running == 1, Person.status),
        else_=func.coalesce(last_change(period, Person.id, StatusChange.status), "away"),
    )
    consented = case(
        (period.c.running == 1, Person.consented),
        else_=func.coalesce(_last_consent(period), False),
    )
    on_register = (
        select(
            period.c.n,
            Enrolment.person_id,
            Enrolment.area_id,
            status.label("status"),
            consented.label("consented"),
            _is_too_new(period).label("too_new"),
        )
        .select_from(period)
        .join(Enrolment, Enrolment.since < period.c.stop)
        .join(Person, Person.id == Enrolment.person_id)
        .where(
            subtree,
            or_(Enrolment.until.is_(None), Enrolment.until >= period.c.stop),
            is_newest(period.c.stop),
            *also,
        )
        .cte("on_register")
        .prefix_with("MATERIALIZED")
    )
    r = on_register.c
    excluded = case(
        (or_(not_(r.consented), r.status == "left"), "withdrawn"),
        (r.status == "home", "home"),
        (r.status == "paused", "paused"),
        (r.too_new, "too new"),
    )
    return select(r.n, r.person_id, r.area_id, excluded.label("excluded")).cte("register")


def is_newest(stop: ColumnElement[datetime]) -> ColumnElement[bool]:
    """No other enrolment of the person began later, and before ``stop``."""
    later = aliased(Enrolment)
    return not_(
        exists()
        .where(
            later.person_id == Enrolment.person_id,
            later.since < stop,
            or_(
                later.since > Enrolment.since,
                and_(later.since == Enrolment.since, later.id > Enrolment.id),
            ),
        )
        .correlate_except(later)
    )


def _is_too_new(period: CTE) -> ColumnElement[bool]:
    earlier, left = aliased(Enrolment), aliased(Enrolment)
    was_there = exists().where(
        earlier.person_id == Enrolment.person_id,
        earlier.since <= period.c.new_after,
        not_(
            exists()
            .where(
                left.person_id == Enrolment.person_id,
                left.ended_as == "withdrawn",
                left.until > earlier.since,
                left.until <= Enrolment.since,
            )
            .correlate(Enrolment, earlier)
        ),
    )
    return and_(Enrolment.since > period.c.new_after, not_(was_there.correlate(Enrolment, period)))


def last_change(period: CTE, person_id: Any, column: Any) -> ColumnElement[Any]:
    """A column of the person's last :class:`StatusChange` before the period's *until*."""
    return (
        select(column)
        .where(StatusChange.person_id == person_id, StatusChange.at < period.c.stop)
        .order_by(StatusChange.at.desc(), StatusChange.id.desc())
        .limit(1)
        .correlate_except(StatusChange)
        .scalar_subquery()
    )


def _last_consent(period: CTE) -> ColumnElement[Any]:
    return (
        select(Consent.given)
        .where(
            Consent.person_id == Person.id,
            Consent.purpose == PURPOSE,
            Consent.at < period.c.stop,
        )
        .order_by(Consent.at.desc(), Consent.id.desc())
        .limit(1)
        .correlate_except(Consent)
        .scalar_subquery()
    )

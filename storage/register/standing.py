"""Where each expected worker stands in a period: design.md §4, in SQL.

Every figure, list and grid of the register is made of :func:`standings`, so they agree.

**Standing** is the strongest contact inside the period: heard (self), vouched (a relative who
could answer for them), reached, tried (a liaison, with and without success), else silent.

**A correction** stands at the time of the contact it corrects, which no longer counts; else a
call noted last week and corrected today would move into this week. Of several corrections of one
contact the last one counts. A correction that takes a call back (``undone``) stands for nothing.

**Silence** has the first class that applies, so that each has one next step:

1. ``unreachable``: every account blocked or gone by the period's end. Asking again is no use,
   whatever was asked before.
2. ``unanswered``: a check-in was delivered in the period. A question that waits for its answer
   comes before the reasons for not asking; also for the slower rhythm, whose rare check-in would
   else never be missed.
3. ``unreachable``: nothing that was sent in the period arrived, and something failed.
4. ``quiet``: the slower rhythm, so silence was to be expected; a notice asks for no answer.
5. ``unanswered``: anything else was delivered, or may have been (outcome unknown). What an officer
   or a relative is told as such (:data:`storage.outbox.messages.OF_OTHERS`) is not counted.
6. ``unasked``: nothing was sent in the period.

Of an account only its last state and when it changed are kept: one that came back after the
period's end is not counted as blocked in it. A person without accounts (erased since) is judged
by what was sent.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import CTE, ColumnElement, Select, and_, case, exists, func, not_, select, union_all
from sqlalchemy.orm import aliased

from storage.models import (
    Account,
    Checkin,
    Contact,
    Delivery,
    Enrolment,
    PastDelivery,
    Person,
    StatusChange,
)
from storage.outbox.messages import OF_OTHERS
from storage.people.areas import AreaInfo
from storage.register.expected import (
    SUBTREE,
    below,
    bounds_of,
    last_change,
    periods_cte,
    register_cte,
)
from storage.register.periods import Period

Standing = Literal["heard", "vouched", "reached", "tried", "silent"]
Silence = Literal["unreachable", "unanswered", "unasked", "quiet"]

STANDINGS: Final[tuple[Standing, ...]] = ("heard", "vouched", "reached", "tried", "silent")
SILENCES: Final[tuple[Silence, ...]] = ("unreachable", "unanswered", "unasked", "quiet")


def standings_query(area: AreaInfo, period: Period, now: datetime) -> Select[Any]:
    """The rows of :func:`standings` for one period, to join or filter as a subquery."""
    return select(standings(area, [period], now))


def standings(
    area: AreaInfo,
    periods: Sequence[Period],
    now: datetime,
    *also: ColumnElement[bool],
    silence: bool = True,
) -> CTE:
    """Everyone on the register of the area's subtree in each period, once.

    Columns: ``n`` (the period's place in ``periods``), ``person_id``, ``area_id`` (where they are
    enrolled), ``excluded`` (the reason, null for the expected), ``strength`` (4 heard … 0 silent,
    null for the excluded), ``standing``, and, unless not asked for, ``silence``. ``also`` narrows
    the rows by :class:`Enrolment` or :class:`Person`. Raises :class:`NotBegun`.

    Building it takes longer than a small area's answer: what is asked often is built once, from
    :func:`standings_asked`.
    """
    period = periods_cte(len(periods), bounds_of(area, periods, now))
    return _standings(period, below(Enrolment.area_id, area.path), also, silence=silence)


def standings_asked(count: int, *also: ColumnElement[bool], silence: bool = True) -> CTE:
    """:func:`standings` of ``count`` periods, whose area, periods and time come as parameters:
    :func:`storage.register.expected.bounds_of`.
    """
    return _standings(periods_cte(count), SUBTREE, also, silence=silence)


def _standings(
    period: CTE, subtree: ColumnElement[bool], also: Sequence[ColumnElement[bool]], *, silence: bool
) -> CTE:
    register = register_cte(period, subtree, *also)
    expected = register.c.excluded.is_(None)
    found = (
        select(
            register,
            case((expected, func.coalesce(_plain(period, register), 0))).label("plain"),
            case((expected, func.coalesce(_mended(period, register), 0))).label("mended"),
        )
        .select_from(register.join(period, period.c.n == register.c.n))
        .cte("found")
        .prefix_with("MATERIALIZED")
    )
    f = found.c
    strength = case((f.mended > f.plain, f.mended), else_=f.plain)
    labels = {4 - i: standing for i, standing in enumerate(STANDINGS)}
    columns: list[ColumnElement[Any]] = [
        f.n,
        f.person_id,
        f.area_id,
        f.excluded,
        strength.label("strength"),
        case(labels, value=strength).label("standing"),
    ]
    if silence:
        columns.append(case((strength == 0, _silence(period, found))).label("silence"))
    return (
        select(*columns)
        .select_from(found.join(period, period.c.n == f.n))
        .cte("standing")
        .prefix_with("MATERIALIZED")
    )


def _strength(contact: type[Contact]) -> ColumnElement[int]:
    return case(
        (contact.evidence == "self", 4),
        (and_(contact.evidence == "relative", contact.success), 3),
        (and_(contact.evidence == "liaison", contact.success), 2),
        (and_(contact.evidence == "liaison", contact.outcome != "undone"), 1),  # calls.UNDONE
        else_=0,
    )


def _plain(period: CTE, register: CTE) -> ColumnElement[Any]:
    """The strongest of the contacts that neither correct nor are corrected."""
    correction = aliased(Contact)
    return (
        select(func.max(_strength(Contact)))
        .where(
            Contact.person_id == register.c.person_id,
            Contact.at >= period.c.start,
            Contact.at < period.c.stop,
            Contact.corrects_id.is_(None),
            not_(exists().where(correction.corrects_id == Contact.id)),
        )
        .correlate(period, register)
        .scalar_subquery()
    )


def _mended(period: CTE, register: CTE) -> ColumnElement[Any]:
    """The strongest of the corrections, at the time of what they correct."""
    correction, corrected, newer = aliased(Contact), aliased(Contact), aliased(Contact)
    return (
        select(func.max(_strength(correction)))
        .join(corrected, corrected.id == correction.corrects_id)
        .where(
            correction.person_id == register.c.person_id,
            correction.corrects_id.is_not(None),
            corrected.at >= period.c.start,
            corrected.at < period.c.stop,
            # Two questions, not one with "or": each has its index.
            not_(exists().where(newer.corrects_id == correction.id)),
            not_(exists().where(newer.corrects_id == corrected.id, newer.id > correction.id)),
        )
        .correlate(period, register)
        .scalar_subquery()
    )


def _silence(period: CTE, found: CTE) -> ColumnElement[Any]:
    slower = case(
        (
            period.c.running == 1,
            select(Person.slower)
            .where(Person.id == found.c.person_id)
            .correlate(found)
            .scalar_subquery(),
        ),
        else_=func.coalesce(last_change(period, found.c.person_id, StatusChange.slower), False),
    )
    return case(
        (_cut_off(period, found) == 1, "unreachable"),
        (_asked(period, found), "unanswered"),
        else_=case(
            {
                _FAILED: "unreachable",
                _ARRIVED: case((slower, "quiet"), else_="unanswered"),
            },
            value=_sent(period, found),
            else_=case((slower, "quiet"), else_="unasked"),
        ),
    )


def _cut_off(period: CTE, found: CTE) -> ColumnElement[Any]:
    """1: there are accounts, and all were blocked or gone by the period's *until*."""
    dead = and_(Account.state.in_(("blocked", "gone")), Account.state_at < period.c.stop)
    return (
        select(func.min(case((dead, 1), else_=0)))
        .where(Account.person_id == found.c.person_id, Account.created_at < period.c.stop)
        .correlate(period, found)
        .scalar_subquery()
    )


def _asked(period: CTE, found: CTE) -> ColumnElement[bool]:
    return (
        exists()
        .where(
            Checkin.person_id == found.c.person_id,
            Checkin.due_at >= period.c.asked_after,
            Checkin.delivered_at >= period.c.start,
            Checkin.delivered_at < period.c.stop,
        )
        .correlate(period, found)
    )


_FAILED, _ARRIVED = 1, 2


def _sent(period: CTE, found: CTE) -> ColumnElement[Any]:
    """What became of the outbox's messages: the best outcome, null when nothing was sent."""

    def inside(at: ColumnElement[Any]) -> ColumnElement[bool]:
        return and_(at >= period.c.start, at < period.c.stop)

    # The person stands in each of the two: SQLite would not carry it into a union of them. Of the
    # new, few are one person's: the period is asked of those alone, or PostgreSQL goes through
    # everyone's that finished in it, for each.
    new = select(
        case((inside(Delivery.finished_at.expression), _outcome(Delivery))).label("outcome")
    ).where(Delivery.person_id == found.c.person_id, Delivery.template.not_in(OF_OTHERS))
    past = select(_outcome(PastDelivery)).where(
        PastDelivery.person_id == found.c.person_id,
        inside(PastDelivery.finished_at.expression),
        PastDelivery.template.not_in(OF_OTHERS),
    )
    each = union_all(new.correlate(period, found), past.correlate(period, found)).subquery()
    return select(func.max(each.c.outcome)).scalar_subquery()


def _outcome(message: type[Delivery | PastDelivery]) -> ColumnElement[Any]:
    return case(
        (message.state.in_(("sent", "unknown")), _ARRIVED),
        (message.state == "failed", _FAILED),
    )

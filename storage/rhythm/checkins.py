"""Check-ins and roll calls: asked, delivered, answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.engine.prepared import NUMBER, Prepared
from storage.models import (
    Checkin,
    PastDelivery,
    Person,
    Rollcall,
)
from storage.outbox.by_statement import enqueue_selected, message_columns

LONGEST_WINDOW: Final = timedelta(days=35)
"""No rule lets a check-in be answered in time for longer."""
_EXPECTED_STATUS: Final = ("away", "moving")


def in_one_order(which: Select[Any] | CompoundSelect[Any]) -> Select[Any]:
    """The same check-ins, locked by their ids, for a statement that changes several on PostgreSQL.

    Two that lock the same in different orders wait for each other.
    """
    rows = select(Checkin.id).where(Checkin.id.in_(which)).order_by(Checkin.id)
    return select(rows.with_for_update(key_share=True).cte("in_one_order").c.id)


_TAPPED: Final = aliased(Checkin)
_OTHER: Final = aliased(Checkin)
_ID: Final = bindparam("checkin", type_=BigInteger())
_ASKED_TOO: Final = (
    select(_OTHER.id)
    .select_from(_TAPPED)
    .join(_OTHER, _OTHER.person_id == _TAPPED.person_id)
    .where(
        _TAPPED.id == _ID,
        _TAPPED.person_id == bindparam("person"),
        _TAPPED.answered_at.is_(None),
        _OTHER.id != _TAPPED.id,
        _OTHER.answered_at.is_(None),
        _OTHER.due_at <= bindparam("at", type_=Checkin.due_at.type),
        # As below: in terms of the index.
        _OTHER.due_at > bindparam("since", type_=Checkin.due_at.type),
        _OTHER.window_until > bindparam("at", type_=Checkin.due_at.type),
        or_(_OTHER.delivered_at.is_not(None), _OTHER.rollcall_id.is_not(None)),
    )
)


def _answer(which: Select[Any] | CompoundSelect[Any]) -> Prepared:
    # One answer is for all that the person is asked just then.
    return Prepared(
        update(Checkin)
        .where(Checkin.id.in_(which), Checkin.person_id == bindparam("person"))
        .values(
            answered_at=func.coalesce(
                Checkin.answered_at, bindparam("at", type_=Checkin.due_at.type)
            ),
            answer=func.coalesce(Checkin.answer, bindparam("said")),
        )
        .returning(
            Checkin.id,
            Checkin.answered_at,
            Checkin.answer,
            Checkin.window_until,
            Checkin.rollcall_id,
            Checkin.bot_id,
            Checkin.chat_id,
            Checkin.message_id,
            select(func.coalesce(Rollcall.ended_at, Rollcall.closes_at))
            .where(Rollcall.id == Checkin.rollcall_id)
            .correlate(Checkin)
            .scalar_subquery()
            .label("over_at"),
            NUMBER,
        )
    )


_ASKED_JUST_THEN: Final = union_all(select(_ID), _ASKED_TOO)
_ANSWER: Final = _answer(_ASKED_JUST_THEN)
_ANSWER_BESIDE_OTHERS: Final = _answer(in_one_order(_ASKED_JUST_THEN))
_OPEN: Final = Prepared(
    select(
        Checkin.id,
        Checkin.bot_id,
        Checkin.chat_id,
        Checkin.message_id,
        Checkin.rollcall_id,
        NUMBER,
    )
    .where(
        Checkin.person_id == bindparam("person"),
        Checkin.delivered_at.is_not(None),
        Checkin.answered_at.is_(None),
        Checkin.due_at <= bindparam("at"),
        # Says no more than the next line, but in terms of the index: years of old ones stay apart.
        Checkin.due_at > bindparam("since"),
        Checkin.window_until > bindparam("at"),
    )
    .order_by(Checkin.due_at.desc(), Checkin.id.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Answered:
    """``answer`` and ``answered_at`` are the first answer's, which stands; ``first`` if this is it.

    ``in_time``: it was inside the check-in's window. ``over``: its roll call had ended.
    ``others``: what it answered, and that stands in a chat, itself included.
    """

    checkin_id: int
    first: bool
    in_time: bool
    rollcall: bool
    answer: str
    answered_at: datetime
    over: bool = False
    others: "tuple[OpenCheckin, ...]" = ()


@dataclass(frozen=True, slots=True)
class OpenCheckin:
    """A check-in waiting for its answer, and the message that asks it."""

    id: int
    bot_id: int
    chat_id: int
    message_id: int
    rollcall: bool


def is_expected() -> ColumnElement[bool]:
    """Workers who are asked: consent stands, away or on the move, not paused (design §4)."""
    return (
        Person.area_id.is_not(None)
        & Person.consented
        & Person.erased_at.is_(None)
        & Person.status.in_(_EXPECTED_STATUS)
    )


async def answer_checkin(
    tx: Tx, *, checkin_id: int, person_id: int, answer: str, now: datetime
) -> Answered | None:
    """Take an answer (``ok moved home help``); the first one stands.

    ``None`` when the check-in is not this person's. An answer counts after the window, too: it is
    only not *in time*. It answers all else that the person is asked at that moment, too.
    """
    rows = await tx.run(
        _ANSWER_BESIDE_OTHERS if tx.on_postgres else _ANSWER,
        {
            "checkin": checkin_id,
            "person": person_id,
            "at": now,
            "since": now - LONGEST_WINDOW,
            "said": answer,
        },
    )
    row = next((row for row in rows if row.id == checkin_id), None)
    if row is None:
        return None
    return Answered(
        checkin_id=checkin_id,
        first=row.answered_at == now,
        in_time=row.answered_at < row.window_until,
        rollcall=row.rollcall_id is not None,
        answer=row.answer,
        answered_at=row.answered_at,
        over=row.over_at is not None and row.over_at <= now,
        others=tuple(
            OpenCheckin(
                it.id, it.bot_id, it.chat_id, it.message_id, rollcall=it.rollcall_id is not None
            )
            for it in rows
            if it.message_id is not None
        ),
    )


async def open_checkin(tx: Tx, person_id: int, now: datetime) -> OpenCheckin | None:
    """The newest check-in that words like "fine" answer: delivered, unanswered, window open."""
    rows = await tx.run(_OPEN, {"person": person_id, "at": now, "since": now - LONGEST_WINDOW})
    if not rows:
        return None
    row = rows[0]
    return OpenCheckin(
        row.id, row.bot_id, row.chat_id, row.message_id, rollcall=row.rollcall_id is not None
    )


async def enqueue_checkins(
    tx: Tx,
    which: ColumnElement[bool],
    *,
    template: str,
    dedupe: ColumnElement[str],
    priority: int,
    urgent: bool,
    now: datetime,
    not_before: datetime | None = None,
    new: bool = False,
) -> int:
    """Write the message of every check-in that has none yet, in one statement; how many.

    Nor had one: what finished some time ago has moved to the past, where its key still stands.
    That is not looked for where the check-ins are ``new``, written in this transaction.
    They leave when they are due, or from ``not_before`` on.
    """
    had_one = exists(select(literal(1)).where(PastDelivery.dedupe_key == dedupe))
    messages = select(
        *message_columns(
            Checkin.person_id,
            template=template,
            priority=priority,
            urgent=urgent,
            dedupe_key=dedupe,
            not_before=Checkin.due_at if not_before is None else not_before,
            expires_at=Checkin.window_until,
            now=now,
            checkin_id=Checkin.id,
        )
    )
    return await enqueue_selected(
        tx, messages.where(which, literal(True) if new else ~had_one).order_by(Checkin.id)
    )

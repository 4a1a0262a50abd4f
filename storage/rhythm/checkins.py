"""Check-ins and roll calls: asked, delivered, answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    String,
    bindparam,
    cast,
    exists,
    func,
    literal,
    null,
    select,
    update,
)

from storage.database import Tx
from storage.engine.prepared import NUMBER, Prepared
from storage.models import (
    Area,
    Checkin,
    Delivery,
    PastDelivery,
    Person,
    Rollcall,
)
from storage.outbox.messages import URGENT, lane_of
from storage.people.areas import AreaInfo, in_subtree

ROLLCALL_WINDOW: Final = timedelta(hours=24)
LONGEST_WINDOW: Final = timedelta(days=35)
"""No rule lets a check-in be answered in time for longer."""
_EXPECTED_STATUS: Final = ("away", "moving")

_ANSWER: Final = Prepared(
    update(Checkin)
    .where(Checkin.id == bindparam("checkin"), Checkin.person_id == bindparam("person"))
    .values(
        answered_at=func.coalesce(Checkin.answered_at, bindparam("at", type_=Checkin.due_at.type)),
        answer=func.coalesce(Checkin.answer, bindparam("said")),
    )
    .returning(
        Checkin.answered_at,
        Checkin.answer,
        Checkin.window_until,
        Checkin.rollcall_id,
        NUMBER,
    )
)
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

    ``in_time``: it was inside the check-in's window.
    """

    checkin_id: int
    first: bool
    in_time: bool
    rollcall: bool
    answer: str
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class OpenCheckin:
    """A check-in waiting for its answer, and the message that asks it."""

    id: int
    bot_id: int
    chat_id: int
    message_id: int
    rollcall: bool


@dataclass(frozen=True, slots=True)
class RollcallPlanned:
    """``count``: how many are asked."""

    id: int
    count: int


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
    only not *in time*.
    """
    rows = await tx.run(
        _ANSWER, {"checkin": checkin_id, "person": person_id, "at": now, "said": answer}
    )
    if not rows:
        return None
    row = rows[0]
    return Answered(
        checkin_id=checkin_id,
        first=row.answered_at == now,
        in_time=row.answered_at < row.window_until,
        rollcall=row.rollcall_id is not None,
        answer=row.answer,
        answered_at=row.answered_at,
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


async def plan_rollcall(
    tx: Tx, *, area: AreaInfo, text: str, by: int | None, now: datetime
) -> RollcallPlanned:
    """Ask every expected worker of the area's subtree now.

    A roll call is for an emergency: its messages are urgent, so they leave at night too. It can
    be answered for 24 hours.
    """
    closes_at = now + ROLLCALL_WINDOW
    rollcall_id: int = await tx.scalar(
        tx.insert(Rollcall)
        .values(area_id=area.id, text=text, by_person_id=by, at=now, closes_at=closes_at)
        .returning(Rollcall.id)
    )
    await tx.execute(
        tx.insert(Checkin).from_select(
            ["person_id", "area_id", "rollcall_id", "slot", "due_at", "window_until"],
            select(
                Person.id,
                Person.area_id,
                literal(rollcall_id),
                literal("rollcall"),
                literal(now, Checkin.due_at.type),
                literal(closes_at, Checkin.due_at.type),
            )
            .join(Area, Area.id == Person.area_id)
            .where(in_subtree(Area.path, area.path), is_expected()),
        )
    )
    count = await enqueue_checkins(
        tx,
        Checkin.rollcall_id == rollcall_id,
        template="rollcall",
        dedupe=literal(f"rollcall:{rollcall_id}:") + cast(Checkin.person_id, String),
        priority=URGENT,
        urgent=True,
        now=now,
    )
    return RollcallPlanned(rollcall_id, count)


async def enqueue_checkins(
    tx: Tx,
    which: ColumnElement[bool],
    *,
    template: str,
    dedupe: ColumnElement[str],
    priority: int,
    urgent: bool,
    now: datetime,
    new: bool = False,
) -> int:
    """Write the message of every check-in that has none yet, in one statement; how many.

    Nor had one: what finished some time ago has moved to the past, where its key still stands.
    That is not looked for where the check-ins are ``new``, written in this transaction.
    """
    had_one = exists(select(literal(1)).where(PastDelivery.dedupe_key == dedupe))
    written = await tx.execute(
        tx.insert(Delivery)
        .from_select(
            [
                "person_id",
                "template",
                "priority",
                "urgent",
                "lane",
                "checkin_id",
                "dedupe_key",
                "not_before",
                "expires_at",
                "state",
                "attempts",
                "created_at",
                "params",
            ],
            select(
                Checkin.person_id,
                literal(template),
                literal(priority),
                literal(urgent),
                lane_of(Checkin.person_id),
                Checkin.id,
                dedupe,
                Checkin.due_at,
                Checkin.window_until,
                literal("queued"),
                literal(0),
                literal(now, Delivery.created_at.type),
                null(),
            )
            .where(which, literal(True) if new else ~had_one)
            .order_by(Checkin.id),
        )
        .on_conflict_do_nothing(index_elements=[Delivery.dedupe_key])
    )
    return written.rowcount

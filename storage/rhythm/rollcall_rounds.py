"""The rounds of a roll call, and its summary: written by statement, in chunks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Area, Checkin, Contact, Delivery, Person, Rollcall
from storage.outbox.by_statement import enqueue_selected, message_columns
from storage.outbox.messages import CHECKIN, QUEUED, SENDING, URGENT
from storage.people.areas import in_subtree
from storage.people.destinations import Destination
from storage.register.contacts import is_uncorrected
from storage.rhythm.checkins import enqueue_checkins, is_expected

CHUNK: Final = 5000
"""People looked at in one transaction, so that whoever else writes on SQLite waits shortly."""
SUMMARY_OF_USE: Final = timedelta(hours=24)
ROLLCALL_OVER: Final = "the roll call is over"
"""Why what still waited when it ended does not leave."""
_ASKED_FIRST: Final = "rollcall"


@dataclass(frozen=True, slots=True)
class DueRollcall:
    """A roll call that has something to do, locked. Times are UTC; ``every`` is in minutes."""

    id: int
    area_id: int
    path: str
    country: str | None
    province: str | None
    city: str | None
    urgent: bool
    every: int
    most: int
    at: datetime
    closes_at: datetime
    asked: int
    written_to: int | None
    ended_at: datetime | None

    @property
    def where(self) -> Destination:
        return Destination(self.country, self.province, self.city)


def to_ask(
    path: str, where: Destination, area_id: ColumnElement[int | None], *columns: Any
) -> Select[Any]:
    below = aliased(Area)
    return select(*columns).where(
        area_id.in_(select(below.id).where(in_subtree(below.path, path))),
        is_expected(),
        where.holds(),
    )


async def write_next(tx: Tx, due: DueRollcall, now: datetime) -> int:
    """Write the next chunk of the round, or of the summary; how many messages.

    The place it came to is kept in the same transaction as its messages: killed at any moment,
    it neither loses nor doubles anyone.
    """
    after = due.written_to or 0
    if due.asked == 1 and due.ended_at is None:
        written, last = await _ask(tx, due, after, now)
    else:
        last = await _last_asked(tx, due.id, after)
        written = 0
        if last is not None and due.ended_at is None:
            written = await _ask_again(tx, due, after, last, now)
        elif last is not None:
            await _call_off(tx, due.id, after, last, now)
            written = await _sum_up(tx, due, after, last, now)
    values: dict[str, Any] = {"written_to": last}
    if last is None and due.ended_at is not None:
        values |= {"closed_at": now, "next_at": None}
    await tx.execute(update(Rollcall).where(Rollcall.id == due.id).values(values))
    return written


async def _ask(tx: Tx, due: DueRollcall, after: int, now: datetime) -> tuple[int, int | None]:
    """The first round; up to whom, ``None`` when there is nobody any more."""
    few = to_ask(due.path, due.where, Person.area_id.expression, Person.id).limit(CHUNK + 1)
    if after == 0 and await tx.scalar(select(func.count()).select_from(few.subquery())) <= CHUNK:
        return await _ask_some(tx, due, None, Person.area_id.expression, now), None
    ahead = select(Person.id).where(Person.id > after).order_by(Person.id).limit(CHUNK).subquery()
    last: int | None = await tx.scalar(select(func.max(ahead.c.id)))
    if last is None:
        return 0, None
    # Not a bare column: as for broadcasts, many people are read in their own order.
    return await _ask_some(tx, due, (after + 1, last), Person.area_id + 0, now), last


async def _ask_some(
    tx: Tx,
    due: DueRollcall,
    some: tuple[int, int] | None,
    area_id: ColumnElement[int | None],
    now: datetime,
) -> int:
    stored = Checkin.due_at.type
    await tx.execute(
        tx.insert(Checkin)
        .from_select(
            ["person_id", "area_id", "rollcall_id", "slot", "due_at", "window_until"],
            to_ask(
                due.path,
                due.where,
                area_id,
                Person.id,
                Person.area_id,
                literal(due.id),
                literal("rollcall"),
                literal(due.at, stored),
                literal(due.closes_at, stored),
            ).where(literal(True) if some is None else Person.id.between(*some)),
        )
        .on_conflict_do_nothing()
    )
    which = Checkin.rollcall_id == due.id
    return await enqueue_checkins(
        tx,
        which if some is None else which & Checkin.person_id.between(*some),
        template=_ASKED_FIRST,
        dedupe=_key(due, Checkin.person_id),
        priority=URGENT if due.urgent else CHECKIN,
        urgent=due.urgent,
        now=now,
        # Not when the roll call began: claims have passed that place in the queue.
        not_before=now,
    )


def _key(due: DueRollcall, person_id: Any) -> ColumnElement[str]:
    again = "" if due.asked == 1 else f"{due.asked}:"
    return literal(f"rollcall:{due.id}:{again}") + cast(person_id, String)


async def _last_asked(tx: Tx, rollcall_id: int, after: int) -> int | None:
    ahead = (
        select(Checkin.person_id)
        .where(Checkin.rollcall_id == rollcall_id, Checkin.person_id > after)
        .order_by(Checkin.person_id)
        .limit(CHUNK)
        .subquery()
    )
    last: int | None = await tx.scalar(select(func.max(ahead.c.person_id)))
    return last


def _waits(checkin: Any = Checkin) -> ColumnElement[bool]:
    return exists(select(literal(1)).where(Delivery.checkin_id == checkin.id, or_(QUEUED, SENDING)))


async def _ask_again(tx: Tx, due: DueRollcall, after: int, last: int, now: datetime) -> int:
    """Nudge those without an answer, heard from nowhere, and with nothing on its way to them.

    Of two roll calls that run at once only the later one nudges a person: one answer is for both.
    """
    other, later = aliased(Checkin), aliased(Rollcall)
    heard = exists(
        select(literal(1)).where(
            Contact.person_id == Checkin.person_id,
            Contact.at >= Checkin.due_at,
            Contact.success,
            is_uncorrected(),
        )
    )
    asked_later = exists(
        select(literal(1))
        .select_from(other)
        .join(later, later.id == other.rollcall_id)
        .where(
            other.person_id == Checkin.person_id,
            other.due_at >= Checkin.due_at,
            other.rollcall_id > due.id,
            other.answered_at.is_(None),
            later.ended_at.is_(None),
        )
    )
    nudged = (
        select(*_message(due, "rollcall_nudge", due.closes_at, now, checkin_id=Checkin.id))
        .join(Person, Person.id == Checkin.person_id)
        .where(
            Checkin.rollcall_id == due.id,
            Checkin.person_id.between(after + 1, last),
            Checkin.answered_at.is_(None),
            is_expected(),
            ~_waits(),
            ~heard,
            ~asked_later,
        )
    )
    return await enqueue_selected(tx, nudged)


async def _sum_up(tx: Tx, due: DueRollcall, after: int, last: int, now: datetime) -> int:
    """Tell those who had the question, or answered without it, how it ended."""
    told = (
        select(*_message(due, "rollcall_over", now + SUMMARY_OF_USE, now))
        .join(Person, Person.id == Checkin.person_id)
        .where(
            Checkin.rollcall_id == due.id,
            Checkin.person_id.between(after + 1, last),
            or_(Checkin.delivered_at.is_not(None), Checkin.answered_at.is_not(None)),
            Person.consented,
            Person.erased_at.is_(None),
        )
    )
    return await enqueue_selected(tx, told)


async def _call_off(tx: Tx, rollcall_id: int, after: int, last: int, now: datetime) -> None:
    over = select(Checkin.id).where(
        Checkin.rollcall_id == rollcall_id, Checkin.person_id.between(after + 1, last)
    )
    await tx.execute(
        update(Delivery)
        .where(QUEUED, Delivery.checkin_id.in_(over))
        .values(state="cancelled", reason=ROLLCALL_OVER, finished_at=now)
        .execution_options(synchronize_session=False)
    )


def _message(
    due: DueRollcall, template: str, expires_at: datetime, now: datetime, **about: Any
) -> tuple[Any, ...]:
    asks = template != "rollcall_over"
    over = literal(f"rollcall_over:{due.id}:") + cast(Checkin.person_id, String)
    return message_columns(
        Checkin.person_id,
        template=template,
        params={"rollcall": due.id, "asked": due.asked},
        priority=URGENT if asks and due.urgent else CHECKIN,
        urgent=asks and due.urgent,
        dedupe_key=_key(due, Checkin.person_id) if asks else over,
        not_before=now,
        expires_at=expires_at,
        now=now,
        **about,
    )

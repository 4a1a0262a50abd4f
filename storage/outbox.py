"""The outbox: unsolicited messages, written in the transaction that decided them."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    delete,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from storage.database import Tx
from storage.models import Account, Delivery

URGENT: Final = 0
CHECKIN: Final = 1
REMINDER: Final = 2
BROADCAST: Final = 3
PRIORITIES: Final = (URGENT, CHECKIN, REMINDER, BROADCAST)

STATES: Final = ("queued", "sending", "sent", "unknown", "failed", "expired", "cancelled")
NEVER_TWICE: Final = ("broadcast",)
"""Templates that are marked ``unknown`` when it cannot be known whether they went out; all others
are sent again."""

KEPT_FOR: Final = timedelta(days=30)
_BATCH: Final = 5000

# Spelt out rather than bound: a partial index serves only a statement that names its condition.
QUEUED: Final[ColumnElement[bool]] = Delivery.state == literal_column("'queued'")
SENDING: Final[ColumnElement[bool]] = Delivery.state == literal_column("'sending'")


def lane_of(person_id: Any, running: Collection[int] = ()) -> ScalarSelect[int]:
    """The bot of the account a person is best reached at; null when there is none.

    That is the account whose state changed last (someone who came back is there), then the
    newest. Accounts of the ``running`` bots go first.
    """
    order: list[Any] = [Account.state_at.desc(), Account.id.desc()]
    if running:
        order.insert(0, Account.bot_id.in_(running).desc())
    return (
        select(Account.bot_id)
        .where(Account.person_id == person_id, Account.state == "reachable")
        .order_by(*order)
        .limit(1)
        .scalar_subquery()
    )


async def enqueue(
    tx: Tx,
    *,
    person_id: int,
    template: str,
    priority: int,
    dedupe_key: str,
    now: datetime,
    expires_at: datetime,
    params: dict[str, Any] | None = None,
    urgent: bool = False,
    not_before: datetime | None = None,
    checkin_id: int | None = None,
    broadcast_id: int | None = None,
    case_id: int | None = None,
    case_message_id: int | None = None,
) -> int | None:
    """Write one message for one person; ``None`` when ``dedupe_key`` is already there.

    ``urgent`` leaves at night too. ``params`` are kept as they are, unsealed: ids and codes, not
    words about a person.
    """
    written: int | None = await tx.scalar(
        tx.insert(Delivery)
        .values(
            person_id=person_id,
            template=template,
            params=params,
            priority=priority,
            urgent=urgent,
            lane=lane_of(person_id),
            checkin_id=checkin_id,
            broadcast_id=broadcast_id,
            case_id=case_id,
            case_message_id=case_message_id,
            dedupe_key=dedupe_key,
            not_before=not_before or now,
            expires_at=expires_at,
            state="queued",
            attempts=0,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[Delivery.dedupe_key])
        .returning(Delivery.id)
    )
    return written


async def settle_laneless(tx: Tx, now: datetime, running: Collection[int]) -> int:
    """Give due messages without a lane the person's best one; fail those of nobody's account.

    Returns how many failed. The reason that an earlier attempt left ("blocked") stays.
    """
    due = [QUEUED, Delivery.lane.is_(None), Delivery.not_before <= now]
    reachable = exists(
        select(literal(1)).where(
            Account.person_id == Delivery.person_id, Account.state == "reachable"
        )
    )
    await tx.execute(
        update(Delivery)
        .where(Delivery.id.in_(select(Delivery.id).where(*due, reachable).limit(_BATCH)))
        .values(lane=lane_of(Delivery.person_id, running))
        .execution_options(synchronize_session=False)
    )
    failed = await tx.execute(
        update(Delivery)
        .where(Delivery.id.in_(select(Delivery.id).where(*due, ~reachable).limit(_BATCH)))
        .values(
            state="failed", reason=func.coalesce(Delivery.reason, "no account"), finished_at=now
        )
    )
    return failed.rowcount


async def note_stranded(
    tx: Tx, now: datetime, running: Collection[int], *, after: timedelta = timedelta(minutes=10)
) -> int:
    """Look at messages overdue by ``after`` on a lane that this process does not run.

    Who has an account on a running lane is moved there; the others keep waiting (another process
    may run it) with a reason. Returns how many were touched.
    """
    stranded = [
        QUEUED,
        Delivery.lane.not_in(running),
        Delivery.not_before <= now - after,
    ]
    elsewhere = exists(
        select(literal(1)).where(
            Account.person_id == Delivery.person_id,
            Account.state == "reachable",
            Account.bot_id.in_(running),
        )
    )
    moved = await tx.execute(
        update(Delivery)
        .where(Delivery.id.in_(select(Delivery.id).where(*stranded, elsewhere).limit(_BATCH)))
        .values(lane=lane_of(Delivery.person_id, running))
    )
    waiting = "waits for its channel"
    noted = await tx.execute(
        update(Delivery)
        .where(
            Delivery.id.in_(
                select(Delivery.id)
                .where(*stranded, or_(Delivery.reason.is_(None), Delivery.reason != waiting))
                .limit(_BATCH)
            )
        )
        .values(reason=waiting)
    )
    return moved.rowcount + noted.rowcount


async def expire_due(tx: Tx, now: datetime) -> int:
    """End what is pointless by now, a batch at a time; the reason it waited for stays."""
    expired = await tx.execute(
        update(Delivery)
        .where(
            Delivery.id.in_(
                select(Delivery.id).where(QUEUED, Delivery.expires_at <= now).limit(_BATCH)
            )
        )
        .values(
            state="expired",
            reason=func.coalesce(Delivery.reason, "not sent in time"),
            finished_at=now,
        )
    )
    return expired.rowcount


async def prune_finished(tx: Tx, now: datetime) -> int:
    """Drop messages finished more than 30 days ago, a batch at a time.

    What a delivery proved stays in its check-in; a case's message stays with the case. Replies
    to a case's message are found through its delivery, so those go with the rest after 30 days.
    """
    gone = await tx.execute(
        delete(Delivery).where(
            Delivery.id.in_(
                select(Delivery.id).where(Delivery.finished_at < now - KEPT_FOR).limit(_BATCH)
            )
        )
    )
    return gone.rowcount


async def outbox_states(tx: Tx, now: datetime) -> dict[str, Any]:
    """``{"states": {state: n}, "oldest_due_seconds": x or None}``, as design §5 gives it.

    Finished messages count for 30 days. The age is that of the longest overdue queued message.
    """
    counted = await tx.execute(
        select(Delivery.state, func.count().label("n"))
        .where(or_(Delivery.finished_at.is_(None), Delivery.finished_at >= now - KEPT_FOR))
        .group_by(Delivery.state)
    )
    states = dict.fromkeys(STATES, 0)
    states.update({row.state: row.n for row in counted})
    oldest: datetime | None = await tx.scalar(
        select(func.min(Delivery.not_before)).where(QUEUED, Delivery.not_before <= now)
    )
    age = None if oldest is None else round((now - oldest).total_seconds(), 3)
    return {"states": states, "oldest_due_seconds": age}


async def waiting_states(tx: Tx, now: datetime) -> dict[str, float]:
    """``{"queued", "sending", "oldest_due_seconds"}`` from the partial indexes alone.

    Cheap enough to ask every few seconds; ``oldest_due_seconds`` is 0 when nothing is overdue.
    """
    found: dict[str, float] = {}
    for state, condition in (("queued", QUEUED), ("sending", SENDING)):
        found[state] = await tx.scalar(select(func.count()).where(condition))
    oldest: datetime | None = await tx.scalar(
        select(func.min(Delivery.not_before)).where(QUEUED, Delivery.not_before <= now)
    )
    found["oldest_due_seconds"] = 0.0 if oldest is None else (now - oldest).total_seconds()
    return found

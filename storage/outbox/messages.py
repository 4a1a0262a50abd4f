"""The outbox: unsolicited messages, written in the transaction that decided them."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    Update,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from storage.database import Tx
from storage.models import Account, Delivery, LanePace

URGENT: Final = 0
CHECKIN: Final = 1
REMINDER: Final = 2
BROADCAST: Final = 3
PRIORITIES: Final = (URGENT, CHECKIN, REMINDER, BROADCAST)

STATES: Final = ("queued", "sending", "sent", "unknown", "failed", "expired", "cancelled")
NEVER_TWICE: Final = ("broadcast",)
"""Templates that are marked ``unknown`` when it cannot be known whether they went out; all others
are sent again."""

OF_OTHERS: Final = (
    "case_new",
    "case_more",
    "help_urgent",
    "kin_ask",
    "kin_agreed",
    "kin_stopped",
    "kin_over",
    "tasks",
    "tasks_call",
    "tasks_raised",
    "rollcall_report",
)
"""Templates that say nothing to a worker as such: to officers about their people, to relatives
about the worker they speak for, and to either about what joins them."""

STRANDED: Final = "waits for its channel"
"""Why a message waits that no process has a bot for."""
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
    reminder_id: int | None = None,
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
            reminder_id=reminder_id,
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
    """Look at messages overdue by ``after`` on a lane that no process has sent through since.

    Who has an account on a ``running`` lane is moved there; the others keep waiting (a process
    that runs theirs may start) with a reason. Returns how many were touched.
    """
    served = select(LanePace.bot_id).where(LanePace.free_at > now - after)
    overdue = (QUEUED, Delivery.not_before <= now - after, Delivery.lane.not_in(served))
    elsewhere = exists(
        select(literal(1)).where(
            Account.person_id == Delivery.person_id,
            Account.state == "reachable",
            Account.bot_id.in_(running),
        )
    )
    unnoted = or_(Delivery.reason.is_(None), Delivery.reason != STRANDED)
    touched = 0
    for between in _lanes_between(sorted(running)):
        stranded = select(Delivery.id).where(*overdue, *between).limit(_BATCH)
        for found, change in (
            (elsewhere, {"lane": lane_of(Delivery.person_id, running)}),
            (unnoted, {"reason": STRANDED}),
        ):
            changed = update(Delivery).where(_picked(stranded.where(found))).values(change)
            touched += await _count(tx, changed)
    return touched


async def _count(tx: Tx, change: Update) -> int:
    """Make the change; how many rows it met, which SQLite's driver does not count after WITH."""
    return len((await tx.execute(change.returning(Delivery.id))).all())


def _picked(ids: Select[int]) -> ColumnElement[bool]:
    """Those that nobody else is busy with.

    Materialised by its row lock: PostgreSQL would otherwise be free to run the limit per row.
    """
    return Delivery.id.in_(select(ids.with_for_update(skip_locked=True).cte("picked").c.id))


def _lanes_between(running: Sequence[int]) -> Iterator[tuple[ColumnElement[bool], ...]]:
    """All other lanes, as ranges: an index is not asked for what is not in a list."""
    below: tuple[ColumnElement[bool], ...] = (Delivery.lane.is_not(None),)
    for lane in running:
        yield *below, Delivery.lane < lane
        below = (Delivery.lane > lane,)
    yield below


async def expire_due(tx: Tx, now: datetime, limit: int = _BATCH) -> int:
    """End up to ``limit`` that are pointless by now; the reason they waited for stays."""
    expired = (
        update(Delivery)
        .where(
            _picked(
                select(Delivery.id)
                .where(QUEUED, Delivery.expires_at <= now)
                .order_by(Delivery.expires_at)
                .limit(limit)
            )
        )
        .values(
            state="expired",
            reason=func.coalesce(Delivery.reason, "not sent in time"),
            finished_at=now,
        )
    )
    return await _count(tx, expired)

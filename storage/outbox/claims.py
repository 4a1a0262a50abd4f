"""Taking messages from the outbox to send them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, bindparam, case, func, or_, select, tuple_, update

from storage.database import Tx
from storage.engine.given import as_given, given_ids
from storage.engine.prepared import Prepared
from storage.models import Account, Area, Broadcast, Checkin, Delivery, Person
from storage.outbox.messages import BROADCAST, PRIORITIES, QUEUED, SENDING
from storage.people.who import LANGUAGE, TIMEZONE

_AT: Final = Delivery.not_before.type


class Queue(NamedTuple):
    """Messages that wait in one order: of a lane, a priority, and a broadcast or none."""

    lane: int
    priority: int
    broadcast_id: int | None = None


Place = tuple[datetime, int]
"""A place in a queue: ``not_before`` and id."""

FRONT: Final[Place] = (datetime(1970, 1, 1, tzinfo=UTC), 0)


class Address(NamedTuple):
    """One of a person's accounts that can be reached; nothing is to be sent to it before
    ``held_until``."""

    account_id: int
    channel: str
    bot_id: int
    chat_id: int
    held_until: datetime | None = None


class Claimed(NamedTuple):
    """A message taken for sending, with what is looked at again before it leaves.

    ``name`` is still sealed. ``language`` and ``timezone`` are as
    :class:`storage.people.who.Who`'s. ``attempts`` counts this one, and tells this claim from a
    later one of the same message. ``waited`` is the reason it waited for, if any; ``stopped_at`` is
    when its broadcast was called off. ``to`` is None when no account can be reached; ``trouble``
    then says why.
    """

    id: int
    lane: int
    person_id: int
    template: str
    urgent: bool
    attempts: int
    expires_at: datetime
    waited: str | None
    checkin_id: int | None
    broadcast_id: int | None
    case_id: int | None
    case_message_id: int | None
    ref: str
    name: bytes | None
    status: str
    consented: bool
    erased_at: datetime | None
    quiet_from: int
    quiet_to: int
    language: str
    timezone: str
    answered_at: datetime | None
    stopped_at: datetime | None
    to: Address | None
    trouble: str | None


def _queue(broadcast: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
    """The due messages of a queue behind a place, as one range of ``ix_delivery_due``."""
    return (
        QUEUED,
        Delivery.lane == bindparam("on_lane"),
        Delivery.priority == bindparam("of_priority"),
        broadcast,
        Delivery.not_before <= bindparam("at", type_=_AT),
        tuple_(Delivery.not_before, Delivery.id)
        > tuple_(bindparam("after", type_=_AT), bindparam("after_id", type_=BigInteger())),
    )


# PostgreSQL does not see that a broadcast_id that is null is always the same: it has to be told
# the index's whole order to use it.
_ORDER: Final = (Delivery.broadcast_id, Delivery.not_before, Delivery.id)


def _claim(broadcast: ColumnElement[bool]) -> Prepared:
    # Materialised by its row lock: PostgreSQL would otherwise be free to run the limit per row.
    picked = (
        select(Delivery.id)
        .where(*_queue(broadcast))
        .order_by(*_ORDER)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    return Prepared(
        update(Delivery)
        .where(Delivery.id.in_(select(picked.c.id)))
        .values(
            state="sending",
            attempts=Delivery.attempts + 1,
            lease_until=bindparam("lease", type_=_AT),
        )
        .returning(Delivery.not_before, Delivery.id)
    )


_OF_NONE: Final = Delivery.broadcast_id.is_(None)
_OF_ONE: Final = Delivery.broadcast_id == bindparam("broadcast")
_CLAIM_OF_NONE: Final = _claim(_OF_NONE)
_CLAIM_OF_ONE: Final = _claim(_OF_ONE)


def _head(priority: int) -> Any:
    """The first due message of a lane's queue of ``priority``, behind its place."""
    return (
        select(Delivery.id)
        .where(
            QUEUED,
            Delivery.lane == bindparam("on_lane"),
            Delivery.priority == priority,
            _OF_NONE,
            Delivery.not_before <= bindparam("at", type_=_AT),
            tuple_(Delivery.not_before, Delivery.id)
            > tuple_(
                bindparam(f"after{priority}", type_=_AT),
                bindparam(f"after_id{priority}", type_=BigInteger()),
            ),
        )
        .order_by(*_ORDER)
        .limit(1)
        .scalar_subquery()
    )


_HEADS: Final = Prepared(select(*(_head(it).label(f"head{it}") for it in PRIORITIES)))
_MOST_BROADCASTS: Final = 200
_BROADCASTS_DUE: Final = Prepared(
    select(Broadcast.id)
    .where(
        Broadcast.ended_at.is_(None),
        # With a limit, so that PostgreSQL looks it up once for each broadcast.
        select(Delivery.id)
        .where(
            QUEUED,
            Delivery.lane == bindparam("on_lane"),
            Delivery.priority == BROADCAST,
            Delivery.broadcast_id == Broadcast.id,
            Delivery.not_before <= bindparam("at", type_=_AT),
        )
        .order_by(*_ORDER)
        .limit(1)
        .correlate(Broadcast)
        .scalar_subquery()
        .is_not(None),
    )
    .order_by(Broadcast.id)
    .limit(_MOST_BROADCASTS)
)
_LOAD: Final = Prepared(
    select(
        Delivery.id,
        Delivery.lane,
        Delivery.person_id,
        Delivery.template,
        Delivery.urgent,
        Delivery.attempts,
        Delivery.expires_at,
        Delivery.reason,
        Delivery.checkin_id,
        Delivery.broadcast_id,
        Delivery.case_id,
        Delivery.case_message_id,
        Person.ref,
        Person.name,
        Person.status,
        Person.consented,
        Person.erased_at,
        Person.quiet_from,
        Person.quiet_to,
        LANGUAGE,
        TIMEZONE,
        Checkin.answered_at,
        Broadcast.stopped_at,
        Account.id.label("account_id"),
        Account.channel,
        Account.bot_id,
        Account.chat_id,
        Account.held_until,
        Account.state.label("account_state"),
    )
    .join(Person, Person.id == Delivery.person_id)
    .outerjoin(Area, Area.id == Person.area_id)
    .outerjoin(Checkin, Checkin.id == Delivery.checkin_id)
    .outerjoin(Broadcast, Broadcast.id == Delivery.broadcast_id)
    .outerjoin(Account, Account.person_id == Delivery.person_id)
    .where(Delivery.id.in_(given_ids("ids")))
    .order_by(
        Delivery.priority,
        Delivery.not_before,
        Delivery.id,
        case((Account.channel == Person.prefers, 0), else_=1),
        Account.state_at.desc(),
        Account.id.desc(),
    )
)
_OWN: Final = 23  # columns of the message itself, in the order of Claimed; then the account's


async def find_due(tx: Tx, now: datetime, lane: int, behind: Mapping[Queue, Place]) -> list[Queue]:
    """A lane's queues of no broadcast that have something due behind their place.

    Takes no lock; a queue that ``behind`` does not name is looked at from its front.
    """
    values: dict[str, Any] = {"on_lane": lane, "at": now}
    queues = [Queue(lane, priority) for priority in PRIORITIES]
    for queue in queues:
        at, after_id = behind.get(queue, FRONT)
        values[f"after{queue.priority}"] = at
        values[f"after_id{queue.priority}"] = after_id
    (row,) = await tx.run(_HEADS, values)
    return [queue for queue, head in zip(queues, row, strict=True) if head is not None]


async def find_broadcasts_due(tx: Tx, now: datetime, lane: int) -> list[Queue]:
    """The queues of running broadcasts that have something due, the oldest broadcasts first."""
    rows = await tx.run(_BROADCASTS_DUE, {"on_lane": lane, "at": now})
    return [Queue(lane, BROADCAST, row.id) for row in rows]


async def claim_due(
    tx: Tx, now: datetime, queue: Queue, limit: int, lease_until: datetime, behind: Place = FRONT
) -> list[Place]:
    """Take up to ``limit`` due messages of a queue from behind a place, the oldest first.

    The attempt is counted here, before any request leaves. Two processes never take the same
    message: SQLite has one writer, PostgreSQL skips what another has locked. Messages past their
    use are among them. Returns the places they had, in no order.
    """
    values = {
        "on_lane": queue.lane,
        "of_priority": queue.priority,
        "at": now,
        "after": behind[0],
        "after_id": behind[1],
        "most": limit,
        "lease": lease_until,
    }
    if queue.broadcast_id is None:
        rows = await tx.run(_CLAIM_OF_NONE, values)
    else:
        rows = await tx.run(_CLAIM_OF_ONE, {**values, "broadcast": queue.broadcast_id})
    return [(row[0], row[1]) for row in rows]


async def load_claimed(tx: Tx, ids: Collection[int], running: Collection[int]) -> list[Claimed]:
    """What was taken, by priority, then by age, with the account it is best sent to.

    That is as :func:`storage.outbox.messages.lane_of` says, but an account of a ``running`` bot
    first, and of these one on the channel that the person chose. That is looked at here alone, so
    that planning for everyone need not; what waits in another lane moves over.
    """
    rows = await tx.run(_LOAD, {"ids": as_given((it,) for it in ids)})
    if len(rows) == len(ids):  # everyone has one account: the usual case
        return [_claimed((row,), running) for row in rows]
    return [_claimed(list(same), running) for _, same in groupby(rows, attrgetter("id"))]


def _claimed(rows: Sequence[Any], running: Collection[int]) -> Claimed:
    """One message; ``rows`` has each of the person's accounts, the best first."""
    best = None
    for row in rows:
        if row.account_state == "reachable" and (best is None or row.bot_id in running):
            best = row
            if row.bot_id in running:
                break
    if best is None:
        return Claimed._make((*rows[0][:_OWN], None, rows[0].account_state or "no account"))
    return Claimed._make((*best[:_OWN], Address._make(best[_OWN:-1]), None))


_RECENT: Final = Prepared(
    select(Delivery.person_id, func.count().label("n"))
    .where(
        Delivery.person_id.in_(given_ids("people")),
        Delivery.id.not_in(given_ids("but")),
        SENDING | (Delivery.finished_at > bindparam("since", type_=_AT)),
        or_(Delivery.state == "sending", Delivery.state == "sent", Delivery.state == "unknown"),
    )
    .group_by(Delivery.person_id)
)


async def count_recent(
    tx: Tx, people: Collection[int], but: Collection[int], since: datetime
) -> dict[int, int]:
    """How many messages went to these people since then, or are on their way, whoever sends them.

    Without the messages ``but``; people with none are left out.
    """
    values = {
        "people": as_given((it,) for it in people),
        "but": as_given((it,) for it in but),
        "since": since,
    }
    return {row.person_id: row.n for row in await tx.run(_RECENT, values)}

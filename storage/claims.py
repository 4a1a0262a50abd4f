"""Taking messages from the outbox to send them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, literal, select, update

from storage.database import Tx
from storage.models import Account, Area, Checkin, Delivery, Person
from storage.outbox import PRIORITIES, QUEUED
from storage.people import LANGUAGE, TIMEZONE

_AT: Final = Delivery.not_before.type


@dataclass(frozen=True, slots=True)
class Address:
    """One of a person's accounts that can be reached."""

    account_id: int
    channel: str
    bot_id: int
    chat_id: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message taken for sending, with what is looked at again before it leaves.

    ``name`` is still sealed. ``language`` and ``timezone`` are as :class:`storage.people.Who`'s.
    ``attempts`` counts this one, and tells this claim from a later one of the same message.
    ``to`` is None when no account can be reached; ``trouble`` then says why.
    """

    id: int
    lane: int
    person_id: int
    template: str
    params: dict[str, Any]
    priority: int
    urgent: bool
    attempts: int
    expires_at: datetime
    checkin_id: int | None
    broadcast_id: int | None
    case_id: int | None
    case_message_id: int | None
    ref: str
    name: bytes | None
    language: str
    timezone: str
    status: str
    consented: bool
    erased: bool
    quiet_from: int
    quiet_to: int
    answered: bool
    to: Address | None
    trouble: str | None


_IS_DUE: Final = (
    select(literal(1))
    .where(
        QUEUED,
        Delivery.lane.in_(bindparam("lanes", expanding=True)),
        Delivery.priority.in_(PRIORITIES),
        Delivery.not_before <= bindparam("at"),
    )
    .limit(1)
)
# Materialised by its row lock: PostgreSQL would otherwise be free to run the limit again per row.
_PICKED: Final = (
    select(Delivery.id)
    .where(
        QUEUED,
        Delivery.lane == bindparam("on_lane"),
        Delivery.priority == bindparam("of_priority"),
        Delivery.not_before <= bindparam("at", type_=_AT),
        Delivery.expires_at > bindparam("at", type_=_AT),
    )
    .order_by(Delivery.not_before, Delivery.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("picked")
)
_CLAIM: Final = (
    update(Delivery)
    .where(Delivery.id.in_(select(_PICKED.c.id)))
    .values(
        state="sending",
        attempts=Delivery.attempts + 1,
        lease_until=bindparam("lease", type_=_AT),
    )
    .returning(Delivery.id)
)
_LOAD: Final = (
    select(
        Delivery.id,
        Delivery.lane,
        Delivery.person_id,
        Delivery.template,
        Delivery.params,
        Delivery.priority,
        Delivery.urgent,
        Delivery.attempts,
        Delivery.expires_at,
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
    )
    .join(Person, Person.id == Delivery.person_id)
    .outerjoin(Area, Area.id == Person.area_id)
    .outerjoin(Checkin, Checkin.id == Delivery.checkin_id)
    .where(Delivery.id.in_(bindparam("ids", expanding=True)))
    .order_by(Delivery.priority, Delivery.not_before, Delivery.id)
)
_ACCOUNTS: Final = (
    select(Account.id, Account.person_id, Account.channel, Account.bot_id, Account.chat_id)
    .add_columns(Account.state)
    .where(Account.person_id.in_(bindparam("people", expanding=True)))
    .order_by(Account.state_at.desc(), Account.id.desc())
)


async def is_due(tx: Tx, now: datetime, lanes: Collection[int]) -> bool:
    """Whether a claim on these lanes would find something; cheap, and takes no lock."""
    return await tx.scalar(_IS_DUE, {"lanes": list(lanes), "at": now}) is not None


async def claim_due(
    tx: Tx,
    now: datetime,
    *,
    lane: int,
    running: Collection[int],
    limit: int,
    lease_until: datetime,
) -> list[Claimed]:
    """Take up to ``limit`` due messages of a lane, by priority, then by age.

    The attempt is counted here, before any request leaves. Two processes never take the same
    message: SQLite has one writer, PostgreSQL skips what another has locked. An account of a
    ``running`` bot is preferred to one of a bot that is not.
    """
    ids: list[int] = []
    for priority in PRIORITIES:
        if len(ids) >= limit:
            break
        taken = await tx.execute(
            _CLAIM,
            {
                "on_lane": lane,
                "of_priority": priority,
                "at": now,
                "most": limit - len(ids),
                "lease": lease_until,
            },
        )
        ids += taken.scalars().all()
    if not ids:
        return []
    rows = (await tx.execute(_LOAD, {"ids": ids})).all()
    accounts = await tx.execute(_ACCOUNTS, {"people": list({row.person_id for row in rows})})
    by_person: dict[int, list[Row[Any]]] = {}
    for account in accounts:
        by_person.setdefault(account.person_id, []).append(account)
    return [_claimed(row, by_person.get(row.person_id, []), running) for row in rows]


def _claimed(row: Row[Any], accounts: Sequence[Row[Any]], running: Collection[int]) -> Claimed:
    reachable = [account for account in accounts if account.state == "reachable"]
    reachable.sort(key=lambda account: account.bot_id not in running)  # stable: newest first
    best = reachable[0] if reachable else None
    trouble = None
    if best is None:
        trouble = accounts[0].state if accounts else "no account"
    return Claimed(
        id=row.id,
        lane=row.lane,
        person_id=row.person_id,
        template=row.template,
        params=row.params or {},
        priority=row.priority,
        urgent=row.urgent,
        attempts=row.attempts,
        expires_at=row.expires_at,
        checkin_id=row.checkin_id,
        broadcast_id=row.broadcast_id,
        case_id=row.case_id,
        case_message_id=row.case_message_id,
        ref=row.ref,
        name=row.name,
        language=row.language,
        timezone=row.timezone,
        status=row.status,
        consented=row.consented,
        erased=row.erased_at is not None,
        quiet_from=row.quiet_from,
        quiet_to=row.quiet_to,
        answered=row.answered_at is not None,
        to=None if best is None else Address(best.id, best.channel, best.bot_id, best.chat_id),
        trouble=trouble,
    )

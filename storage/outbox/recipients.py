"""Whom a broadcast was written for, and what became of each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, literal, or_, select, union_all

from storage.database import Tx
from storage.models import Area, Delivery, Person
from storage.outbox.broadcasts import BroadcastInfo, broadcast_outcome
from storage.outbox.past import DELIVERIES
from storage.people.duties import covers
from storage.vault import SealBroken

OUTCOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "sent": ("sent",),
    "waiting": ("queued", "sending"),
    "unknown": ("unknown",),
    "failed": ("failed",),
    "expired": ("expired",),
    "cancelled": ("cancelled",),
}
"""What can become of a recipient, and the states of messages that mean it."""
MISSED: Final = ("unknown", "failed", "expired", "cancelled")
"""The outcomes of those who did not get it, or may not have."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How many stand where. ``waiting`` counts those it is still to be written for, too.

    ``waits``: why people wait, and how many for each reason, the most first. Who is simply next
    has none.
    """

    sent: int
    waiting: int
    unknown: int
    failed: int
    expired: int
    cancelled: int
    waits: tuple[tuple[str, int], ...] = ()

    @property
    def missed(self) -> int:
        """How many did not get it, and will not."""
        return self.failed + self.expired + self.cancelled

    def of(self, outcome: str) -> int:
        return int(getattr(self, outcome))


@dataclass(frozen=True, slots=True)
class Recipient:
    """``name`` is None for someone who has left, or whom the reader does not look after now.

    ``at`` (UTC) is when the message ended, ``reason`` why, or why it waits.
    """

    person_id: int
    ref: str | None
    name: str | None
    state: str
    reason: str | None
    at: datetime | None


async def count_recipients(tx: Tx, broadcast: BroadcastInfo) -> Figures:
    """Where the broadcast's recipients stand, now or any time until the messages are pruned."""
    states = await broadcast_outcome(tx, broadcast.id)
    unwritten = 0
    if broadcast.expanded_at is None and broadcast.stopped_at is None:
        unwritten = max(0, broadcast.audience - sum(states.values()))
    counted = {
        outcome: sum(states.get(state, 0) for state in of) for outcome, of in OUTCOMES.items()
    }
    counted["waiting"] += unwritten
    waits: list[tuple[str, int]] = []
    if states.keys() & set(OUTCOMES["waiting"]):
        waits = await _waits(tx, broadcast.id)
    return Figures(**counted, waits=tuple(waits))


async def _waits(tx: Tx, broadcast_id: int) -> list[tuple[str, int]]:
    found = await tx.execute(
        select(Delivery.reason, func.count().label("n"))
        .where(
            Delivery.broadcast_id == broadcast_id,
            Delivery.state.in_(OUTCOMES["waiting"]),
            Delivery.reason.is_not(None),
        )
        .group_by(Delivery.reason)
        .order_by(func.count().desc(), Delivery.reason)
    )
    return [(row.reason, row.n) for row in found]


async def list_recipients(
    tx: Tx,
    officer_id: int | None,
    broadcast_id: int,
    outcomes: Collection[str],
    *,
    limit: int,
    offset: int = 0,
) -> list[Recipient]:
    """A page of those with one of these ``outcomes``, in the order they were written for.

    ``officer_id``: whose eyes it is for; None is the operator, who sees every name.
    """
    states = [state for outcome in outcomes for state in OUTCOMES[outcome]]
    both = union_all(
        *(_recipients(table, officer_id, broadcast_id, states) for table in DELIVERIES)
    )
    page = both.order_by("id").limit(limit).offset(offset)
    return [_recipient(tx, row) for row in await tx.execute(page)]


def _recipients(
    table: Any, officer_id: int | None, broadcast_id: int, states: Collection[str]
) -> Select[Any]:
    seen = literal(True) if officer_id is None else covers(officer_id, Area.path)
    return (
        select(
            table.id.label("id"),
            table.person_id,
            table.state,
            table.reason,
            table.finished_at,
            Person.ref,
            Person.name,
            (or_(seen, literal(False)) & Person.erased_at.is_(None)).label("seen"),
        )
        .outerjoin(Person, Person.id == table.person_id)
        .outerjoin(Area, Area.id == Person.area_id)
        .where(table.broadcast_id == broadcast_id, table.state.in_(states))
    )


def _recipient(tx: Tx, row: Any) -> Recipient:
    name = None
    if row.seen:
        try:
            name = "" if row.name is None else tx.vault.open("person.name", row.ref, row.name)
        except SealBroken:
            name = ""
    return Recipient(
        row.person_id,
        row.ref if row.seen else None,
        name,
        row.state,
        row.reason,
        row.finished_at,
    )

"""How the outbox stands: what waits and since when, what left, what did not and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, func, literal_column, or_, select, true, union_all
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Account, Broadcast, Delivery, LanePace
from storage.outbox.messages import (
    BROADCAST,
    CHECKIN,
    QUEUED,
    REMINDER,
    SENDING,
    STATES,
    STRANDED,
    URGENT,
)
from storage.outbox.past import DELIVERIES, KEPT_FOR

CLASSES: Final = {
    URGENT: "urgent",
    CHECKIN: "checkin",
    REMINDER: "reminder",
    BROADCAST: "broadcast",
}
"""What a priority is called where figures are shown."""
SPANS: Final = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Head:
    """The oldest message that waits for one lane in one class, of one broadcast or of none."""

    lane: int | None
    priority: int
    not_before: datetime


async def queue_heads(tx: Tx) -> list[Head]:
    """The first of every queue, due or not; an index look-up for each, however long they are.

    A message belongs to a broadcast that has not ended, or to none.
    """
    return [
        Head(row.lane, row.priority, row.not_before)
        for row in await tx.execute(_HEADS)
        if row.not_before is not None
    ]


def _heads() -> Any:
    other = aliased(Delivery)
    queued = other.state == literal_column("'queued'")
    # From lane to lane, without looking at what waits in each.
    lanes = (
        select(func.min(Delivery.lane).label("lane"))
        .where(QUEUED, Delivery.lane.is_not(None))
        .cte("lanes", recursive=True)
    )
    following = select(func.min(other.lane)).where(queued, other.lane > lanes.c.lane)
    lanes = lanes.union_all(select(following.scalar_subquery()).where(lanes.c.lane.is_not(None)))
    classes = union_all(
        *(select(literal_column(str(priority)).label("priority")) for priority in CLASSES)
    ).subquery("classes")
    of_queue = (QUEUED, Delivery.lane == lanes.c.lane, Delivery.priority == classes.c.priority)
    # Ordered by what is the same in all of them, too: PostgreSQL knows the index's order by that.
    first = select(Delivery.not_before).order_by(Delivery.broadcast_id, Delivery.not_before)
    single = first.where(*of_queue, Delivery.broadcast_id.is_(None)).limit(1)
    running = first.where(*of_queue, Delivery.broadcast_id == Broadcast.id).limit(1)
    return union_all(
        select(
            lanes.c.lane,
            classes.c.priority,
            single.correlate(lanes, classes).scalar_subquery().label("not_before"),
        )
        .select_from(lanes.join(classes, true()))
        .where(lanes.c.lane.is_not(None)),
        select(
            lanes.c.lane,
            classes.c.priority,
            running.correlate(lanes, classes, Broadcast).scalar_subquery(),
        )
        .select_from(lanes.join(classes, true()).join(Broadcast, Broadcast.ended_at.is_(None)))
        .where(lanes.c.lane.is_not(None)),
        select(Delivery.lane, Delivery.priority, func.min(Delivery.not_before))
        .where(QUEUED, Delivery.lane.is_(None))
        .group_by(Delivery.lane, Delivery.priority),
    )


_HEADS: Final = _heads()


def oldest_due(heads: Sequence[Head], now: datetime) -> float | None:
    """How long the longest overdue of these has been waiting, in seconds; ``None``: none is due."""
    waits = [(now - head.not_before).total_seconds() for head in heads if head.not_before <= now]
    return round(max(waits), 3) if waits else None


async def waiting_by_class(tx: Tx) -> dict[str, int]:
    """How many messages are queued in each class, counted in the index of those alone."""
    found = await tx.execute(
        select(Delivery.priority, func.count().label("n")).where(QUEUED).group_by(Delivery.priority)
    )
    counted = {row.priority: row.n for row in found}
    return {name: counted.get(priority, 0) for priority, name in CLASSES.items()}


async def count_sending(tx: Tx) -> int:
    """How many messages are on their way right now."""
    return int(await tx.scalar(select(func.count()).select_from(Delivery).where(SENDING)))


async def count_stranded(tx: Tx) -> int:
    """How many messages wait for a bot that no process runs, as far as one has noticed."""
    return int(
        await tx.scalar(
            select(func.count()).select_from(Delivery).where(QUEUED, Delivery.reason == STRANDED)
        )
    )


async def outbox_states(tx: Tx, now: datetime) -> dict[str, Any]:
    """What ``kinroom outbox --json`` prints, as design §5 gives it, and more beside it.

    ``{"states": {state: n}, "oldest_due_seconds": x or None, "classes": {class: {"queued": n,
    "oldest_due_seconds": x or None}}, "reasons": {state: {reason: n}}}``. Finished messages count
    for 30 days. ``reasons`` are the words that officers read, where there are any.
    """
    each = union_all(
        *(
            select(table.state, table.reason, func.count().label("n"))
            .where(or_(table.finished_at.is_(None), table.finished_at >= now - KEPT_FOR))
            .group_by(table.state, table.reason)
            for table in DELIVERIES
        )
    )
    states = dict.fromkeys(STATES, 0)
    reasons: dict[str, dict[str, int]] = {}
    for row in await tx.execute(each):
        states[row.state] += row.n
        if row.reason is not None:
            of_state = reasons.setdefault(row.state, {})
            of_state[row.reason] = of_state.get(row.reason, 0) + row.n
    heads = await queue_heads(tx)
    queued = await waiting_by_class(tx)
    return {
        "states": states,
        "oldest_due_seconds": oldest_due(heads, now),
        "classes": {
            name: {
                "queued": queued[name],
                "oldest_due_seconds": oldest_due(
                    [head for head in heads if head.priority == priority], now
                ),
            }
            for priority, name in CLASSES.items()
        },
        "reasons": {state: reasons[state] for state in STATES if state in reasons},
    }


async def lanes_known(tx: Tx, now: datetime) -> list[dict[str, Any]]:
    """Bots that messages wait for or left through today, as far as the database knows them.

    ``{"bot", "channel", "left": {"minute", "hour", "day"}, "oldest_due_seconds", "held_until"}``:
    how many left in the last of each, and until when (ISO 8601, UTC) the channel wants none.
    """
    heads: dict[int, list[Head]] = {}
    for head in await queue_heads(tx):
        if head.lane is not None:
            heads.setdefault(head.lane, []).append(head)
    left = await _left(tx, now)
    held = {
        row.bot_id: row.held_until
        for row in await tx.execute(select(LanePace.bot_id, LanePace.held_until))
    }
    found: list[dict[str, Any]] = []
    for bot in sorted({*heads, *left, *held}):
        channel = select(Account.channel).where(Account.bot_id == bot).limit(1)
        until = held.get(bot)
        found.append(
            {
                "bot": bot,
                "channel": await tx.scalar(channel),
                "left": left.get(bot, dict.fromkeys(SPANS, 0)),
                "oldest_due_seconds": oldest_due(heads.get(bot, []), now),
                "held_until": until.isoformat() if until is not None and until > now else None,
            }
        )
    return found


async def _left(tx: Tx, now: datetime) -> dict[int, dict[str, int]]:
    """How many messages left through each bot in the last minute, hour and day."""
    longest = max(SPANS.values())
    each = union_all(
        *(
            select(
                table.lane,
                *(
                    func.count().filter(table.finished_at > now - span).label(name)
                    for name, span in SPANS.items()
                ),
            )
            .where(
                and_(table.finished_at > now - longest, table.finished_at <= now),
                table.state.in_(("sent", "unknown")),
                table.lane.is_not(None),
            )
            .group_by(table.lane)
            for table in DELIVERIES
        )
    )
    found: dict[int, dict[str, int]] = {}
    for row in await tx.execute(each):
        of_lane = found.setdefault(row.lane, dict.fromkeys(SPANS, 0))
        for name in SPANS:
            of_lane[name] += getattr(row, name)
    return found

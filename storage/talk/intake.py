"""The journal of updates that have had their effect, with replies not yet sent."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, any_, bindparam, insert, select, update

from storage.database import Tx
from storage.engine.prepared import Prepared
from storage.models import Intake

_COLUMN: Final = "intake.replies"
STILL_OF_USE: Final = timedelta(minutes=15)
LEASE: Final = timedelta(minutes=2)
"""How long a process may take to say replies; then another may think it dead and say them."""
_ADD: Final = Prepared(
    insert(Intake), ("bot_id", "update_id", "at", "replies", "leased_until", "problem")
)
_FORGET: Final = Prepared(
    update(Intake)
    .where(Intake.bot_id == bindparam("bot"), Intake.update_id == bindparam("update"))
    .values(replies=None)
)
_FORGET_AT_ONCE: Final = Prepared(
    update(Intake)
    .where(
        Intake.bot_id == bindparam("bot"),
        Intake.update_id == any_(bindparam("updates", type_=ARRAY(BigInteger))),
    )
    .values(replies=None)
)
"""For PostgreSQL, which knows arrays: a fifth of what a statement an update costs."""
_RENEW: Final = Prepared(
    update(Intake)
    .where(
        Intake.bot_id == bindparam("bot"),
        Intake.update_id == bindparam("update"),
        Intake.replies.is_not(None),
    )
    .values(leased_until=bindparam("until"))
)


@dataclass(frozen=True, slots=True)
class Unsent:
    """Replies that were committed but not sent when their process died."""

    bot_id: int
    update_id: int
    replies: list[dict[str, Any]]


async def record_update(
    tx: Tx,
    *,
    bot_id: int,
    update_id: int,
    now: datetime,
    replies: list[dict[str, Any]] | None = None,
    problem: str | None = None,
) -> None:
    """Write down that an update has had its effect.

    Raises ``IntegrityError`` when another transaction wrote it first.
    """
    sealed = _seal(tx, bot_id, update_id, replies) if replies else None
    await tx.run(
        _ADD,
        {
            "bot_id": bot_id,
            "update_id": update_id,
            "at": now,
            "replies": sealed,
            "leased_until": now + LEASE if sealed else None,
            "problem": problem,
        },
    )


async def forget_replies(tx: Tx, sent: Sequence[tuple[int, int]]) -> None:
    """Drop the replies of these ``(bot_id, update_id)``: they are sent, or no longer of use."""
    if tx.on_postgres:
        updates: dict[int, list[int]] = {}
        for bot, number in sent:
            updates.setdefault(bot, []).append(number)
        for bot, numbers in updates.items():
            await tx.run(_FORGET_AT_ONCE, {"bot": bot, "updates": numbers})
        return
    await tx.run_many(_FORGET, [{"bot": bot, "update": update} for bot, update in sent])


async def keep_replies(
    tx: Tx, bot_id: int, update_id: int, rest: list[dict[str, Any]], until: datetime
) -> None:
    """Hold only ``rest`` of an update's replies, for whoever comes after ``until``.

    Nothing comes back that was dropped meanwhile.
    """
    await tx.execute(
        update(Intake)
        .where(Intake.bot_id == bot_id, Intake.update_id == update_id, Intake.replies.is_not(None))
        .values(replies=_seal(tx, bot_id, update_id, rest), leased_until=until)
    )


def _seal(tx: Tx, bot_id: int, update_id: int, replies: list[dict[str, Any]]) -> bytes:
    return tx.vault.seal(_COLUMN, f"{bot_id}/{update_id}", json.dumps(replies))


async def take_unsent_replies(
    tx: Tx,
    now: datetime,
    bot_ids: Sequence[int],
    *,
    everything: bool = False,
    still_ours: Sequence[tuple[int, int]] = (),
) -> list[Unsent]:
    """Replies still of use whose process did not say them in time, oldest first; ours for a while.

    ``everything``: no other process is at work, so leases need not run out; what a channel asked
    to wait for longer than a lease goes on waiting. ``still_ours``: those which this process is
    saying, whose leases begin anew. What is older than a quarter of an hour is dropped.
    """
    await tx.execute(
        update(Intake)
        .where(Intake.replies.is_not(None), Intake.at < now - STILL_OF_USE)
        .values(replies=None)
    )
    if still_ours:
        until = now + LEASE
        await tx.run_many(
            _RENEW, [{"bot": bot, "update": update, "until": until} for bot, update in still_ours]
        )
    over = Intake.leased_until <= (now + LEASE if everything else now)
    rows = await tx.execute(
        update(Intake)
        .where(Intake.replies.is_not(None), Intake.bot_id.in_(bot_ids), over)
        .values(leased_until=now + LEASE)
        .returning(Intake.bot_id, Intake.update_id, Intake.at, Intake.replies)
    )
    return [
        Unsent(
            row.bot_id,
            row.update_id,
            json.loads(tx.vault.open(_COLUMN, f"{row.bot_id}/{row.update_id}", row.replies)),
        )
        for row in sorted(rows, key=lambda row: (row.at, row.update_id))
    ]


async def was_seen(tx: Tx, bot_id: int, update_id: int) -> bool:
    """Whether the update has had its effect."""
    found = await tx.scalar(
        select(Intake.update_id).where(Intake.bot_id == bot_id, Intake.update_id == update_id)
    )
    return found is not None

"""Dropping what has served its time, a batch at a time."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, delete, or_, select, update

from storage.database import Tx
from storage.models import Intake, Invite

UPDATES_KEPT_FOR: Final = timedelta(days=7)
"""Telegram delivers an update again within 24 hours, a browser that was away within days; the
numbers are chosen anew after an idle week."""


async def prune_intake(tx: Tx, now: datetime, limit: int = 2000) -> int:
    """Drop up to ``limit`` old updates from the journal, with their replies; how many."""
    old = (
        select(Intake.bot_id, Intake.update_id)
        .where(Intake.at < now - UPDATES_KEPT_FOR)
        .limit(limit)
    )
    keys = (await tx.execute(old)).all()
    if not keys:
        return 0
    by_bot: dict[int, list[int]] = {}
    for row in keys:
        by_bot.setdefault(row.bot_id, []).append(row.update_id)
    gone = await tx.execute(
        delete(Intake).where(
            or_(
                *(
                    and_(Intake.bot_id == bot_id, Intake.update_id.in_(ids))
                    for bot_id, ids in by_bot.items()
                )
            )
        )
    )
    return gone.rowcount


async def forget_invited_names(tx: Tx, now: datetime) -> int:
    """Drop the officers' names in invites that let nobody in any more; how many."""
    forgotten = await tx.execute(
        update(Invite)
        .where(
            Invite.name.is_not(None),
            or_(Invite.uses_left <= 0, Invite.expires_at <= now),
        )
        .values(name=None)
    )
    return forgotten.rowcount

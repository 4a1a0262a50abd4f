"""Notices people can look up again: what was sent to the areas they belong to."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import literal, or_, select
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Area, Broadcast
from storage.people.who import Who


@dataclass(frozen=True, slots=True)
class Notice:
    """A text as it was sent, and when (UTC)."""

    text: str
    at: datetime


async def latest_notices(tx: Tx, who: Who, *, since: datetime, limit: int) -> list[Notice]:
    """The newest notices to the worker's area or one above it, in a language they read.

    One that was stopped is not among them: someone thought better of it.
    """
    here = aliased(Area)
    rows = await tx.execute(
        select(Broadcast.text, Broadcast.at)
        .join(Area, Area.id == Broadcast.area_id)
        .join(here, here.path.startswith(Area.path))
        .where(
            here.id == who.area_id,
            Broadcast.at >= since,
            Broadcast.stopped_at.is_(None),
            or_(Broadcast.language.is_(None), Broadcast.language == literal(who.language)),
        )
        .order_by(Broadcast.at.desc(), Broadcast.id.desc())
        .limit(limit)
    )
    return [Notice(row.text, row.at) for row in rows]

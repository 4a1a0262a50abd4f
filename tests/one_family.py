"""One family asked, as escalation asks many at once."""

from datetime import datetime

from sqlalchemy import select

from storage.database import Tx
from storage.family.asking import ask_families
from storage.models import Checkin


async def ask_kin(tx: Tx, checkin_id: int, worker_id: int, now: datetime) -> int | None:
    """Ask one of the worker's family about a check-in without an answer: the question's id.

    None when there is nobody to ask now, or the check-in is not theirs.
    """
    if await tx.scalar(select(Checkin.person_id).where(Checkin.id == checkin_id)) != worker_id:
        return None
    return (await ask_families(tx, [checkin_id], now)).get(checkin_id)

"""Who among the officers hears how a roll call ended."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Area, Checkin, Role, Rollcall
from storage.outbox.messages import CHECKIN, enqueue
from storage.people.areas import in_subtree
from storage.people.duties import officers_near

OF_USE: Final = timedelta(hours=48)


async def enqueue_reports(tx: Tx, rollcall_id: int, now: datetime) -> int:
    """Write to whoever began it, and to the officers within its area whose people were asked.

    One that the operator began is reported to the officers nearest above, too. Returns how many.
    """
    row = (
        await tx.execute(
            select(Rollcall.area_id, Rollcall.by_person_id, Area.path)
            .join(Area, Area.id == Rollcall.area_id)
            .where(Rollcall.id == rollcall_id)
        )
    ).one()
    held, asked = aliased(Area), aliased(Area)
    areas = select(Checkin.area_id).where(Checkin.rollcall_id == rollcall_id).distinct()
    found = await tx.execute(
        select(Role.person_id)
        .join(held, held.id == Role.area_id)
        .join(asked, func.substr(asked.path, 1, func.length(held.path)) == held.path)
        .where(Role.until.is_(None), in_subtree(held.path, row.path), asked.id.in_(areas))
        .distinct()
    )
    told = {each.person_id for each in found}
    if row.by_person_id is not None:
        told.add(row.by_person_id)
    else:
        told |= {each.person_id for each in await officers_near(tx, row.area_id, ["liaison"])}
    for person_id in sorted(told):
        await enqueue(
            tx,
            person_id=person_id,
            template="rollcall_report",
            priority=CHECKIN,
            dedupe_key=f"rollcall_report:{rollcall_id}:{person_id}",
            now=now,
            expires_at=now + OF_USE,
            params={"rollcall": rollcall_id},
        )
    return len(told)

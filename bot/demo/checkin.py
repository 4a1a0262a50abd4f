"""A check-in for whoever tries the demo worker's chat, without waiting for Sunday."""

from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select

from storage.database import Tx
from storage.models import Checkin, Person
from storage.outbox.messages import CHECKIN, enqueue

SOON = timedelta(seconds=8)
PAUSE = timedelta(minutes=10)
WINDOW = timedelta(hours=72)


async def plan_demo_checkin(tx: Tx, person_id: int, now: datetime) -> bool:
    """Plan a check-in 8 seconds from ``now``; whether one was planned.

    Only for a worker of the demo who is away. Not while one is open, on its way, or was asked
    within the last ten minutes.
    """
    asked = exists(
        select(Checkin.id).where(
            Checkin.person_id == person_id,
            or_(
                Checkin.answered_at.is_(None) & (Checkin.window_until > now),
                Checkin.due_at > now - PAUSE,
            ),
        )
    )
    area_id = await tx.scalar(
        select(Person.area_id).where(
            Person.id == person_id,
            Person.is_demo,
            Person.consented,
            Person.status.in_(("away", "moving")),
            Person.area_id.is_not(None),
            ~asked,
        )
    )
    if area_id is None:
        return False
    due = now + SOON
    checkin_id: int = await tx.scalar(
        tx.insert(Checkin)
        .values(
            person_id=person_id,
            area_id=area_id,
            slot=f"demo:{now:%Y%m%dT%H%M%S}",
            due_at=due,
            window_until=due + WINDOW,
        )
        .returning(Checkin.id)
    )
    await enqueue(
        tx,
        person_id=person_id,
        template="checkin",
        priority=CHECKIN,
        # Someone is looking at the chat right now: no hour of the night is quiet for them.
        urgent=True,
        dedupe_key=f"demo:{checkin_id}",
        checkin_id=checkin_id,
        not_before=due,
        expires_at=due + WINDOW,
        now=now,
    )
    return True

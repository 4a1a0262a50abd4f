"""A worker and a relative who speaks for them, tied in the database, and what they are sent."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from storage.database import Tx
from storage.family.links import find_inviter, invite_relative
from storage.family.ties import join_family
from storage.models import Checkin, Delivery
from storage.people.areas import AreaInfo
from storage.people.enrolment import RELATIVE, record_consent
from storage.people.invites import check_invite, use_invite
from storage.people.who import Who, load_who
from tests.county import BOT, make_area, make_person

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


async def tie(tx: Tx, worker: Who, relative: Who, now: datetime) -> int:
    """The relative took up a link of the worker's."""
    token = await invite_relative(tx, worker, now)
    assert token is not None
    invite = await check_invite(tx, token, now)
    inviter = await find_inviter(tx, invite)
    assert inviter is not None
    assert await use_invite(tx, invite.id)
    await record_consent(
        tx, relative.person_id, purpose=RELATIVE, given=True, channel="web", now=now
    )
    return await join_family(tx, relative.person_id, inviter, now)


async def asked(tx: Tx, worker: Who, now: datetime, slot: str = "2026-11-22") -> int:
    """A check-in without an answer, whose next step is due tomorrow."""
    return int(
        await tx.scalar(
            tx.insert(Checkin)
            .values(
                person_id=worker.person_id,
                area_id=worker.area_id,
                slot=slot,
                due_at=now - DAY,
                window_until=now,
                delivered_at=now - DAY,
                next_at=now + DAY,
            )
            .returning(Checkin.id)
        )
    )


async def again(tx: Tx, who: Who) -> Who:
    renewed = await load_who(tx, BOT, who.chat_id)
    assert renewed is not None
    return renewed


async def family(tx: Tx, now: datetime) -> tuple[AreaInfo, Who, Who]:
    elm = await make_area(tx, "elm", now)
    fang = await make_person(tx, "Fang", now, area=elm)
    mum = await make_person(tx, "Mum", now)
    return elm, fang, mum


async def letters(tx: Tx, template: str) -> list[Any]:
    rows = await tx.execute(
        select(Delivery).where(Delivery.template == template).order_by(Delivery.id)
    )
    return list(rows)

"""The links by which a worker lets someone of the family in."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select

from storage.database import Tx
from storage.family.ties import Spoken, family_of, open_links, opened, withdraw_if_nobody_is_left
from storage.models import Area, Invite, Person
from storage.people.enrolment import VOUCH, has_consent, record_consent
from storage.people.invites import InviteInfo, make_invite
from storage.people.who import Who

LINK_LASTS: Final = timedelta(days=14)


async def invite_relative(tx: Tx, who: Who, now: datetime) -> str | None:
    """The token of a new link that a worker passes on; None when there are enough.

    It works once, for 14 days. With the first one the worker's own consent is on record.
    """
    if (await family_of(tx, who.person_id, now)).full:
        return None
    if not await has_consent(tx, who.person_id, VOUCH):
        await record_consent(
            tx, who.person_id, purpose=VOUCH, given=True, channel=who.channel, now=now
        )
    return await make_invite(
        tx,
        kind="relative",
        person_id=who.person_id,
        uses=1,
        expires_at=now + LINK_LASTS,
        by=who.person_id,
        now=now,
    )


async def take_back_link(tx: Tx, who: Who, invite_id: int, now: datetime) -> bool:
    """Undo a link of one's own; ``False`` when it let someone in meanwhile, or was undone."""
    gone = await tx.execute(
        delete(Invite).where(Invite.id == invite_id, *open_links(who.person_id))
    )
    if gone.rowcount:
        await withdraw_if_nobody_is_left(tx, who, now)
    return bool(gone.rowcount)


async def find_inviter(tx: Tx, invite: InviteInfo) -> Spoken | None:
    """The worker whose link it is, without a tie yet (``kin_id`` 0); None once they have left."""
    row = (
        await tx.execute(
            select(Person.ref, Person.name, Person.area_id, Area.name.label("area_name"))
            .join(Area, Area.id == Person.area_id)
            .where(Person.id == invite.person_id, Person.erased_at.is_(None))
        )
    ).one_or_none()
    if row is None or invite.person_id is None:
        return None
    return Spoken(
        kin_id=0,
        worker_id=invite.person_id,
        name=opened(tx, "person.name", row.ref, row.name) or "",
        area_id=row.area_id,
        area_name=row.area_name,
        since=invite.made_at,
    )

"""A liaison's call or visit, noted in two taps, and taken back by a correcting row."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import exists, not_, select
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Area, Contact, Person
from storage.people.duties import covers
from storage.people.who import Who
from storage.register.contacts import log_attempt

UNDONE = "undone"
"""The outcome of a row that takes another back: it stands for nothing, so neither counts."""


@dataclass(frozen=True, slots=True)
class CallNoted:
    """``first`` is False when this tap, or the one before it, had noted it already."""

    contact_id: int
    first: bool


@dataclass(frozen=True, slots=True)
class Undone:
    """The worker whose call was taken back, and when (UTC) it had been noted."""

    person_id: int
    at: datetime


async def note_call(
    tx: Tx,
    *,
    by: Who,
    person_id: int,
    reached: bool,
    after: int,
    now: datetime,
    kind: Literal["call", "visit"] = "call",
) -> CallNoted | None:
    """Note a call to a worker, or a visit, once for each card that was shown.

    ``after`` is the newest attempt on the card (0: none). When there is a newer one by the same
    officer, this is the second tap and nothing is written. None when the worker is not, or no
    longer, the officer's to look after.
    """
    theirs = await tx.scalar(
        select(Person.id)
        .join(Area, Area.id == Person.area_id)
        .where(Person.id == person_id, Person.erased_at.is_(None), covers(by.person_id, Area.path))
    )
    if theirs is None:
        return None
    noted: int | None = await tx.scalar(
        select(Contact.id)
        .where(
            Contact.person_id == person_id,
            Contact.by_person_id == by.person_id,
            Contact.evidence == "liaison",
            Contact.id > after,
        )
        .order_by(Contact.id)
        .limit(1)
    )
    if noted is not None:
        return CallNoted(noted, first=False)
    contact_id = await log_attempt(
        tx,
        person_id=person_id,
        by=by.person_id,
        kind=kind,
        reached=reached,
        note=None,
        now=now,
    )
    return CallNoted(contact_id, first=True)


async def undo_call(tx: Tx, *, by: Who, contact_id: int, now: datetime) -> Undone | None:
    """Take back one's own call or visit by a row that corrects it: whose it was, and when.

    None when it is not ``by``'s, or was taken back before. The row itself stays.
    """
    correction = aliased(Contact)
    row = (
        await tx.execute(
            select(Contact.person_id, Contact.area_id, Contact.kind, Contact.at).where(
                Contact.id == contact_id,
                Contact.by_person_id == by.person_id,
                Contact.evidence == "liaison",
                Contact.corrects_id.is_(None),
                not_(
                    exists().where(
                        correction.person_id == Contact.person_id,
                        correction.corrects_id == Contact.id,
                    )
                ),
            )
        )
    ).one_or_none()
    if row is None:
        return None
    await tx.execute(
        tx.insert(Contact).values(
            person_id=row.person_id,
            area_id=row.area_id,
            at=now,
            evidence="liaison",
            kind=row.kind,
            outcome=UNDONE,
            success=False,
            by_person_id=by.person_id,
            corrects_id=contact_id,
        )
    )
    return Undone(row.person_id, row.at)

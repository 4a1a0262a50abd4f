"""The append-only record of who was heard from, reached, or tried."""

from datetime import datetime
from typing import Final, Literal

from sqlalchemy import ColumnElement, exists, insert, select
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.engine.prepared import Prepared
from storage.models import Contact, Person
from storage.people.who import Who
from storage.talk.dialogs import current_conversation
from storage.vault import new_ref

_ADD: Final = Prepared(
    insert(Contact),
    (
        "person_id",
        "area_id",
        "at",
        "evidence",
        "kind",
        "outcome",
        "success",
        "checkin_id",
    ),
)


def is_uncorrected() -> ColumnElement[bool]:
    """Whether no later row corrects this :class:`Contact`; a call taken back was none."""
    correction = aliased(Contact)
    return ~exists().where(correction.corrects_id == Contact.id)


async def record_heard(
    tx: Tx,
    who: Who,
    now: datetime,
    *,
    kind: Literal["checkin", "status", "message", "help"],
    outcome: str,
    checkin_id: int | None = None,
) -> None:
    """A worker was heard from, in their own words. An officer who is no worker leaves no row."""
    if who.area_id is None:
        return
    conversation = current_conversation.get()
    if conversation is not None:
        conversation.heard = True
    await tx.run(
        _ADD,
        {
            "person_id": who.person_id,
            "area_id": who.area_id,
            "at": now,
            "evidence": "self",
            "kind": kind,
            "outcome": outcome,
            "success": True,
            "checkin_id": checkin_id,
        },
    )


async def log_attempt(
    tx: Tx,
    *,
    person_id: int,
    by: int,
    kind: Literal["call", "visit", "message"],
    reached: bool,
    note: str | None,
    now: datetime,
    corrects_id: int | None = None,
) -> int:
    """What a liaison did to reach a worker; returns the row's id.

    The caller has checked that ``by`` looks after the person. ``corrects_id`` names the row this
    one takes the place of.
    """
    area_id = await tx.scalar(select(Person.area_id).where(Person.id == person_id))
    ref = new_ref() if note else None
    return int(
        await tx.scalar(
            tx.insert(Contact)
            .values(
                person_id=person_id,
                area_id=area_id,
                at=now,
                evidence="liaison",
                kind=kind,
                outcome="reached" if reached else "not_reached",
                success=reached,
                by_person_id=by,
                corrects_id=corrects_id,
                ref=ref,
                note=tx.vault.seal("contact.note", ref, note) if note and ref else None,
            )
            .returning(Contact.id)
        )
    )

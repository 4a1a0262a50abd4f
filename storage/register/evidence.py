"""What a worker's standing rests on: the contacts behind the name, and the check-ins."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from storage.database import Tx
from storage.models import Checkin, Contact, Person


@dataclass(frozen=True, slots=True)
class ContactSeen:
    """One contact; ``corrected`` when a later row takes its place. ``by_name``: who logged it."""

    id: int
    at: datetime
    evidence: str
    kind: str
    outcome: str
    success: bool
    note: str | None
    by_name: str | None
    corrected: bool


@dataclass(frozen=True, slots=True)
class CheckinSeen:
    """One check-in of the period, by its due time."""

    due_at: datetime
    delivered_at: datetime | None
    answered_at: datetime | None
    answer: str | None
    in_time: bool


async def contacts_behind(
    tx: Tx, person_id: int, start: datetime, end: datetime
) -> list[ContactSeen]:
    """The contacts of one worker in ``[start, end)`` UTC, newest first, corrected ones marked."""
    officer = select(Person.id, Person.ref, Person.name).subquery("officer")
    later = select(Contact.corrects_id).where(
        Contact.person_id == person_id, Contact.corrects_id.is_not(None)
    )
    rows = await tx.execute(
        select(
            Contact.id,
            Contact.at,
            Contact.evidence,
            Contact.kind,
            Contact.outcome,
            Contact.success,
            Contact.ref,
            Contact.note,
            Contact.id.in_(later).label("corrected"),
            officer.c.ref.label("by_ref"),
            officer.c.name.label("by_name"),
        )
        .outerjoin(officer, officer.c.id == Contact.by_person_id)
        .where(Contact.person_id == person_id, Contact.at >= start, Contact.at < end)
        .order_by(Contact.at.desc(), Contact.id.desc())
    )
    return [
        ContactSeen(
            id=row.id,
            at=row.at,
            evidence=row.evidence,
            kind=row.kind,
            outcome=row.outcome,
            success=row.success,
            note=tx.vault.open("contact.note", row.ref, row.note) if row.note else None,
            by_name=tx.vault.open("person.name", row.by_ref, row.by_name) if row.by_name else None,
            corrected=row.corrected,
        )
        for row in rows
    ]


async def checkins_behind(
    tx: Tx, person_id: int, start: datetime, end: datetime
) -> list[CheckinSeen]:
    """The check-ins due in ``[start, end)`` UTC, newest first."""
    rows = await tx.execute(
        select(
            Checkin.due_at,
            Checkin.delivered_at,
            Checkin.answered_at,
            Checkin.answer,
            Checkin.window_until,
        )
        .where(Checkin.person_id == person_id, Checkin.due_at >= start, Checkin.due_at < end)
        .order_by(Checkin.due_at.desc(), Checkin.id.desc())
    )
    return [
        CheckinSeen(
            due_at=row.due_at,
            delivered_at=row.delivered_at,
            answered_at=row.answered_at,
            answer=row.answer,
            in_time=row.answered_at is not None and row.answered_at < row.window_until,
        )
        for row in rows
    ]

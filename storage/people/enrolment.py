"""Coming in and changing village: consent first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import insert, select, update

from storage.database import Tx
from storage.models import (
    Account,
    Consent,
    Enrolment,
    Person,
    Role,
    StatusChange,
)
from storage.vault import new_ref

PURPOSE: Final = "contact"
"""What a worker agrees to: that they are asked how they are, and that the answers are kept."""
DUTY: Final = "duty"
"""What an officer agrees to."""
VOUCH: Final = "vouch"
"""What a worker agrees to: that someone of their family may be asked, and speak, for them."""
RELATIVE: Final = "relative"
"""What that relative agrees to."""
WORDING: Final = "2026-11"


@dataclass(frozen=True, slots=True)
class Address:
    """Where someone wrote from: one chat with one bot, on one channel."""

    channel: str
    bot_id: int
    chat_id: int


async def give_consent(
    tx: Tx, address: Address, *, language: str, now: datetime, purpose: str = PURPOSE
) -> int:
    """The first thing stored about anyone: a person, the chat they agreed in, and the consent."""
    person_id = int(
        await tx.scalar(
            tx.insert(Person)
            .values(ref=new_ref(), language=language, consented=True, created_at=now, status="away")
            .returning(Person.id)
        )
    )
    await tx.execute(
        insert(Account),
        {
            "person_id": person_id,
            "channel": address.channel,
            "bot_id": address.bot_id,
            "chat_id": address.chat_id,
            "state_at": now,
            "created_at": now,
        },
    )
    await record_consent(
        tx, person_id, purpose=purpose, given=True, channel=address.channel, now=now
    )
    return person_id


async def record_consent(
    tx: Tx, person_id: int, *, purpose: str, given: bool, channel: str, now: datetime
) -> None:
    """Append what someone agreed to, or withdrew; ``purpose`` is one of those above."""
    await tx.execute(
        insert(Consent),
        {
            "person_id": person_id,
            "purpose": purpose,
            "wording": WORDING,
            "given": given,
            "channel": channel,
            "at": now,
        },
    )


async def has_consent(tx: Tx, person_id: int, purpose: str) -> bool:
    """Whether what the person last said of this purpose is yes."""
    given = await tx.scalar(
        select(Consent.given)
        .where(Consent.person_id == person_id, Consent.purpose == purpose)
        .order_by(Consent.at.desc(), Consent.id.desc())
        .limit(1)
    )
    return bool(given)


async def rename(tx: Tx, person_id: int, name: str) -> None:
    """Set the person's name; it is found again by its keyed hash."""
    ref = await tx.scalar(select(Person.ref).where(Person.id == person_id))
    await tx.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(
            name=tx.vault.seal("person.name", ref, name),
            name_key=tx.vault.lookup("name", name.casefold()),
        )
    )


async def enrol(tx: Tx, person_id: int, area_id: int, now: datetime) -> None:
    """Put the person on an area's register; from another area they move, keeping that tenure."""
    await tx.execute(
        update(Enrolment)
        .where(Enrolment.person_id == person_id, Enrolment.until.is_(None))
        .values(until=now, ended_as="moved")
    )
    await tx.execute(insert(Enrolment), {"person_id": person_id, "area_id": area_id, "since": now})
    kept = (
        await tx.execute(
            update(Person)
            .where(Person.id == person_id)
            .values(area_id=area_id, enrolled_at=now, status_at=now)
            .returning(Person.status, Person.slower)
        )
    ).one()
    await tx.execute(
        insert(StatusChange),
        {"person_id": person_id, "status": kept.status, "slower": kept.slower, "at": now},
    )


async def take_role(tx: Tx, person_id: int, area_id: int, role: str, now: datetime) -> None:
    """Make the person an officer of an area's subtree; a role held there already is replaced."""
    await tx.execute(
        update(Role)
        .where(Role.person_id == person_id, Role.area_id == area_id, Role.until.is_(None))
        .values(until=now)
    )
    await tx.execute(
        insert(Role), {"person_id": person_id, "area_id": area_id, "role": role, "since": now}
    )
    await tx.execute(update(Person).where(Person.id == person_id).values(is_officer=True))

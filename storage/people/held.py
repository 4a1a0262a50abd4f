"""What *My data* shows a person of what is held about them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from storage.database import Tx
from storage.models import Area, Consent, Contact, Look, Person, Role
from storage.people.enrolment import DUTY, PURPOSE, RELATIVE


@dataclass(frozen=True, slots=True)
class Held:
    """What *My data* shows. ``looks`` is how often officers looked, ``last_look`` when and who.

    ``consented_at`` (UTC) is when they agreed to take part, not what they agreed to on the way:
    inviting a relative moves it no more. ``duties``: role and area, the oldest first.
    """

    name: str
    area: str | None
    language: str | None
    timezone: str
    country: str | None
    province: str | None
    city: str | None
    place: str | None
    status: str
    paused_until: datetime | None
    slower: bool
    monthly: bool
    ask_minute: int | None
    usual_minute: int | None
    prefers: str | None
    quiet_from: int
    quiet_to: int
    consented_at: datetime | None
    contacts: int
    looks: int
    last_look: tuple[datetime, str] | None
    duties: tuple[tuple[str, str], ...] = ()


async def held_about(tx: Tx, person_id: int) -> Held:
    """What is held about a person who consented."""
    row = (
        await tx.execute(
            select(Person, Area.name.label("area_name"), Area.timezone.label("area_timezone"))
            .outerjoin(Area, Area.id == Person.area_id)
            .where(Person.id == person_id)
        )
    ).one()
    # Of a worker who also looks after an area, or is family: the day they joined as a worker.
    purposes = (PURPOSE, DUTY, RELATIVE)
    consented_at = await tx.scalar(
        select(Consent.at)
        .where(Consent.person_id == person_id, Consent.given, Consent.purpose.in_(purposes))
        .order_by(
            case({purpose: n for n, purpose in enumerate(purposes)}, value=Consent.purpose),
            Consent.at.desc(),
        )
        .limit(1)
    )
    duties = await tx.execute(
        select(Role.role, Area.name)
        .join(Area, Area.id == Role.area_id)
        .where(Role.person_id == person_id, Role.until.is_(None))
        .order_by(Role.id)
    )
    contacts = await tx.scalar(
        select(func.count()).select_from(Contact).where(Contact.person_id == person_id)
    )
    looks = await tx.scalar(
        select(func.count()).select_from(Look).where(Look.person_id == person_id)
    )
    return Held(
        name=tx.vault.open("person.name", row.ref, row.name) if row.name else "",
        area=row.area_name,
        language=row.language,
        timezone=row.timezone or row.area_timezone or "Asia/Shanghai",
        country=row.country,
        province=row.province,
        city=row.city,
        place=tx.vault.open("person.place", row.ref, row.place) if row.place else None,
        status=row.status,
        paused_until=row.paused_until,
        slower=row.slower,
        monthly=row.monthly,
        ask_minute=row.ask_minute,
        usual_minute=row.usual_minute,
        prefers=row.prefers,
        quiet_from=row.quiet_from,
        quiet_to=row.quiet_to,
        consented_at=consented_at,
        contacts=contacts,
        looks=looks,
        last_look=await _last_look(tx, person_id),
        duties=tuple((duty.role, duty.name) for duty in duties),
    )


async def _last_look(tx: Tx, person_id: int) -> tuple[datetime, str] | None:
    row = (
        await tx.execute(
            select(Look.at, Person.ref, Person.name)
            .join(Person, Person.id == Look.by_person_id)
            .where(Look.person_id == person_id)
            .order_by(Look.at.desc())
            .limit(1)
        )
    ).first()
    if row is None:
        return None
    return row.at, tx.vault.open("person.name", row.ref, row.name) if row.name else ""

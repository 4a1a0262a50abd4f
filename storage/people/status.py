"""A worker's own word on where they are and how they want to be asked."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, insert, select, update

from storage.database import Tx
from storage.models import Person, StatusChange
from storage.people.hours import check_quiet_hours
from storage.people.places import Place
from storage.people.who import Who
from storage.people.zones import guess_zone

_SET: Final = (
    update(Person)
    .where(Person.id == bindparam("person"))
    .values(
        status=bindparam("new_status"),
        status_at=bindparam("at"),
        paused_until=bindparam("until"),
    )
)
_CHANGED: Final = insert(StatusChange)


async def set_status(
    tx: Tx, who: Who, status: str, now: datetime, *, until: datetime | None = None
) -> None:
    """Set ``away moving home paused``; ``until`` ends a pause. A change is kept for past periods.

    Nothing is written when nothing changes, so that "still fine" costs no statement.
    """
    if status == who.status and status != "paused":
        return
    await tx.execute(
        _SET, {"person": who.person_id, "new_status": status, "at": now, "until": until}
    )
    if status != who.status:
        slower = await tx.scalar(select(Person.slower).where(Person.id == who.person_id))
        await tx.execute(
            _CHANGED, {"person_id": who.person_id, "status": status, "slower": slower, "at": now}
        )


async def set_slower(
    tx: Tx, who: Who, slower: bool, now: datetime, *, monthly: bool = False
) -> None:
    """Choose the slower rhythm, or the slowest (``monthly``), or the usual one."""
    await tx.execute(
        update(Person)
        .where(Person.id == who.person_id)
        .values(slower=slower, monthly=slower and monthly)
    )
    await tx.execute(
        _CHANGED, {"person_id": who.person_id, "status": who.status, "slower": slower, "at": now}
    )


async def set_place(tx: Tx, who: Who, place: Place | None, typed: str | None) -> None:
    """Keep where someone is, coarse. Without a known ``place`` the ``typed`` words are kept.

    The time zone follows the place. Of a country with several the one that most go by is taken,
    unless the present one is among them; without a known place it stays as it was.
    """
    values: dict[str, object] = {
        "country": place.country if place else None,
        "province": place.province if place else None,
        "city": place.city if place else None,
        "place": tx.vault.seal("person.place", who.ref, typed) if typed and not place else None,
    }
    if place is not None:
        zone = place.timezone or guess_zone(place.country, who.timezone)
        if zone is not None:
            values["timezone"] = zone
    await tx.execute(update(Person).where(Person.id == who.person_id).values(**values))


async def set_quiet_hours(tx: Tx, who: Who, start: int, end: int) -> None:
    """Local hours, 0–23, in which nothing unsolicited arrives, besides those of the night.

    Raises :class:`storage.people.hours.NoTimeLeft`.
    """
    check_quiet_hours(start, end)
    await tx.execute(
        update(Person).where(Person.id == who.person_id).values(quiet_from=start, quiet_to=end)
    )


async def set_language(tx: Tx, who: Who, language: str) -> None:
    await tx.execute(update(Person).where(Person.id == who.person_id).values(language=language))

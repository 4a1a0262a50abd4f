"""A worker's own word on where they are and how they want to be asked."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, insert, select, update

from storage.database import Tx
from storage.models import Person, StatusChange
from storage.people.places import Place
from storage.people.who import Who

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


async def set_slower(tx: Tx, who: Who, slower: bool, now: datetime) -> None:
    """Choose the slower rhythm, or the usual one."""
    await tx.execute(update(Person).where(Person.id == who.person_id).values(slower=slower))
    await tx.execute(
        _CHANGED, {"person_id": who.person_id, "status": who.status, "slower": slower, "at": now}
    )


async def set_place(tx: Tx, who: Who, place: Place | None, typed: str | None) -> None:
    """Keep where someone is, coarse. Without a known ``place`` the ``typed`` words are kept.

    The time zone follows the place where the place settles it; else it stays as it was.
    """
    values: dict[str, object] = {
        "country": place.country if place else None,
        "province": place.province if place else None,
        "city": place.city if place else None,
        "place": tx.vault.seal("person.place", who.ref, typed) if typed and not place else None,
    }
    if place is not None and place.timezone is not None:
        values["timezone"] = place.timezone
    await tx.execute(update(Person).where(Person.id == who.person_id).values(**values))


async def set_quiet_hours(tx: Tx, who: Who, start: int, end: int) -> None:
    """Hours of the person's own zone, 0–23, between which nothing unsolicited arrives."""
    await tx.execute(
        update(Person).where(Person.id == who.person_id).values(quiet_from=start, quiet_to=end)
    )


async def set_language(tx: Tx, who: Who, language: str) -> None:
    await tx.execute(update(Person).where(Person.id == who.person_id).values(language=language))

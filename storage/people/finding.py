"""Finding a person by what an operator knows: ref, number, phone or name."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import or_, select

from storage.database import Tx
from storage.errors import Refused
from storage.models import Area, Person

_MOST: Final = 10
_LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Found:
    """Someone who fits. ``area`` is the code of the register they stand on."""

    person_id: int
    ref: str
    name: str
    area: str | None


class UnknownPerson(Refused):
    """Nobody fits, or several do."""


async def find_person(tx: Tx, given: str) -> Found:
    """The one person with this ref, id, phone number or whole name.

    Raises :class:`UnknownPerson`, which says who else it could have been.
    """
    found = await find_people(tx, given)
    shown = given if len(given) <= 40 else f"{given[:39]}…"
    if not found:
        raise UnknownPerson(
            f"nobody is known as “{shown}”: give a ref, an id, a phone number or a whole name"
        )
    if len(found) > 1:
        each = "; ".join(f"{one.ref} in {one.area or 'no area'}" for one in found)
        raise UnknownPerson(f"“{shown}” are several: give the ref of one of them ({each})")
    return found[0]


async def find_people(tx: Tx, given: str) -> list[Found]:
    """Up to ten who fit; a ref or an id that does is alone."""
    given = given.strip()
    exact = [Person.ref == given]
    if given.isascii() and given.isdecimal() and int(given[:20]) <= _LARGEST:
        exact.append(Person.id == int(given))
    by_words = [
        Person.name_key == tx.vault.lookup("name", given.casefold()),
        Person.phone_key == tx.vault.lookup("phone", given),
    ]
    for which in (exact, by_words):
        rows = (
            await tx.execute(
                select(Person.id, Person.ref, Person.name, Area.code)
                .outerjoin(Area, Area.id == Person.area_id)
                .where(or_(*which))
                .order_by(Person.id)
                .limit(_MOST)
            )
        ).all()
        if rows:
            return [
                Found(
                    row.id,
                    row.ref,
                    tx.vault.open("person.name", row.ref, row.name) if row.name else "",
                    row.code,
                )
                for row in rows
            ]
    return []

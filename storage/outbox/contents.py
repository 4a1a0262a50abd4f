"""What messages of the outbox are about, fetched for a whole batch at once."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.family.ties import STANDS
from storage.models import (
    Area,
    Broadcast,
    Case,
    CaseMessage,
    Checkin,
    Delivery,
    Kin,
    Person,
    Rollcall,
)
from storage.people.destinations import EVERYWHERE, Destination
from storage.vault import SealBroken


@dataclass(frozen=True, slots=True)
class Told:
    """Words from an area's office to its people, or to those of them who are ``where``.

    ``over``: they are of no use any more.
    """

    text: str
    area_name: str
    where: Destination = EVERYWHERE
    over: bool = False


@dataclass(frozen=True, slots=True)
class CaseAbout:
    """Whose case it is. ``name`` is None once they have left, and then nothing else is known.

    ``family_of``: the workers they may speak for, of someone who is no worker.
    """

    name: str | None
    area_name: str
    phone: str | None
    country: str | None
    province: str | None
    city: str | None
    place: str | None
    family_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseWords:
    """One message of a case; ``file_id`` is good only with the bot ``bot_id``."""

    author: str
    text: str | None
    media: str | None
    file_id: str | None
    bot_id: int | None


async def params_of(tx: Tx, delivery_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """What messages that point at nothing else carry, by message. Most carry nothing."""
    if not delivery_ids:
        return {}
    found = await tx.execute(
        select(Delivery.id, Delivery.params).where(Delivery.id.in_(delivery_ids))
    )
    return {row.id: row.params or {} for row in found}


async def rollcalls_of(tx: Tx, checkin_ids: Collection[int]) -> dict[int, Told]:
    """The roll calls' words by check-in; check-ins of a rule are not in it."""
    if not checkin_ids:
        return {}
    found = await tx.execute(
        select(
            Checkin.id,
            Rollcall.text,
            Area.name,
            Rollcall.country,
            Rollcall.province,
            Rollcall.city,
            Rollcall.ended_at,
        )
        .join(Rollcall, Rollcall.id == Checkin.rollcall_id)
        .join(Area, Area.id == Rollcall.area_id)
        .where(Checkin.id.in_(checkin_ids))
    )
    return {
        row.id: Told(
            row.text,
            row.name,
            Destination(row.country, row.province, row.city),
            over=row.ended_at is not None,
        )
        for row in found
    }


async def broadcasts_of(tx: Tx, broadcast_ids: Collection[int]) -> dict[int, Told]:
    """The broadcasts' words, by broadcast."""
    if not broadcast_ids:
        return {}
    found = await tx.execute(
        select(Broadcast.id, Broadcast.text, Area.name)
        .join(Area, Area.id == Broadcast.area_id)
        .where(Broadcast.id.in_(broadcast_ids))
    )
    return {row.id: Told(row.text, row.name) for row in found}


async def cases_of(tx: Tx, case_ids: Collection[int]) -> dict[int, CaseAbout]:
    """Who the cases are about, by case."""
    if not case_ids:
        return {}
    found = await tx.execute(
        select(
            Case.id,
            Case.person_id,
            Person.area_id,
            Area.name.label("area_name"),
            Person.ref,
            Person.name,
            Person.phone,
            Person.country,
            Person.province,
            Person.city,
            Person.place,
            Person.erased_at,
        )
        .join(Person, Person.id == Case.person_id)
        .join(Area, Area.id == Case.area_id)
        .where(Case.id.in_(case_ids))
    )
    rows = found.all()
    families = await _families_of(tx, {row.person_id for row in rows if row.area_id is None})
    about: dict[int, CaseAbout] = {}
    for row in rows:
        name = _opened(tx, "person.name", row.ref, row.name)
        about[row.id] = CaseAbout(
            name=None if row.erased_at is not None else name or "",
            area_name=row.area_name,
            phone=_opened(tx, "person.phone", row.ref, row.phone),
            country=row.country,
            province=row.province,
            city=row.city,
            place=_opened(tx, "person.place", row.ref, row.place),
            family_of=tuple(families.get(row.person_id, ())),
        )
    return about


async def _families_of(tx: Tx, relative_ids: Collection[int]) -> dict[int, list[str]]:
    """The names of the workers that people may speak for now."""
    if not relative_ids:
        return {}
    found = await tx.execute(
        select(Kin.relative_id, Person.ref, Person.name)
        .join(Person, Person.id == Kin.worker_id)
        .where(Kin.relative_id.in_(relative_ids), STANDS)
        .order_by(Kin.id)
    )
    families: dict[int, list[str]] = {}
    for row in found:
        if name := _opened(tx, "person.name", row.ref, row.name):
            families.setdefault(row.relative_id, []).append(name)
    return families


async def case_words(tx: Tx, message_ids: Collection[int]) -> dict[int, CaseWords]:
    """What was said in these messages of cases."""
    if not message_ids:
        return {}
    author = aliased(Person)
    found = await tx.execute(
        select(
            CaseMessage.id,
            CaseMessage.ref,
            CaseMessage.text,
            CaseMessage.media,
            CaseMessage.file_id,
            CaseMessage.bot_id,
            author.ref.label("author_ref"),
            author.name,
        )
        .join(author, author.id == CaseMessage.author_id)
        .where(CaseMessage.id.in_(message_ids))
    )
    return {
        row.id: CaseWords(
            author=_opened(tx, "person.name", row.author_ref, row.name) or "",
            text=_opened(tx, "case_message.text", row.ref, row.text),
            media=row.media,
            file_id=row.file_id,
            bot_id=row.bot_id,
        )
        for row in found
    }


def _opened(tx: Tx, column: str, ref: str, sealed: bytes | None) -> str | None:
    """One broken seal must not keep a whole batch from leaving."""
    if sealed is None:
        return None
    try:
        return tx.vault.open(column, ref, sealed)
    except SealBroken:
        return None

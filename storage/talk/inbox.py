"""The inbox: cases as an officer reads them, only those of the areas they look after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from storage.database import Tx
from storage.models import Area, Case, CaseMessage, Person
from storage.people.duties import covers
from storage.people.who import Who

FIRST: Final = 10


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case of the inbox. ``text`` is the worker's last message, None if it had no words.

    ``first_words``: the first words of an urgent case, oldest first, at most :data:`FIRST`.
    """

    id: int
    person_id: int
    person_name: str | None
    area_name: str
    kind: str
    urgent: bool
    state: str
    opened_at: datetime
    text: str | None
    media: str | None
    first_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseTurn:
    """One message of a case; ``file_id`` is good only with the bot ``bot_id``."""

    by_worker: bool
    author: str | None
    text: str | None
    media: str | None
    file_id: str | None
    bot_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with its last messages, oldest first."""

    id: int
    person_id: int
    person_name: str | None
    area_name: str
    kind: str
    urgent: bool
    state: str
    opened_at: datetime
    turns: tuple[CaseTurn, ...]


async def count_open_cases(tx: Tx, by: Who) -> int:
    """How many cases wait for an answer in the areas ``by`` looks after."""
    count: int = await tx.scalar(
        select(func.count())
        .select_from(Case)
        .join(Area, Area.id == Case.area_id)
        .where(Case.state == "open", Case.person_id != by.person_id)
        .where(covers(by.person_id, Area.path))
    )
    return count


async def open_cases(tx: Tx, by: Who, *, limit: int, offset: int = 0) -> list[CaseLine]:
    """The cases that wait for an answer, urgent ones first, then the oldest first."""
    found = (
        await tx.execute(
            select(
                Case.id,
                Case.person_id,
                Person.ref,
                Person.name,
                Area.name.label("area_name"),
                Case.kind,
                Case.urgent,
                Case.state,
                Case.opened_at,
            )
            .join(Area, Area.id == Case.area_id)
            .join(Person, Person.id == Case.person_id)
            .where(Case.state == "open", Case.person_id != by.person_id)
            .where(covers(by.person_id, Area.path))
            .order_by(Case.urgent.desc(), Case.opened_at, Case.id)
            .limit(limit)
            .offset(offset)
        )
    ).all()
    last = await _last_of_worker(tx, [row.id for row in found])
    first = await _first_words(tx, [row.id for row in found if row.urgent])
    return [
        CaseLine(
            row.id,
            row.person_id,
            _open_name(tx, row.ref, row.name),
            row.area_name,
            row.kind,
            row.urgent,
            row.state,
            row.opened_at,
            *last.get(row.id, (None, None)),
            tuple(first.get(row.id, ())),
        )
        for row in found
    ]


async def _last_of_worker(
    tx: Tx, case_ids: Sequence[int]
) -> dict[int, tuple[str | None, str | None]]:
    if not case_ids:
        return {}
    newest = (
        select(func.max(CaseMessage.id))
        .join(Case, Case.id == CaseMessage.case_id)
        .where(CaseMessage.case_id.in_(case_ids), CaseMessage.author_id == Case.person_id)
        .group_by(CaseMessage.case_id)
    )
    found = await tx.execute(
        select(CaseMessage.case_id, CaseMessage.ref, CaseMessage.text, CaseMessage.media).where(
            CaseMessage.id.in_(newest)
        )
    )
    return {row.case_id: (_open_text(tx, row.ref, row.text), row.media) for row in found}


async def _first_words(tx: Tx, case_ids: Sequence[int]) -> dict[int, list[str]]:
    """What the worker wrote first in each, in one statement."""
    if not case_ids:
        return {}
    place = func.row_number().over(partition_by=CaseMessage.case_id, order_by=CaseMessage.id)
    written = (
        select(CaseMessage.id, place.label("place"))
        .join(Case, Case.id == CaseMessage.case_id)
        .where(
            CaseMessage.case_id.in_(case_ids),
            CaseMessage.author_id == Case.person_id,
            CaseMessage.text.is_not(None),
        )
        .subquery()
    )
    found = await tx.execute(
        select(CaseMessage.case_id, CaseMessage.ref, CaseMessage.text)
        .where(CaseMessage.id.in_(select(written.c.id).where(written.c.place <= FIRST)))
        .order_by(CaseMessage.id)
    )
    words: dict[int, list[str]] = {}
    for row in found:
        words.setdefault(row.case_id, []).append(_open_text(tx, row.ref, row.text) or "")
    return words


async def read_case(tx: Tx, case_id: int, by: Who, *, last: int = 10) -> CaseView | None:
    """One case with its ``last`` messages; None when it is not ``by``'s to read."""
    row = (
        await tx.execute(
            select(
                Case.person_id,
                Case.kind,
                Case.urgent,
                Case.state,
                Case.opened_at,
                Person.ref,
                Person.name,
                Area.name.label("area_name"),
            )
            .join(Area, Area.id == Case.area_id)
            .join(Person, Person.id == Case.person_id)
            .where(Case.id == case_id, Case.person_id != by.person_id)
            .where(covers(by.person_id, Area.path))
        )
    ).one_or_none()
    if row is None:
        return None
    turns = (
        await tx.execute(
            select(
                CaseMessage.ref,
                CaseMessage.author_id,
                CaseMessage.text,
                CaseMessage.media,
                CaseMessage.file_id,
                CaseMessage.bot_id,
                CaseMessage.at,
                Person.ref.label("author_ref"),
                Person.name.label("author_name"),
            )
            .join(Person, Person.id == CaseMessage.author_id)
            .where(CaseMessage.case_id == case_id)
            .order_by(CaseMessage.id.desc())
            .limit(last)
        )
    ).all()
    return CaseView(
        case_id,
        row.person_id,
        _open_name(tx, row.ref, row.name),
        row.area_name,
        row.kind,
        row.urgent,
        row.state,
        row.opened_at,
        tuple(
            CaseTurn(
                turn.author_id == row.person_id,
                _open_name(tx, turn.author_ref, turn.author_name),
                _open_text(tx, turn.ref, turn.text),
                turn.media,
                turn.file_id,
                turn.bot_id,
                turn.at,
            )
            for turn in reversed(turns)
        ),
    )


def _open_name(tx: Tx, ref: str, sealed: bytes | None) -> str | None:
    return None if sealed is None else tx.vault.open("person.name", ref, sealed)


def _open_text(tx: Tx, ref: str, sealed: bytes | None) -> str | None:
    return None if sealed is None else tx.vault.open("case_message.text", ref, sealed)

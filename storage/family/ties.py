"""Who of the family may speak for a worker: agreed to by both, ended by either."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import ColumnElement, Select, case, literal, or_, select, update
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Area, Invite, Kin, Person
from storage.outbox.messages import REMINDER, enqueue
from storage.people.enrolment import RELATIVE, VOUCH, has_consent, record_consent
from storage.people.who import Who
from storage.vault import SealBroken

MOST: Final = 5
"""So many relatives and open links together may a worker have."""
_TELL_WITHIN: Final = timedelta(days=7)

STANDS: Final[ColumnElement[bool]] = Kin.ended_at.is_(None) & Kin.accepted_at.is_not(None)
"""Both agreed, and neither has ended it."""


@dataclass(frozen=True, slots=True)
class Relative:
    """Someone who may speak for the worker ``since`` then."""

    kin_id: int
    person_id: int
    name: str
    phone: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class OpenLink:
    """An invitation that nobody has taken up yet."""

    invite_id: int
    made_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Family:
    relatives: tuple[Relative, ...]
    links: tuple[OpenLink, ...]

    @property
    def full(self) -> bool:
        return len(self.relatives) + len(self.links) >= MOST


@dataclass(frozen=True, slots=True)
class Spoken:
    """A worker someone may speak for. ``name`` is empty when none is held."""

    kin_id: int
    worker_id: int
    name: str
    area_id: int
    area_name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Parties:
    """Both sides of a tie, by name; None once that one has left."""

    worker: str | None
    relative: str | None
    stands: bool


async def family_of(tx: Tx, worker_id: int, now: datetime) -> Family:
    """Who may speak for the worker, and the links that still let someone in, oldest first."""
    links = await tx.execute(
        select(Invite.id, Invite.created_at, Invite.expires_at)
        .where(*open_links(worker_id), Invite.expires_at > now)
        .order_by(Invite.id)
    )
    return Family(
        tuple(await relatives_of(tx, worker_id)),
        tuple(OpenLink(row.id, row.created_at, row.expires_at) for row in links),
    )


def open_links(worker_id: int) -> tuple[ColumnElement[bool], ...]:
    """The conditions on a worker's invitations that nobody has taken up."""
    return Invite.kind == "relative", Invite.person_id == worker_id, Invite.uses_left > 0


async def relatives_of(tx: Tx, worker_id: int) -> list[Relative]:
    """Those who may speak for the worker now, oldest first. The caller has checked who asks."""
    rows = await tx.execute(
        select(Kin.id, Kin.relative_id, Kin.accepted_at, Person.ref, Person.name, Person.phone)
        .join(Person, Person.id == Kin.relative_id)
        .where(Kin.worker_id == worker_id, STANDS)
        .order_by(Kin.id)
    )
    return [
        Relative(
            kin_id=row.id,
            person_id=row.relative_id,
            name=opened(tx, "person.name", row.ref, row.name) or "",
            phone=opened(tx, "person.phone", row.ref, row.phone),
            since=row.accepted_at,
        )
        for row in rows
    ]


async def with_family(tx: Tx, worker_ids: Collection[int]) -> set[int]:
    """Those of the workers for whom somebody of the family may speak now."""
    if not worker_ids:
        return set()
    found = await tx.execute(
        select(Kin.worker_id).where(Kin.worker_id.in_(worker_ids), STANDS).distinct()
    )
    return set(found.scalars())


async def spoken_for(tx: Tx, relative_id: int, kin_id: int | None = None) -> list[Spoken]:
    """The workers someone may speak for now, oldest first; or the one of ``kin_id``, if theirs."""
    rows = await tx.execute(
        select(
            Kin.id,
            Kin.worker_id,
            Kin.accepted_at,
            Person.ref,
            Person.name,
            Person.area_id,
            Area.name.label("area_name"),
        )
        .join(Person, Person.id == Kin.worker_id)
        .join(Area, Area.id == Person.area_id)
        .where(
            Kin.relative_id == relative_id,
            STANDS,
            literal(True) if kin_id is None else Kin.id == kin_id,
        )
        .order_by(Kin.id)
    )
    return [
        Spoken(
            kin_id=row.id,
            worker_id=row.worker_id,
            name=opened(tx, "person.name", row.ref, row.name) or "",
            area_id=row.area_id,
            area_name=row.area_name,
            since=row.accepted_at,
        )
        for row in rows
    ]


async def find_tie(tx: Tx, worker_id: int, relative_id: int) -> int | None:
    """The tie that stands between the two."""
    found: int | None = await tx.scalar(
        select(Kin.id).where(Kin.worker_id == worker_id, Kin.relative_id == relative_id, STANDS)
    )
    return found


async def join_family(tx: Tx, relative_id: int, inviter: Spoken, now: datetime) -> int:
    """Both have agreed: the tie's id. The relative's consent is recorded by the caller.

    Someone who is only a relative lives by the clock of the worker's village.
    """
    kin_id = int(
        await tx.scalar(
            tx.insert(Kin)
            .values(
                worker_id=inviter.worker_id,
                relative_id=relative_id,
                agreed_at=inviter.since,
                accepted_at=now,
            )
            .returning(Kin.id)
        )
    )
    village = select(Area.timezone).where(Area.id == inviter.area_id).scalar_subquery()
    await tx.execute(
        update(Person)
        .where(
            Person.id == relative_id,
            Person.timezone.is_(None),
            Person.area_id.is_(None),
            Person.is_officer.is_(False),
        )
        .values(timezone=village)
    )
    return kin_id


async def tell_agreed(tx: Tx, kin_id: int, now: datetime) -> None:
    """Let the worker know that their relative has agreed."""
    worker_id = await tx.scalar(select(Kin.worker_id).where(Kin.id == kin_id, STANDS))
    if worker_id is not None:
        await _tell(tx, worker_id, "kin_agreed", kin_id, now)


async def end_tie(
    tx: Tx, who: Who, kin_id: int, by: Literal["worker", "relative"], now: datetime
) -> Parties | None:
    """End one's tie, as the side ``by``, and let the other side know; None: there is none.

    The consent for the purpose goes with the last one.
    """
    mine = Kin.worker_id if by == "worker" else Kin.relative_id
    if not await _end(tx, by, now, Kin.id == kin_id, mine == who.person_id):
        return None
    if by == "worker":
        await withdraw_if_nobody_is_left(tx, who, now)
    elif not await spoken_for(tx, who.person_id):
        await _withdraw(tx, who, RELATIVE, now)
    return (await parties_of(tx, [kin_id])).get(kin_id)


async def end_ties_of(tx: Tx, person_id: int, now: datetime) -> None:
    """Someone leaves: what they agreed to with others ends, on both sides, and those are told."""
    await _end(tx, "worker", now, Kin.worker_id == person_id)
    await _end(tx, "relative", now, Kin.relative_id == person_id)


async def _end(
    tx: Tx, by: Literal["worker", "relative"], now: datetime, *which: ColumnElement[bool]
) -> int:
    other = Kin.relative_id if by == "worker" else Kin.worker_id
    ended = await tx.execute(
        update(Kin)
        .where(Kin.ended_at.is_(None), *which)
        .values(ended_at=now, ended_by=by)
        .returning(Kin.id, other.label("other"))
    )
    rows = ended.all()
    for row in rows:
        template = "kin_over" if by == "worker" else "kin_stopped"
        await _tell(tx, row.other, template, row.id, now)
    return len(rows)


async def _tell(tx: Tx, person_id: int, template: str, kin_id: int, now: datetime) -> None:
    await enqueue(
        tx,
        person_id=person_id,
        template=template,
        priority=REMINDER,
        dedupe_key=f"{template}:{kin_id}",
        params={"kin": kin_id},
        now=now,
        expires_at=now + _TELL_WITHIN,
    )


async def withdraw_if_nobody_is_left(tx: Tx, who: Who, now: datetime) -> None:
    """The worker's consent goes with the last relative and the last open link."""
    family = await family_of(tx, who.person_id, now)
    if not family.relatives and not family.links:
        await _withdraw(tx, who, VOUCH, now)


async def _withdraw(tx: Tx, who: Who, purpose: str, now: datetime) -> None:
    if await has_consent(tx, who.person_id, purpose):
        await record_consent(
            tx, who.person_id, purpose=purpose, given=False, channel=who.channel, now=now
        )


async def parties_of(tx: Tx, kin_ids: Collection[int]) -> dict[int, Parties]:
    """Who the ties are between, by tie, for a whole batch."""
    if not kin_ids:
        return {}
    worker, relative = aliased(Person), aliased(Person)
    rows = await tx.execute(
        select(
            Kin.id,
            Kin.ended_at,
            worker.ref.label("worker_ref"),
            worker.name.label("worker_name"),
            relative.ref.label("relative_ref"),
            relative.name.label("relative_name"),
        )
        .join(worker, worker.id == Kin.worker_id)
        .join(relative, relative.id == Kin.relative_id)
        .where(Kin.id.in_(kin_ids))
    )
    return {
        row.id: Parties(
            worker=opened(tx, "person.name", row.worker_ref, row.worker_name),
            relative=opened(tx, "person.name", row.relative_ref, row.relative_name),
            stands=row.ended_at is None,
        )
        for row in rows
    }


def family_to(person_id: int) -> Select[int]:
    """Whoever is, or was, on the other side of a tie with the person."""
    return select(case((Kin.worker_id == person_id, Kin.relative_id), else_=Kin.worker_id)).where(
        or_(Kin.worker_id == person_id, Kin.relative_id == person_id)
    )


def opened(tx: Tx, column: str, ref: str, sealed: bytes | None) -> str | None:
    """A column in clear; empty when its seal is broken.

    That must not keep a page, or a whole batch of letters, from being written.
    """
    if sealed is None:
        return None
    try:
        return tx.vault.open(column, ref, sealed)
    except SealBroken:
        return ""

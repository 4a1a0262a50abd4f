"""How a roll call stands: who answered, how, and who did not; counted, and by name."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Account, Area, Checkin, Contact, Delivery, Person, Rollcall
from storage.outbox.messages import QUEUED, SENDING
from storage.people.areas import AreaInfo, in_subtree
from storage.people.destinations import Destination
from storage.register.contacts import is_uncorrected
from storage.rhythm.checkins import is_expected
from storage.vault import SealBroken

Word = Literal["own", "told", "none"]
"""Who gave word of a person since it began: they themselves, in any way; someone else; nobody."""
State = Literal["safe", "help", "heard", "silent", "unreached", "left"]
STATES: Final[tuple[State, ...]] = ("safe", "help", "heard", "silent", "unreached", "left")
WITHOUT_WORD: Final[tuple[State, ...]] = ("unreached", "silent")
"""Whom someone should call: first those whom nothing reached."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How many people of a roll call stand in each state; their sum is who was asked.

    ``safe`` and ``help`` by their own last word since it began; ``heard``: in another way, or
    someone had word of them; ``silent``: no answer yet; ``unreached``: nothing could be brought to
    them; ``left``: gone from Kinroom without an answer, and named nowhere.
    """

    safe: int = 0
    help: int = 0
    heard: int = 0
    silent: int = 0
    unreached: int = 0
    left: int = 0

    @property
    def asked(self) -> int:
        return self.safe + self.help + self.heard + self.silent + self.unreached + self.left

    @property
    def known(self) -> int:
        """Of whom there is word, in whatever way."""
        return self.safe + self.help + self.heard

    @property
    def missing(self) -> int:
        """Of whom there is no word."""
        return self.silent + self.unreached

    def of(self, state: str) -> int:
        return int(getattr(self, state))

    def as_key(self) -> str:
        """The same figures have the same key."""
        return " ".join(str(self.of(state)) for state in STATES)


@dataclass(frozen=True, slots=True)
class Named:
    """One person of a roll call as an officer of theirs sees them; ``name`` empty when unknown.

    ``answer`` and ``at``: the person's last word since it began, if any.
    """

    person_id: int
    ref: str
    name: str
    phone: str | None
    area_name: str
    country: str | None
    province: str | None
    city: str | None
    place: str | None
    state: State
    account_state: str | None
    at: datetime | None


def _told(column: Any) -> Any:
    """Of the person's last word of how they are, since the check-in was due."""
    return (
        select(column)
        .where(
            Contact.person_id == Checkin.person_id,
            Contact.at >= Checkin.due_at,
            Contact.evidence == "self",
            Contact.kind.in_(("checkin", "status", "help")),
        )
        .order_by(Contact.at.desc(), Contact.id.desc())
        .limit(1)
        .correlate(Checkin)
        .scalar_subquery()
    )


def _word(*further: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether there was word of the person of a :class:`Checkin` since it was due."""
    return exists(
        select(literal(1)).where(
            Contact.person_id == Checkin.person_id,
            Contact.at >= Checkin.due_at,
            Contact.success,
            is_uncorrected(),
            *further,
        )
    )


def _state() -> ColumnElement[str]:
    """Of a :class:`Checkin` of a roll call, joined with its :class:`Person`."""
    said = func.coalesce(
        _told(case((Contact.kind == "help", "help"), else_=Contact.outcome)), Checkin.answer
    )
    waits = exists(
        select(literal(1)).where(Delivery.checkin_id == Checkin.id, or_(QUEUED, SENDING))
    )
    return case(
        (said == "help", "help"),
        (said.is_not(None), "safe"),
        (_word(), "heard"),
        (or_(Person.erased_at.is_not(None), ~Person.consented), "left"),
        (and_(Checkin.delivered_at.is_(None), ~waits), "unreached"),
        else_="silent",
    )


def _of(rollcall_id: int, roots: Sequence[str] | None, area_id: Any) -> Select[Any]:
    """``roots``: the parts of the tree an officer sees; ``None``: all of it."""
    asked = (
        select(Checkin.id)
        .join(Person, Person.id == Checkin.person_id)
        .where(Checkin.rollcall_id == rollcall_id)
    )
    if roots is not None:
        area = aliased(Area)
        below = select(area.id).where(or_(*(in_subtree(area.path, root) for root in roots)))
        asked = asked.where(area_id.in_(below))
    return asked


async def count_rollcall(tx: Tx, rollcall_id: int, roots: Sequence[str] | None = None) -> Figures:
    """The figures now; of the areas below ``roots`` only, when these are given."""
    stands = (
        _of(rollcall_id, roots, Checkin.area_id)
        .with_only_columns(_state().label("state"))
        .subquery()
    )
    found = await tx.execute(
        select(stands.c.state, func.count().label("n")).group_by(stands.c.state)
    )
    return Figures(**{row.state: row.n for row in found})


async def words_of(
    tx: Tx, rollcall_id: int, people: Collection[int]
) -> dict[int, tuple[int, Word]]:
    """Of these people, by person: their check-in of the roll call, and whose word there is."""
    own = or_(Checkin.answered_at.is_not(None), _word(Contact.evidence == "self"))
    found = await tx.execute(
        select(
            Checkin.person_id,
            Checkin.id,
            case((own, "own"), (_word(), "told"), else_="none").label("word"),
        ).where(Checkin.rollcall_id == rollcall_id, Checkin.person_id.in_(people))
    )
    return {row.person_id: (row.id, row.word) for row in found}


async def list_rollcall(
    tx: Tx,
    rollcall_id: int,
    roots: Sequence[str] | None,
    states: Collection[State],
    *,
    phones: bool,
    limit: int,
    offset: int = 0,
) -> list[Named]:
    """The people in these states; those whom nothing reached first, then area by area.

    Who has left is named nowhere, and who belongs to another area by now is for its officers.
    """
    if roots is None:
        whole = select(Area.path).join(Rollcall, Rollcall.area_id == Area.id)
        roots = [await tx.scalar(whole.where(Rollcall.id == rollcall_id))]
    state = _state()
    account = (
        select(Account.state)
        .where(Account.person_id == Person.id)
        .order_by(Account.state_at.desc(), Account.id.desc())
        .limit(1)
        .correlate(Person)
        .scalar_subquery()
    )
    stands = (
        _of(rollcall_id, roots, Person.area_id)
        .with_only_columns(
            Checkin.person_id,
            state.label("state"),
            _told(Contact.at).label("at"),
        )
        .where(Person.erased_at.is_(None), Person.consented, Person.area_id.is_not(None))
        .subquery()
    )
    found = await tx.execute(
        select(
            Person.id,
            Person.ref,
            Person.name,
            Person.phone,
            Area.name.label("area_name"),
            Person.country,
            Person.province,
            Person.city,
            Person.place,
            stands.c.state,
            stands.c.at,
            account.label("account_state"),
        )
        .select_from(stands)
        .join(Person, Person.id == stands.c.person_id)
        .join(Area, Area.id == Person.area_id)
        .where(stands.c.state.in_(states))
        .order_by(stands.c.state != "unreached", Area.path, Person.id)
        .limit(limit)
        .offset(offset)
    )
    return [_named(tx, row, phones=phones) for row in found]


def _named(tx: Tx, row: Any, *, phones: bool) -> Named:
    def opened(column: str, sealed: bytes | None) -> str | None:
        try:
            return None if sealed is None else tx.vault.open(column, row.ref, sealed)
        except SealBroken:
            return None

    return Named(
        person_id=row.id,
        ref=row.ref,
        name=opened("person.name", row.name) or "",
        phone=opened("person.phone", row.phone) if phones else None,
        area_name=row.area_name,
        country=row.country,
        province=row.province,
        city=row.city,
        place=opened("person.place", row.place),
        state=row.state,
        account_state=row.account_state,
        at=row.at,
    )


async def count_places(
    tx: Tx, area: AreaInfo, within: Destination, limit: int
) -> list[tuple[Destination, int]]:
    """Where the area's people are now, one step finer than ``within``, the most first."""
    if within.city is not None:
        return []
    finer: tuple[ColumnElement[str | None], ...]
    if within.country is None:
        finer = (Person.country.expression,)
    elif within.province is None:
        finer = (Person.country.expression, Person.province.expression)
    else:
        finer = (
            Person.country.expression,
            Person.province.expression,
            Person.city.expression,
        )
    below = select(Area.id).where(in_subtree(Area.path, area.path))
    found = await tx.execute(
        select(*finer, func.count().label("n"))
        .where(Person.area_id.in_(below), is_expected(), within.holds(), finer[-1].is_not(None))
        .group_by(*finer)
        .order_by(func.count().desc(), *finer)
        .limit(limit)
    )
    return [(Destination(*row[:-1]), row.n) for row in found]

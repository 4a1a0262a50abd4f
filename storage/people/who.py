"""Who is speaking: the person behind an account, loaded in one statement."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import and_, bindparam, exists, func, literal, select, update
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.engine.prepared import NUMBER, Prepared
from storage.models import Account, Area, Dialog, Intake, Kin, Person, Role


@dataclass(frozen=True, slots=True)
class Duty:
    """An officer's role over the subtree below ``area_path``."""

    area_id: int
    area_path: str
    role: str


@dataclass(frozen=True, slots=True)
class Who:
    """The person an update comes from, through one of their accounts.

    ``area_id`` is set while they are a worker. ``timezone`` and ``language`` are the person's
    own, or the area's; of an officer who is no worker, those of their first duty's area.
    ``is_relative``: a worker and they have agreed that they may speak for that worker.
    """

    account_id: int
    channel: str
    bot_id: int
    chat_id: int
    person_id: int
    ref: str
    name: str
    language: str
    timezone: str
    status: str
    area_id: int | None
    area_name: str | None
    country: str | None
    is_officer: bool
    is_demo: bool
    duties: tuple[Duty, ...] = ()
    is_relative: bool = False

    @property
    def is_worker(self) -> bool:
        return self.area_id is not None


@dataclass(frozen=True, slots=True)
class Arrival:
    """What one statement tells about an update: who, where the talk stands, and if it was seen."""

    who: Who
    state: str | None
    data: bytes | None
    has_dialog: bool
    seen: bool
    account_state: str


def _of_first_duty(column: str) -> Any:
    """A column of the area of the officer's first role that still stands; null without one."""
    area = aliased(Area)
    return (
        select(getattr(area, column))
        .join(Role, Role.area_id == area.id)
        .where(Role.person_id == Person.id, Role.until.is_(None))
        .order_by(Role.id)
        .limit(1)
        .correlate(Person)
        .scalar_subquery()
    )


LANGUAGE: Final = func.coalesce(
    Person.language, Area.language, _of_first_duty("language"), "zh"
).label("language")
"""Of a person, :class:`Area` being the one they are a worker of, if any."""
TIMEZONE: Final = func.coalesce(
    Person.timezone, Area.timezone, _of_first_duty("timezone"), "Asia/Shanghai"
).label("timezone")
"""As :data:`LANGUAGE`."""

_SPEAKS: Final = exists(
    select(literal(1)).where(
        Kin.relative_id == Person.id, Kin.ended_at.is_(None), Kin.accepted_at.is_not(None)
    )
)
_WHO: Final = (
    select(
        Account.id.label("account_id"),
        Account.channel,
        Account.bot_id,
        Account.chat_id,
        Account.state.label("account_state"),
        Person.id.label("person_id"),
        Person.ref,
        Person.name,
        Person.status,
        Person.country,
        Person.area_id,
        Person.is_officer,
        Person.is_demo,
        _SPEAKS.label("is_relative"),
        LANGUAGE,
        TIMEZONE,
        Area.name.label("area_name"),
    )
    .join(Person, Person.id == Account.person_id)
    .outerjoin(Area, Area.id == Person.area_id)
    .where(Account.bot_id == bindparam("bot_id"), Account.chat_id == bindparam("chat_id"))
)
_ARRIVAL: Final = Prepared(
    _WHO.add_columns(
        Dialog.key.label("dialog_key"),
        Dialog.state,
        Dialog.data,
        Dialog.updated_at,
        Intake.update_id.label("seen"),
        NUMBER,
    )
    .outerjoin(Dialog, Dialog.key == bindparam("dialog_key"))
    .outerjoin(
        Intake,
        and_(Intake.bot_id == bindparam("bot_id"), Intake.update_id == bindparam("update_id")),
    )
    # The account stands still until the update has had its effect.
    .with_for_update(of=Account)
)
_OVER: Final = timedelta(days=2)
_DUTIES: Final = (
    select(Role.area_id, Area.path, Role.role)
    .join(Area, Area.id == Role.area_id)
    .where(Role.person_id == bindparam("person_id"), Role.until.is_(None))
    .order_by(func.length(Area.path), Role.area_id)
)


async def load_arrival(
    tx: Tx, *, bot_id: int, chat_id: int, update_id: int, dialog_key: str, now: datetime
) -> Arrival | None:
    """Who wrote in this private chat; ``None`` for someone not known.

    A dialog that has lain for two days is over: what comes then is no answer to it. Only who is
    not yet on a register is still waited for.

    Two fast messages of one chat may come to two processes: on PostgreSQL the second waits here
    until the first is committed.
    """
    if tx.on_postgres:
        # Before the statement that reads, not by its lock: that would wait, too, but then see the
        # dialog, and whether the update was seen, as they were when it began.
        await tx.take_turn(_chat_key(bot_id, chat_id))
    rows = await tx.run(
        _ARRIVAL,
        {
            "bot_id": bot_id,
            "chat_id": chat_id,
            "update_id": update_id,
            "dialog_key": dialog_key,
        },
    )
    if not rows:
        return None
    row = rows[0]
    over = row.updated_at is not None and row.area_id is not None and now - row.updated_at > _OVER
    return Arrival(
        await _who(tx, row),
        None if over else row.state,
        None if over else row.data,
        has_dialog=row.dialog_key is not None,
        seen=row.seen is not None,
        account_state=row.account_state,
    )


def _chat_key(bot_id: int, chat_id: int) -> int:
    """The chat as an advisory lock of 64 bits."""
    digest = blake2b(f"chat {bot_id}:{chat_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


async def load_who(tx: Tx, bot_id: int, chat_id: int) -> Who | None:
    """The person behind a private chat, or ``None``."""
    row = (await tx.execute(_WHO, {"bot_id": bot_id, "chat_id": chat_id})).first()
    return None if row is None else await _who(tx, row)


async def _who(tx: Tx, row: Any) -> Who:
    duties: tuple[Duty, ...] = ()
    if row.is_officer:
        found = await tx.execute(_DUTIES, {"person_id": row.person_id})
        duties = tuple(Duty(duty.area_id, duty.path, duty.role) for duty in found)
    return Who(
        account_id=row.account_id,
        channel=row.channel,
        bot_id=row.bot_id,
        chat_id=row.chat_id,
        person_id=row.person_id,
        ref=row.ref,
        name=tx.vault.open("person.name", row.ref, row.name) if row.name else "",
        language=row.language,
        timezone=row.timezone,
        status=row.status,
        area_id=row.area_id,
        area_name=row.area_name,
        country=row.country,
        is_officer=bool(duties),
        is_demo=row.is_demo,
        duties=duties,
        is_relative=bool(row.is_relative),
    )


async def person_name(tx: Tx, person_id: int) -> str:
    """The person's name; empty when none is held."""
    row = (await tx.execute(select(Person.ref, Person.name).where(Person.id == person_id))).first()
    if row is None or row.name is None:
        return ""
    return tx.vault.open("person.name", row.ref, row.name)


async def mark_account(tx: Tx, account_id: int, state: str, now: datetime) -> None:
    """``state``: ``reachable``, ``blocked`` or ``gone``; the time moves only with a change."""
    await tx.execute(
        update(Account)
        .where(Account.id == account_id, Account.state != state)
        .values(state=state, state_at=now)
    )

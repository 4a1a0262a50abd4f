"""The messages in which officers see a roll call's figures change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, exists, select, update

from storage.database import Tx
from storage.models import Area, Person, Rollcall, RollcallView
from storage.people.who import LANGUAGE, TIMEZONE

_MOST: Final = 200
_SHOWN_WITHIN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class View:
    """One officer's message; ``shown`` is what stands in it, as a key. Times are UTC."""

    rollcall_id: int
    person_id: int
    bot_id: int
    chat_id: int
    message_id: int
    shown: str
    language: str
    timezone: str


async def keep_view(
    tx: Tx,
    *,
    rollcall_id: int,
    person_id: int,
    bot_id: int,
    chat_id: int,
    message_id: int,
    shown: str,
    next_at: datetime,
) -> None:
    """From now on this message follows the roll call; the officer's earlier one does not."""
    values = {
        "bot_id": bot_id,
        "chat_id": chat_id,
        "message_id": message_id,
        "shown": shown,
        "next_at": next_at,
    }
    # A message shows one thing at a time.
    await tx.execute(
        delete(RollcallView).where(
            RollcallView.person_id == person_id,
            RollcallView.message_id == message_id,
            RollcallView.bot_id == bot_id,
        )
    )
    await tx.execute(
        tx.insert(RollcallView)
        .values(rollcall_id=rollcall_id, person_id=person_id, **values)
        .on_conflict_do_update(
            index_elements=[RollcallView.rollcall_id, RollcallView.person_id], set_=values
        )
    )


async def is_view_due(tx: Tx, now: datetime) -> bool:
    """Whether any message is to be looked at; one index probe."""
    return bool(await tx.scalar(select(exists().where(RollcallView.next_at <= now))))


async def due_views(tx: Tx, now: datetime, running: Sequence[int]) -> list[View]:
    """The messages of the ``running`` bots that are to be looked at, longest waiting first."""
    found = await tx.execute(
        select(
            RollcallView.rollcall_id,
            RollcallView.person_id,
            RollcallView.bot_id,
            RollcallView.chat_id,
            RollcallView.message_id,
            RollcallView.shown,
            LANGUAGE,
            TIMEZONE,
        )
        .join(Person, Person.id == RollcallView.person_id)
        .outerjoin(Area, Area.id == Person.area_id)
        .where(RollcallView.next_at <= now, RollcallView.bot_id.in_(running))
        .order_by(RollcallView.next_at)
        .limit(_MOST)
    )
    return [View(**row._mapping) for row in found]  # noqa: SLF001  # its public name


async def claim_view(tx: Tx, view: View, shown: str, next_at: datetime) -> bool:
    """Note what is about to be shown; False when another process was first."""
    claimed = await tx.execute(
        update(RollcallView)
        .where(*_same(view), RollcallView.shown == view.shown)
        .values(shown=shown, next_at=next_at)
    )
    return bool(claimed.rowcount)


async def put_off_view(tx: Tx, view: View, shown: str, next_at: datetime) -> None:
    """What ``shown`` says did not arrive: it is tried again from ``next_at`` on."""
    await tx.execute(
        update(RollcallView)
        .where(*_same(view), RollcallView.shown == shown)
        .values(shown="", next_at=next_at)
    )


async def drop_view(tx: Tx, view: View) -> None:
    """It follows the roll call no more."""
    await tx.execute(delete(RollcallView).where(*_same(view)))


async def prune_views(tx: Tx, now: datetime) -> int:
    """Drop those of roll calls that ended a day ago, and in which no bot showed the end; how many.

    Their bot is gone, or nobody runs it any more.
    """
    over = exists().where(
        Rollcall.id == RollcallView.rollcall_id, Rollcall.ended_at < now - _SHOWN_WITHIN
    )
    return (await tx.execute(delete(RollcallView).where(over))).rowcount


def _same(view: View) -> tuple[ColumnElement[bool], ...]:
    return (
        RollcallView.rollcall_id == view.rollcall_id,
        RollcallView.person_id == view.person_id,
        RollcallView.message_id == view.message_id,
    )

"""What becomes of a database that was put back: what it says is of the time of the copy."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, literal_column, or_, select, text, update

from storage.database import Tx
from storage.installation import BACKUP, drop_value
from storage.migrate import find_version
from storage.models import (
    Account,
    Broadcast,
    Delivery,
    Intake,
    Invite,
    LanePace,
    Login,
    Person,
    WebChat,
)
from storage.outbox.messages import NEVER_TWICE, QUEUED, SENDING
from storage.people.erasure import erase_person
from storage.people.who import load_who

SENT_SINCE: Final = "restored from a backup: it may have been sent since"
STOPPED: Final = "restored from a backup"
_FOR_ONE: Final = ("officer", "device")
# More than anyone writes between a backup and the day it is needed.
_AHEAD: Final = 100_000
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Settled:
    """``unknown``: messages that are not sent again; ``waiting``: those that still will be.

    ``broadcasts`` were stopped half written; ``sessions`` of the console and unused ``links``
    that let one person in were ended. ``left`` again are those who had left since the backup.
    """

    unknown: int
    waiting: int
    broadcasts: int
    sessions: int
    links: int
    left: int


async def settle_restored(tx: Tx, now: datetime, left: Collection[str] = ()) -> Settled:
    """Make a restored database fit to go on from, in one transaction.

    By design §3, as after a crash: a broadcast that was queued or on its way may be with people
    by now, and is not said twice; what is asked or answered of one person waits on, and expires
    by itself once it is of no use. ``left`` are the refs of all whom the replaced database knew
    to have left: who leaves is erased, and does not come back with a backup.
    """
    counted = await _settle_messages(tx, now)
    broadcasts = await _end_broadcasts(tx, now)
    await tx.execute(delete(LanePace))
    await tx.execute(update(Account).where(Account.held_until.is_not(None)).values(held_until=None))
    # Answers in a conversation that went on since: by now they were said, or are no answer.
    await tx.execute(
        update(Intake).where(Intake.replies.is_not(None)).values(replies=None, leased_until=None)
    )
    sessions, links = await _end_ways_in(tx, now)
    # Another life of each conversation: a page that stayed open shows what there is now. And no
    # message takes a number that such a page still knows another one by.
    await tx.execute(
        update(WebChat).values(
            created_at=now,
            revision=WebChat.revision + _AHEAD,
            last_message_id=WebChat.last_message_id + _AHEAD,
        )
    )
    await drop_value(tx, BACKUP)
    return Settled(*counted, broadcasts, sessions, links, await _erase_left(tx, left, now))


async def _settle_messages(tx: Tx, now: datetime) -> tuple[int, int]:
    unknown = await tx.execute(
        update(Delivery)
        .where(or_(QUEUED, SENDING), Delivery.template.in_(NEVER_TWICE))
        .values(state="unknown", reason=SENT_SINCE, finished_at=now, lease_until=None)
    )
    await tx.execute(update(Delivery).where(SENDING).values(state="queued", lease_until=None))
    waiting = await tx.execute(
        update(Delivery).where(QUEUED, Delivery.expires_at > now).values(lease_until=None)
    )
    return unknown.rowcount, waiting.rowcount


async def _end_broadcasts(tx: Tx, now: datetime) -> int:
    """Nothing of any broadcast waits any more; how many had not been written to all."""
    running = Broadcast.ended_at.is_(literal_column("NULL"))
    stopped = await tx.execute(
        update(Broadcast)
        .where(running, Broadcast.expanded_at.is_(None), Broadcast.stopped_at.is_(None))
        .values(stopped_at=now, stop_reason=STOPPED)
    )
    await tx.execute(update(Broadcast).where(running).values(ended_at=now))
    return stopped.rowcount


async def _end_ways_in(tx: Tx, now: datetime) -> tuple[int, int]:
    """End what opens the console or a chat for one person: it may be used up, or taken back.

    The links of villages stay: they hang on notice boards.
    """
    sessions = await tx.execute(
        update(Login)
        .where(Login.expires_at > now, Login.session_key.is_not(None))
        .values(expires_at=now)
    )
    logins = await tx.execute(update(Login).where(Login.expires_at > now).values(expires_at=now))
    invites = await tx.execute(
        update(Invite)
        .where(
            Invite.kind.in_(_FOR_ONE),
            Invite.uses_left > 0,
            or_(Invite.expires_at.is_(None), Invite.expires_at > now),
        )
        .values(expires_at=now)
    )
    return sessions.rowcount, logins.rowcount + invites.rowcount


async def _erase_left(tx: Tx, left: Collection[str], now: datetime) -> int:
    erased = 0
    refs = sorted(left)
    for first in range(0, len(refs), _BATCH):
        here = (
            select(Person.id, Account.bot_id, Account.chat_id)
            .join(Account, Account.person_id == Person.id)
            .where(Person.ref.in_(refs[first : first + _BATCH]), Person.erased_at.is_(None))
            .order_by(Account.id)
        )
        chats = {row.id: (row.bot_id, row.chat_id) for row in await tx.execute(here)}
        for bot_id, chat_id in chats.values():
            who = await load_who(tx, bot_id, chat_id)
            if who is not None:
                await erase_person(tx, who, now)
                erased += 1
    return erased


async def count_people(tx: Tx) -> int:
    """Whom the database holds, whatever its version; nobody in an empty one."""
    if await find_version(tx) is None:
        return 0
    return int(await tx.scalar(text("SELECT count(*) FROM person WHERE erased_at IS NULL")))

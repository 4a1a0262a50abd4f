"""What became of messages that were taken for sending."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, bindparam, case, exists, literal, or_, select, update

from storage.database import Tx
from storage.engine.given import as_given, given, given_ids, nth
from storage.engine.prepared import Prepared
from storage.models import Account, Checkin, Delivery, Reminder
from storage.outbox.messages import NEVER_TWICE, SENDING
from storage.rhythm.checkins import in_one_order

_AT: Final = Delivery.not_before.type


class Outcome(NamedTuple):
    """What became of one claim.

    ``state``: ``sent`` (with the account and the ``message_id``), ``queued`` (again, from
    ``not_before`` on, through ``lane``; ``counted`` False gives the attempt back: nothing left),
    or the end: ``unknown failed cancelled expired``. ``reason`` is in words an officer can read.
    ``reminds``: it carries a reminder.
    """

    id: int
    attempts: int
    state: str
    reason: str | None = None
    account_id: int | None = None
    bot_id: int | None = None
    chat_id: int | None = None
    message_id: int | None = None
    checkin_id: int | None = None
    not_before: datetime | None = None
    lane: int | None = None
    counted: bool = True
    reminds: bool = False


class AccountNews(NamedTuple):
    """An account is ``blocked`` or ``gone``, its chat has a new id, or wants rest."""

    account_id: int
    state: str | None = None
    chat_id: int | None = None
    held_until: datetime | None = None


_SENT_ROWS: Final = given("sent")
_SENT: Final = Prepared(
    update(Delivery)
    # Even if the lease ran out meanwhile: it was sent, and must not be sent again.
    .where(
        Delivery.id == nth(_SENT_ROWS, 0),
        # Spelt out: a list has no one text.
        or_(Delivery.state == "sending", Delivery.state == "queued", Delivery.state == "unknown"),
    )
    .values(
        state="sent",
        reason=None,
        lease_until=None,
        account_id=nth(_SENT_ROWS, 1),
        message_id=nth(_SENT_ROWS, 2),
        finished_at=bindparam("at", type_=_AT),
    )
)
_DELIVERED_ROWS: Final = given("delivered")


def _delivered(*which: ColumnElement[bool]) -> Prepared:
    return Prepared(
        update(Checkin)
        .where(Checkin.id == nth(_DELIVERED_ROWS, 0), Checkin.delivered_at.is_(None), *which)
        .values(
            delivered_at=bindparam("at", type_=_AT),
            bot_id=nth(_DELIVERED_ROWS, 1),
            # Not of someone who has left while it was on its way.
            chat_id=select(Account.chat_id)
            .where(
                Account.bot_id == nth(_DELIVERED_ROWS, 1),
                Account.chat_id == nth(_DELIVERED_ROWS, 2),
            )
            .scalar_subquery(),
            message_id=nth(_DELIVERED_ROWS, 3),
        )
    )


_DELIVERED: Final = _delivered()
_DELIVERED_BESIDE_OTHERS: Final = _delivered(Checkin.id.in_(in_one_order(given_ids("delivered"))))
_REMINDED: Final = Prepared(
    update(Reminder)
    .where(
        Reminder.id.in_(select(Delivery.reminder_id).where(Delivery.id.in_(given_ids("reminded"))))
    )
    .values(delivered_at=bindparam("at", type_=_AT))
)
_MINE: Final = (
    Delivery.id == bindparam("b_id"),
    Delivery.state == "sending",
    Delivery.attempts == bindparam("b_attempts"),
)
_AGAIN: Final = (
    update(Delivery)
    .where(*_MINE)
    .values(
        state="queued",
        reason=bindparam("b_reason"),
        lease_until=None,
        not_before=bindparam("b_not_before"),
        lane=bindparam("b_lane"),
        attempts=Delivery.attempts - bindparam("b_back"),
    )
)
_ENDED: Final = (
    update(Delivery)
    .where(*_MINE)
    .values(
        state=bindparam("b_state"),
        reason=bindparam("b_reason"),
        lease_until=None,
        finished_at=bindparam("b_at"),
        attempts=Delivery.attempts - bindparam("b_back"),
    )
)


async def record_outcomes(
    tx: Tx, outcomes: Iterable[Outcome], news: Iterable[AccountNews], now: datetime
) -> None:
    """Write what became of claims, in batches, and what was learnt about accounts.

    ``sent`` is written whatever happened to the row since; the rest only while the row is still
    this claim's, so that a process that was away too long changes nothing.
    """
    sent: list[tuple[int | None, ...]] = []
    delivered: list[tuple[Any, ...]] = []
    reminded: list[tuple[int]] = []
    again: list[dict[str, Any]] = []
    ended: list[dict[str, Any]] = []
    for it in sorted(outcomes, key=attrgetter("id")):  # one order: no deadlocks
        if it.state == "sent":
            sent.append((it.id, it.account_id, it.message_id))
            if it.checkin_id is not None:
                delivered.append((it.checkin_id, it.bot_id, it.chat_id, it.message_id))
            if it.reminds:
                reminded.append((it.id,))
            continue
        mine = {
            "b_id": it.id,
            "b_attempts": it.attempts,
            "b_reason": _short(it.reason),
            "b_back": 0 if it.counted else 1,
        }
        if it.state == "queued":
            again.append(mine | {"b_not_before": max(it.not_before or now, now), "b_lane": it.lane})
        else:
            ended.append(mine | {"b_state": it.state, "b_at": now})
    if sent:
        await tx.run(_SENT, {"sent": as_given(sent), "at": now})
    if delivered:
        beside = _DELIVERED_BESIDE_OTHERS if tx.on_postgres else _DELIVERED
        await tx.run(beside, {"delivered": as_given(delivered), "at": now})
    if reminded:
        await tx.run(_REMINDED, {"reminded": as_given(reminded), "at": now})
    for statement, rows in ((_AGAIN, again), (_ENDED, ended)):
        if rows:
            await tx.execute(statement, rows)
    for piece in sorted(news, key=attrgetter("account_id")):
        await _record_news(tx, piece, now)


async def _record_news(tx: Tx, news: AccountNews, now: datetime) -> None:
    account = update(Account).where(Account.id == news.account_id)
    if news.state is not None:
        await tx.execute(
            account.where(Account.state != news.state).values(state=news.state, state_at=now)
        )
    if news.held_until is not None:
        longer = or_(Account.held_until.is_(None), Account.held_until < news.held_until)
        await tx.execute(account.where(longer).values(held_until=news.held_until))
    if news.chat_id is not None:
        other = Account.__table__.alias("other")
        bot_id = select(other.c.bot_id).where(other.c.id == news.account_id).scalar_subquery()
        taken = exists(
            select(literal(1)).where(other.c.bot_id == bot_id, other.c.chat_id == news.chat_id)
        )
        await tx.execute(account.where(~taken).values(chat_id=news.chat_id))


def _short(reason: str | None) -> str | None:
    return None if reason is None else reason[:80]


async def recover_lost(tx: Tx, now: datetime, lease: timedelta, *, everything: bool = False) -> int:
    """Take back what was being sent when its process died: its lease has run out.

    So has one that ends more than two ``lease`` ahead: the clock was set back since. It may have
    gone out or not: a broadcast becomes ``unknown``; all else is queued again, from now on.
    ``everything``: whatever the lease, for a database that only this process serves. Returns how
    many were found.
    """
    twice = Delivery.template.in_(NEVER_TWICE)
    lost = update(Delivery).where(SENDING)
    if not everything:
        over = or_(Delivery.lease_until <= now, Delivery.lease_until > now + 2 * lease)
        lost = lost.where(over)
    found = await tx.execute(
        lost.values(
            state=case((twice, "unknown"), else_="queued"),
            reason="interrupted while it was being sent",
            finished_at=case((twice, literal(now, _AT)), else_=None),
            # Not where it was in its queue: claims have passed that place.
            not_before=case(
                (Delivery.not_before < now, literal(now, _AT)), else_=Delivery.not_before
            ),
            lease_until=None,
        )
    )
    return found.rowcount

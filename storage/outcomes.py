"""What became of messages that were taken for sending."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, case, exists, literal, or_, select, update

from storage.database import Tx
from storage.models import Account, Checkin, Delivery
from storage.outbox import NEVER_TWICE, SENDING

_AT: Final = Delivery.not_before.type


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one claim.

    ``state``: ``sent`` (with the account and the ``message_id``), ``queued`` (again, from
    ``not_before`` on, through ``lane``; ``counted`` False gives the attempt back: nothing left),
    or the end: ``unknown failed cancelled``. ``reason`` is in words an officer can read.
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


@dataclass(frozen=True, slots=True)
class AccountNews:
    """An account is ``blocked`` or ``gone``, or its chat has a new id."""

    account_id: int
    state: str | None = None
    chat_id: int | None = None


_SENT: Final = (
    update(Delivery)
    # Even if the lease ran out meanwhile: it was sent, and must not be sent again.
    .where(
        Delivery.id == bindparam("b_id"),
        # Spelt out: a list cannot be bound in a batch.
        or_(Delivery.state == "sending", Delivery.state == "queued", Delivery.state == "unknown"),
    )
    .values(
        state="sent",
        reason=None,
        lease_until=None,
        account_id=bindparam("b_account"),
        message_id=bindparam("b_message"),
        finished_at=bindparam("b_at"),
    )
)
_DELIVERED: Final = (
    update(Checkin)
    .where(Checkin.id == bindparam("b_checkin"), Checkin.delivered_at.is_(None))
    .values(
        delivered_at=bindparam("b_at"),
        bot_id=bindparam("b_bot"),
        # Not of someone who has left while it was on its way.
        chat_id=select(Account.chat_id)
        .where(Account.bot_id == bindparam("b_bot"), Account.chat_id == bindparam("b_chat"))
        .scalar_subquery(),
        message_id=bindparam("b_message"),
    )
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
    )
)


async def record_outcomes(
    tx: Tx, outcomes: Iterable[Outcome], news: Iterable[AccountNews], now: datetime
) -> None:
    """Write what became of claims, in batches, and what was learnt about accounts.

    ``sent`` is written whatever happened to the row since; the rest only while the row is still
    this claim's, so that a process that was away too long changes nothing.
    """
    sent: list[dict[str, Any]] = []
    delivered: list[dict[str, Any]] = []
    again: list[dict[str, Any]] = []
    ended: list[dict[str, Any]] = []
    for it in sorted(outcomes, key=lambda outcome: outcome.id):  # one order: no deadlocks
        mine = {"b_id": it.id, "b_attempts": it.attempts, "b_reason": _short(it.reason)}
        if it.state == "sent":
            sent.append(
                {
                    "b_id": it.id,
                    "b_account": it.account_id,
                    "b_message": it.message_id,
                    "b_at": now,
                }
            )
            if it.checkin_id is not None:
                delivered.append(
                    {
                        "b_checkin": it.checkin_id,
                        "b_at": now,
                        "b_bot": it.bot_id,
                        "b_chat": it.chat_id,
                        "b_message": it.message_id,
                    }
                )
        elif it.state == "queued":
            again.append(
                mine
                | {
                    "b_not_before": it.not_before or now,
                    "b_lane": it.lane,
                    "b_back": 0 if it.counted else 1,
                }
            )
        else:
            ended.append(mine | {"b_state": it.state, "b_at": now})
    for statement, rows in (
        (_SENT, sent),
        (_DELIVERED, delivered),
        (_AGAIN, again),
        (_ENDED, ended),
    ):
        if rows:
            await tx.execute(statement, rows)
    for piece in sorted(news, key=lambda piece: piece.account_id):
        await _record_news(tx, piece, now)


async def _record_news(tx: Tx, news: AccountNews, now: datetime) -> None:
    account = update(Account).where(Account.id == news.account_id)
    if news.state is not None:
        await tx.execute(
            account.where(Account.state != news.state).values(state=news.state, state_at=now)
        )
    if news.chat_id is not None:
        other = Account.__table__.alias("other")
        bot_id = select(other.c.bot_id).where(other.c.id == news.account_id).scalar_subquery()
        taken = exists(
            select(literal(1)).where(other.c.bot_id == bot_id, other.c.chat_id == news.chat_id)
        )
        await tx.execute(account.where(~taken).values(chat_id=news.chat_id))


def _short(reason: str | None) -> str | None:
    return None if reason is None else reason[:80]


async def recover_lost(tx: Tx, now: datetime, *, everything: bool = False) -> int:
    """Take back what was being sent when its process died: its lease has run out.

    It may have gone out or not. A broadcast becomes ``unknown``; all else is queued again.
    ``everything``: whatever the lease, for a database that only this process serves. Returns how
    many were found.
    """
    twice = Delivery.template.in_(NEVER_TWICE)
    lost = update(Delivery).where(SENDING)
    if not everything:
        lost = lost.where(Delivery.lease_until <= now)
    found = await tx.execute(
        lost.values(
            state=case((twice, "unknown"), else_="queued"),
            reason="interrupted while it was being sent",
            finished_at=case((twice, literal(now, _AT)), else_=None),
            lease_until=None,
        )
    )
    return found.rowcount

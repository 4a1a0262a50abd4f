"""One attempt to send one letter, and what it makes of the message."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramEntityTooLarge

from scheduler.letters import Attached, Letter, fetch
from scheduler.outcomes import Decision, Kind, decide
from scheduler.pace import Lane, back_off
from scheduler.reasons import reason_in_a_word
from storage.outbox.claims import Address, Claimed
from storage.outbox.messages import NEVER_TWICE
from storage.outbox.outcomes import AccountNews, Outcome

_log = structlog.get_logger(__name__)

REQUEST_TIMEOUT: Final = 20

_SURE_IN_PART: Final = (Kind.REFUSED, Kind.UNREACHABLE)


class Accepted(NamedTuple):
    """The channel took it; ``started`` is when the last part left."""

    message_id: int | None
    started: float


async def send_letter(
    letter: Letter, bot: Bot, bots: Mapping[int, Bot], seconds: Callable[[], float]
) -> Accepted | Decision:
    """Send the parts in order; the last one's message stands for the letter."""
    message_id, parts_out, started = None, 0, seconds()
    try:
        for part in letter.parts:
            started = seconds()
            if isinstance(part, Attached):
                taken = await _send_file(part, bot, bots)
            else:
                taken = await bot(part, request_timeout=REQUEST_TIMEOUT)
            message_id = getattr(taken, "message_id", None)
            parts_out += 1
    except Exception as error:  # noqa: BLE001  # the table has a row for every error
        decision = decide(error)
        if parts_out and decision.kind not in _SURE_IN_PART:
            # Half of it is there: whether to begin again is for the message's class to say.
            return Decision(Kind.LOST, f"only in part: {decision.reason}")
        return decision
    return Accepted(message_id, started)


async def _send_file(part: Attached, bot: Bot, bots: Mapping[int, Bot]) -> object:
    method = await fetch(part, bot.id, bots, REQUEST_TIMEOUT)
    try:
        return await bot(method, request_timeout=REQUEST_TIMEOUT)
    except (TelegramBadRequest, TelegramEntityTooLarge) as error:
        if decide(error).kind is not Kind.REFUSED:
            raise
        return await bot(part.instead, request_timeout=REQUEST_TIMEOUT)


def settle_decision(
    decision: Decision,
    messages: Sequence[Claimed],
    to: Address,
    lane: Lane,
    now: datetime,
    seconds: float,
    started: float,
) -> tuple[list[Outcome], AccountNews | None]:
    """What an error makes of the messages that left as one letter, their account and their lane.

    All share it, but for what is lost: there each message's class keeps its own promise.
    ``now`` and ``seconds`` are the same instant on the two clocks; ``started`` is when it left.
    """
    until = now + timedelta(seconds=_weigh(decision, to, lane, seconds, started) - seconds)
    outcomes = [_settle(decision, message, until, now) for message in messages]
    return outcomes, _news(decision, to, now)


def _settle(decision: Decision, message: Claimed, until: datetime, now: datetime) -> Outcome:
    reason = decision.reason
    backed_off = now + timedelta(seconds=back_off(message.attempts))
    match decision.kind:
        case Kind.THROTTLED | Kind.UNSENT | Kind.NO_ENTRY | Kind.MOVED:
            return later(message, until, reason)
        case Kind.AGAIN:
            return later(message, backed_off, reason, counted=True)
        case Kind.LOST:
            if message.template in NEVER_TWICE:
                return Outcome(message.id, message.attempts, "unknown", reason)
            return later(message, backed_off, reason, counted=True)
        case Kind.UNREACHABLE:
            # Without a lane: the next best account is looked for, or it fails for this reason.
            return Outcome(message.id, message.attempts, "queued", reason, counted=False)
        case Kind.REFUSED:
            return Outcome(message.id, message.attempts, "failed", reason)


def _news(decision: Decision, to: Address, now: datetime) -> AccountNews | None:
    if decision.kind is Kind.THROTTLED:
        # The chat's own time: were it the whole bot's, the lane waits for longer.
        chat_until = now + timedelta(seconds=decision.retry_after)
        return AccountNews(to.account_id, held_until=chat_until)
    if decision.kind is Kind.UNREACHABLE:
        return AccountNews(to.account_id, state=decision.account)
    if decision.kind is Kind.MOVED:
        return AccountNews(to.account_id, chat_id=decision.chat_id)
    return None


def _weigh(decision: Decision, to: Address, lane: Lane, seconds: float, started: float) -> float:
    """Let the lane learn from an error; until when the message waits."""
    if decision.kind is Kind.THROTTLED:
        return lane.throttled(seconds, to.chat_id, decision.retry_after, started)
    if decision.kind is Kind.UNSENT:
        return lane.unsent(seconds)
    if decision.kind is Kind.NO_ENTRY and lane.stopped is None:
        lane.stopped = decision.reason
        _log.error(
            f"{decision.reason}: nothing more leaves through it until a restart, "
            "its messages wait in the outbox",
            bot=lane.bot_id,
        )
    return seconds


def sent(message: Claimed, to: Address, message_id: int | None) -> Outcome:
    return Outcome(
        message.id,
        message.attempts,
        "sent",
        account_id=to.account_id,
        bot_id=to.bot_id,
        chat_id=to.chat_id,
        message_id=message_id,
        checkin_id=message.checkin_id,
        reminds=message.template == "reminder",
    )


def later(
    message: Claimed,
    until: datetime,
    reason: str | None,
    *,
    lane: int | None = None,
    counted: bool = False,
) -> Outcome:
    """Queued again from ``until`` on, through ``lane`` or the one it was on."""
    return Outcome(
        message.id,
        message.attempts,
        "queued",
        reason,
        not_before=until,
        lane=message.lane if lane is None else lane,
        counted=counted,
    )


def in_a_word(outcome: Outcome) -> str:
    """What the counters call it: what became of it, and why in one of a few words."""
    result = "again" if outcome.state == "queued" else outcome.state
    reason = reason_in_a_word(outcome.reason)
    return f"{result}: {reason}" if reason else result

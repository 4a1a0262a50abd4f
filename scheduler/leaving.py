"""Whether a message may leave now: what was right when it was written is looked at again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from scheduler.quiet import wait_until
from storage.calendar.zone import zone_of
from storage.outbox.claims import Claimed

_ASKS_THE_EXPECTED: Final = ("checkin", "nudge", "nudge_again", "rollcall", "rollcall_nudge")
_TO_OFFICERS: Final = ("case_new", "case_more", "help_urgent", "tasks_call", "rollcall_report")
_DIGESTS: Final = ("tasks", "tasks_raised")
_ANSWERS: Final = ("case_reply",)


@dataclass(frozen=True, slots=True)
class Go:
    """It may leave; ``silent``: without a sound, because it is night there."""

    silent: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """It waits until ``until`` (UTC), for ``reason``."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """It ends here, as ``state``, for ``reason``."""

    state: Literal["cancelled", "expired", "failed"]
    reason: str


Verdict = Go | Hold | Drop


def check_leave(message: Claimed, now: datetime) -> Verdict:
    """Look again at person, consent, status and night.

    Night does not hold what is urgent (roll calls, calls for help), nor what belongs to a
    conversation that the person is in: the answer to their own question, and a case for the
    officer on duty. Those arrive without a sound.
    """
    if message.expires_at <= now:
        return Drop("expired", message.waited or "not sent in time")
    if message.stopped_at is not None:
        return Drop("cancelled", "the notice was stopped")
    if message.erased_at is not None:
        return Drop("cancelled", "the person has left")
    if refusal := _refusal(message):
        return Drop("cancelled", refusal)
    if message.to is None:
        return Drop("failed", message.trouble or "no account")
    held_until = message.to.held_until
    if held_until is not None and held_until > now:
        return Hold(held_until, "slowed down by the channel")
    if message.urgent:
        return Go()
    night = wait_until(now, zone_of(message.timezone), message.quiet_from, message.quiet_to)
    if night is None:
        return Go()
    if message.template in _ANSWERS or message.template in _TO_OFFICERS:
        return Go(silent=True)
    return Hold(night, "quiet hours")


def _refusal(message: Claimed) -> str | None:
    if message.template in (*_TO_OFFICERS, *_DIGESTS, *_ANSWERS):
        return None
    if not message.consented:
        return "no consent"
    if message.status == "left":
        return "the person has left"
    if message.answered_at is not None:
        return "answered before it was sent"
    if message.status == "paused":
        return "paused"
    if message.template in _ASKS_THE_EXPECTED and message.status == "home":
        return "at home"
    return None

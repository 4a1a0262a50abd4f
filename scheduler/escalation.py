"""What follows when a check-in has no answer: one step at a time, decided from what is known."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

_LOOK_AGAIN: Final = timedelta(hours=1)
RELATIVE_HAS: Final = timedelta(hours=24)
"""How long the relative is waited for before the liaison is asked."""

Why = Literal["unanswered", "unreachable", "call", "no"]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a rule says of silence.

    ``nudges`` count from the delivery; ``raise_after`` from the liaison's task, None: never.
    """

    nudges: tuple[timedelta, ...]
    ask_relative: bool
    ask_liaison: bool
    raise_after: timedelta | None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A check-in and what has become of it. Times are UTC.

    ``answered``: by this check-in's own buttons or words; ``heard_at`` is when the person was last
    heard from in any way, ``reached_at`` when someone last had word of them (a relative, a
    liaison). ``reachable`` is false when no account of theirs can be reached; ``expected`` when
    they are away or moving and consent. ``relative``: whether someone may be asked.
    ``relative_asked_at`` and ``relative_said`` are the question's, ``task_at`` when the liaison was
    asked, ``raised`` whether the supervisor was told.
    """

    due_at: datetime
    window_until: datetime
    delivered_at: datetime | None
    answered: bool
    heard_at: datetime | None
    reached_at: datetime | None
    expected: bool
    reachable: bool
    nudged: int
    relative: bool
    relative_asked_at: datetime | None
    relative_said: Literal["fine", "no", "call"] | None
    task_at: datetime | None
    raised: bool


@dataclass(frozen=True, slots=True)
class Nudge:
    """Ask once more; ``n`` is 1 for the first time."""

    n: int


@dataclass(frozen=True, slots=True)
class AskRelative:
    """Ask the relative who agreed to it."""


@dataclass(frozen=True, slots=True)
class AskLiaison:
    """Give the liaison a task, and say why."""

    why: Why


@dataclass(frozen=True, slots=True)
class TellSupervisor:
    """The liaison's task has lain for too long."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is to be done before ``until``."""

    until: datetime


@dataclass(frozen=True, slots=True)
class End:
    """Nothing more is to be done, for ``reason``."""

    reason: str


Decision = Nudge | AskRelative | AskLiaison | TellSupervisor | Wait | End


def decide(case: Unanswered, now: datetime, policy: Policy) -> Decision:
    """The next step, or until when there is none.

    Word of the person ends it, wherever it came from; so does that they are no longer expected.
    Nudges come first, at their times after the delivery; then the relative, once the time to
    answer is over or nothing can reach the person; then the liaison, when the relative said so or
    kept silent; then the supervisor. A nudge whose time passed while nothing ran is not made up
    for once the next one is due: two at once would nag.
    """
    if reason := _over(case):
        return End(reason)
    if case.reachable and case.delivered_at is not None and now < case.window_until:
        due = [case.delivered_at + after for after in policy.nudges]
        passed = sum(at <= now for at in due)
        if passed > case.nudged:
            return Nudge(passed)
        return Wait(min([*due[case.nudged :], case.window_until]))
    if case.reachable and now < case.window_until:
        # Its message is on its way, perhaps late: the nudges count from when it arrives.
        return Wait(min(now + _LOOK_AGAIN, case.window_until))
    return _beyond(case, now, policy)


def _over(case: Unanswered) -> str | None:
    if case.answered:
        return "answered"
    if not case.expected:
        return "not expected any more"
    if case.heard_at is not None and case.heard_at >= case.due_at:
        return "heard from"
    if case.reached_at is not None and case.reached_at >= case.due_at:
        return "word of them"
    if case.relative_said == "fine":
        return "a relative says they are fine"
    return None


def _beyond(case: Unanswered, now: datetime, policy: Policy) -> Decision:
    """The steps that others take."""
    if case.task_at is None:
        if policy.ask_relative and case.relative and case.relative_said is None:
            if case.relative_asked_at is None:
                return AskRelative()
            answer_until = case.relative_asked_at + RELATIVE_HAS
            if now < answer_until:
                return Wait(answer_until)
        if not policy.ask_liaison:
            return End("nobody else is asked")
        if case.relative_said in ("no", "call"):
            return AskLiaison(case.relative_said)
        return AskLiaison("unanswered" if case.reachable else "unreachable")
    if case.raised or policy.raise_after is None:
        return End("with the liaison")
    raise_at = case.task_at + policy.raise_after
    return Wait(raise_at) if now < raise_at else TellSupervisor()

"""What may be done next about someone's silence: decided from what is known of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from storage.register.answering import Habit
from storage.register.standing import Silence

Step = Literal[
    "family-call",
    "family-no",
    "family-fine",
    "family-asked",
    "call",
    "call-only",
    "ask-family",
    "ask-village",
    "number-changed",
    "number-changed-family",
    "new-link",
    "waits",
    "asked-on",
    "no-rule",
    "quiet-until",
    "quiet",
    "never",
    "fading",
]
STEPS: Final[tuple[Step, ...]] = Step.__args__  # type: ignore[attr-defined]  # a Literal has it


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a silence. Times are UTC.

    ``silence`` is the register's class, None when a liaison tried already. ``account``: there is
    an address of theirs at all. ``family``: someone agreed to be asked about them. ``said`` is
    what the family last said of them within a week, at ``said_at``; ``asking``: they are being
    asked now. ``held`` is why a question to them waits, until ``held_until``; ``next_at`` is when
    the rules ask them next, None when no rule does. ``task``: a liaison was asked for a word with
    them, so that it is not enough to wait.
    """

    silence: Silence | None
    account: bool = True
    phone: bool = False
    family: bool = False
    said: Literal["fine", "no", "call"] | None = None
    said_at: datetime | None = None
    asking: bool = False
    held: str | None = None
    held_until: datetime | None = None
    next_at: datetime | None = None
    task: bool = False
    habit: Habit | None = None


def next_steps(facts: Facts) -> tuple[Step, ...]:
    """What a liaison may do, the first thing first; there is always something to be said.

    What the family said comes before what the class of the silence asks for; a habit of silence
    comes last, as it is no news.
    """
    steps: list[Step] = []
    if facts.said in ("call", "no"):
        steps.append("family-call" if facts.said == "call" else "family-no")
    steps += _of_class(facts)
    if facts.habit is not None and facts.silence != "unreachable":
        steps.append(facts.habit)
    return tuple(steps)


def _of_class(facts: Facts) -> tuple[Step, ...]:
    match facts.silence:
        case None:
            return (_tried(facts),)
        case "unreachable":
            first: Step = "call-only" if facts.phone else _number(facts)
            return first, "new-link"
        case "unanswered":
            return (_unanswered(facts),)
        case "unasked" | "quiet" if facts.task:
            return (_unanswered(facts),)
        case "unasked":
            if facts.held is not None:
                return ("waits",)
            return ("asked-on" if facts.next_at is not None else "no-rule",)
        case "quiet":
            return ("quiet-until" if facts.next_at is not None else "quiet",)


def _number(facts: Facts) -> Step:
    return "ask-family" if facts.family else "ask-village"


def _tried(facts: Facts) -> Step:
    if facts.said == "fine":
        return "family-fine"
    if not facts.phone:
        return _number(facts)
    return "number-changed-family" if facts.family else "number-changed"


def _unanswered(facts: Facts) -> Step:
    if facts.said == "fine":
        return "family-fine"
    if facts.asking:
        return "family-asked"
    return "call" if facts.phone else _number(facts)

"""What can be said about why something was, or was not, sent to a person on a day.

Facts without words: ``kinroom why`` and the console say them in the reader's language
(:mod:`handlers.why_words`). All instants are UTC; days are local days of the person's zone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """Why a rule sent nothing to a person on a day, or that it did or will."""

    ASKED = "asked"
    WILL_ASK = "will_ask"
    NOT_DUE = "not_due"
    ALMANAC_ENDS = "almanac_ends"
    NOT_BEGUN = "not_begun"
    ENDED = "ended"
    MADE_LATER = "made_later"
    STOPPED = "stopped"
    JOINED_LATER = "joined_later"
    NO_WORKER = "no_worker"
    NO_CONSENT = "no_consent"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"
    HOME = "home"
    PAUSED = "paused"
    LEFT = "left"
    SLOWER = "slower"
    OTHER_RULE = "other_rule"
    NOT_PLANNED = "not_planned"
    NO_RULES = "no_rules"


@dataclass(frozen=True, slots=True)
class Where:
    """Whose clock and whose rules held: the area is the register's they stood on that day."""

    timezone: str
    area_code: str | None
    area_name: str | None
    country: str | None
    province: str | None
    city: str | None
    moved_since: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """Whether they were to be asked at all on that day, and if not, why and until when."""

    expected: bool
    reason: Reason | None
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Habits:
    """What they chose: hours in minutes after local midnight, quiet hours as local hours."""

    slower: bool
    monthly: bool
    chosen_minute: int | None
    usual_minute: int | None
    quiet_from: int
    quiet_to: int
    prefers: str | None


@dataclass(frozen=True, slots=True)
class Reach:
    """An account as it is now; ``state``: ``reachable``, ``blocked``, ``gone``, or ``none``."""

    channel: str | None
    state: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class RuleHeld:
    """A rule that spoke for them, where it comes from, and in which version.

    ``overrides`` are the codes, ``override_names`` the names, of the areas above whose rule of
    this code it takes the place of; ``versions`` how many there are by now.
    """

    rule_id: int
    kind: str
    code: str
    area_code: str
    area_name: str
    inherited: bool
    overrides: tuple[str, ...]
    version: int
    version_at: datetime
    versions: int
    table: dict[str, Any]
    override_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule came to on that day, in one reason.

    ``before`` and ``after`` are the nearest days on which the rule is due; ``at`` is when the
    reason began (joined, stopped …) or when they are asked; ``minute_by`` says who set the hour:
    ``chosen``, ``usual`` or ``rule``.
    """

    rule_id: int | None
    kind: str
    code: str
    reason: Reason
    before: date | None = None
    after: date | None = None
    at: datetime | None = None
    until: datetime | None = None
    minute_by: str | None = None
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A check-in that was planned; ``rule`` is None for a roll call, and for one without a rule.

    ``over_at``: since when its roll call is over.
    """

    checkin_id: int
    rule: str | None
    rollcall: bool
    version: int | None
    due_at: datetime
    window_until: datetime
    delivered_at: datetime | None
    answered_at: datetime | None
    answer: str | None
    over_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its fate, and the machine's reason. ``at`` is when that came, or will."""

    delivery_id: int
    template: str
    state: str
    reason: str | None
    channel: str | None
    at: datetime
    created_at: datetime
    not_before: datetime | None
    expires_at: datetime | None
    urgent: bool
    attempts: int


@dataclass(frozen=True, slots=True)
class RemindersKept:
    """Of what they want to be reminded nothing is told: it is theirs alone."""


@dataclass(frozen=True, slots=True)
class StepTaken:
    """What followed silence: ``nudge``, ``relative``, ``liaison``, ``supervisor``."""

    kind: str
    outcome: str
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class FamilyAsked:
    """A relative was asked, or answered (``answer`` is then set)."""

    at: datetime
    answer: str | None


@dataclass(frozen=True, slots=True)
class TaskNoted:
    """A liaison's task: ``what`` is ``opened``, ``raised`` or ``closed`` (``how`` says as what)."""

    what: str
    how: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """A contact of that day."""

    evidence: str
    kind: str
    outcome: str
    success: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Messages that ended before this are not kept any more."""

    before: datetime


@dataclass(frozen=True, slots=True)
class NoMessages:
    """Nothing was on its way to them on that day."""


@dataclass(frozen=True, slots=True)
class Coming:
    """What comes next: ``checkin``, ``step`` (of an open check-in) or nothing.

    With ``kind`` None, ``reason`` says why nothing comes. ``table`` is what the rule says now: on
    the day asked for, another may have gone by its code.
    """

    kind: str | None
    code: str | None
    at: datetime | None
    reason: Reason | None = None
    table: dict[str, Any] | None = None


Fact = (
    Where
    | Expected
    | Habits
    | Reach
    | RuleHeld
    | Verdict
    | Asked
    | Message
    | RemindersKept
    | StepTaken
    | FamilyAsked
    | TaskNoted
    | Heard
    | Forgotten
    | NoMessages
    | Coming
)


@dataclass(frozen=True, slots=True)
class Why:
    """The chain of facts about one person and one day, in the order in which they are told.

    ``tables`` are what the rules say, by code, those included that the facts only name.
    """

    person_id: int
    ref: str
    name: str
    day: date
    timezone: str
    facts: tuple[Fact, ...]
    tables: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, *kinds: type) -> Iterator[Any]:
        """The facts of these kinds."""
        return (fact for fact in self.facts if isinstance(fact, kinds))


def fact_name(fact: Fact) -> str:
    """What scripts call a fact: ``rule_held``, ``verdict`` …"""
    name = type(fact).__name__
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def as_json(fact: Fact) -> dict[str, Any]:
    """The fact as plain values; instants as ISO texts in UTC."""
    return {"fact": fact_name(fact), **{key: _plain(value) for key, value in asdict(fact).items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value

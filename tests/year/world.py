"""The county of a simulated year: its villages, its rules, and who lives there."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from hashlib import blake2b
from typing import Final
from zoneinfo import ZoneInfo

from storage.calendar.recurrence import Around, Hours, MonthWeekdays, Weeks
from storage.people.areas import AreaInfo
from storage.people.who import Duty, Who
from storage.rules.terms import CheckinTerms

BOT: Final = 42
HOME_ZONE: Final = "Asia/Shanghai"
STARTS: Final = date(2026, 11, 23)
"""A Monday: its week is the first that rules of every n weeks count from."""
ZONES: Final = (
    "Europe/Madrid",
    "America/New_York",
    "Australia/Sydney",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "America/Santiago",
    "America/St_Johns",
    "Pacific/Auckland",
    "Europe/Moscow",
)
"""Where people go: most change their clocks, at dates of their own, three of them in the south;
two are no whole hours from the others."""
AREAS: Final = {
    "county": None,
    "east": "county",
    "west": "county",
    **{f"east-{n}": "east" for n in range(1, 6)},
    **{f"west-{n}": "west" for n in range(1, 6)},
}
VILLAGES: Final = tuple(code for code in AREAS if "-" in code)
_SPARSE: Final = Hours(time(19), time(9), time(21))
RULES: Final = {
    # Every fourth Sunday, asked as everywhere: most of the east inherits this one.
    "county": CheckinTerms("rhythm", Weeks(4, (6,)), starts=STARTS),
    # The first Saturday of the month, in the evening; the liaison hears of silence at once.
    "west": CheckinTerms(
        "rhythm", MonthWeekdays(1, ((1, 5),)), _SPARSE, window=120, nudges=(24, 72), then="liaison"
    ),
    "east-1": CheckinTerms("rhythm", Weeks(1, (6,)), starts=STARTS),
    "west-1": CheckinTerms("rhythm", Weeks(4, (2,)), starts=STARTS, nudges=(20,), supervisor=24),
    "west-2": CheckinTerms("rhythm", Weeks(2, (6,)), starts=STARTS, nudges=(), then="none",
                           supervisor=None),
}  # fmt: skip
FESTIVAL: Final = CheckinTerms(
    "festival", Around("spring-festival", (-7,)), nudges=(24,), then="none", supervisor=None
)
"""A week before Spring Festival, for the whole county."""


def chance(*what: object) -> float:
    """A number from 0 to below 1 that always is the same for the same things."""
    digest = blake2b(repr(what).encode(), digest_size=7).digest()
    return int.from_bytes(digest) / (1 << 56)


@dataclass(slots=True)
class Word:
    """A contact as the register will see it."""

    at: datetime
    evidence: str
    success: bool = True


@dataclass(slots=True)
class Worker:
    """One person, as they are; what the tables say of them is checked against this.

    ``zone`` is where they live by the clock. ``blocked``: they want nothing more of the bot;
    ``cut_off``: since when the program knows. ``unsettled`` is when something about them last
    changed that decides whether they are asked. ``relative``: their relative's ``number``.
    ``topics``: ids of what they hear of.
    """

    number: int
    person_id: int
    account_id: int
    village: str
    area: AreaInfo
    zone: ZoneInfo
    kind: str
    usual: int
    joined: datetime
    unsettled: datetime
    ask: int | None = None
    quiet: tuple[int, int] = (21, 8)
    status: str = "away"
    slower: bool = False
    erased: bool = False
    blocked: bool = False
    cut_off: datetime | None = None
    relative: int | None = None
    topics: set[int] = field(default_factory=set)
    words: list[Word] = field(default_factory=list)

    @property
    def chat(self) -> int:
        return chat_of(self.number)

    @property
    def expected(self) -> bool:
        return not self.erased and self.status in ("away", "moving")

    def who(self) -> Who:
        return Who(
            account_id=self.account_id,
            channel="telegram",
            bot_id=BOT,
            chat_id=self.chat,
            person_id=self.person_id,
            ref=ref_of(self.number),
            name="",
            language="zh",
            timezone=self.zone.key,
            status=self.status,
            area_id=self.area.id,
            area_name=self.area.name,
            country=None,
            is_officer=False,
            is_demo=False,
        )


@dataclass(frozen=True, slots=True)
class Officer:
    """The liaison of a village."""

    person_id: int
    area: AreaInfo

    def who(self) -> Who:
        return Who(
            0, "telegram", BOT, 0, self.person_id, "", "", "zh", HOME_ZONE, "away", None, None,
            None, True, False, (Duty(self.area.id, self.area.path, "liaison"),),
        )  # fmt: skip


@dataclass(slots=True)
class World:
    """Everyone, by number; ``by_id`` by the tables' id. Relatives and officers are no workers."""

    seed: int
    start: datetime
    zones: tuple[str, ...]
    areas: dict[str, AreaInfo]
    workers: dict[int, Worker]
    by_id: dict[int, Worker]
    relatives: dict[int, int]
    officers: dict[str, Officer]
    kin: dict[int, tuple[int, int]] = field(default_factory=dict)

    def chance(self, *what: object) -> float:
        return chance(self.seed, *what)


def chat_of(number: int) -> int:
    return 1_000_000 + number


def ref_of(number: int) -> str:
    return f"year-{number:08}"


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)

"""The county of a simulated year: its villages, rules and people, drawn from a seed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select

from storage.calendar.recurrence import Around, Hours, MonthWeekdays, Weeks
from storage.database import Database, Tx
from storage.models import Account, Consent, Enrolment, Kin, Person, Role, StatusChange
from storage.people.areas import AreaInfo, add_area, list_areas
from storage.people.enrolment import PURPOSE, RELATIVE, VOUCH, WORDING
from storage.people.who import Duty, Who
from storage.rules.kept import add_rule
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
KINDS: Final = (
    ("prompt", 0.66),
    ("slow", 0.2),
    ("busy", 0.06),
    ("fading", 0.05),
    ("silent", 0.03),
)
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


def pick(kinds: tuple[tuple[str, float], ...], at: float) -> str:
    for kind, share in kinds:
        at -= share
        if at < 0:
            return kind
    return kinds[-1][0]


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


async def found_world(db: Database, seed: int, workers: int, start: datetime, zones: int) -> World:
    """Put a county of ``workers`` people into an empty database, as of ``start`` (UTC).

    ``zones``: how many of :data:`ZONES` they have gone to.
    """
    long_ago = start - timedelta(days=60)
    async with db.write() as tx:
        for code, parent in AREAS.items():
            await add_area(
                tx, code=code, name=code, parent=parent, timezone=HOME_ZONE if not parent else None,
                language="zh", now=long_ago,
            )  # fmt: skip
        areas = {area.code: area for area in await list_areas(tx)}
        for code, terms in RULES.items():
            await add_rule(tx, areas[code], terms, long_ago)
        await add_rule(tx, areas["county"], FESTIVAL, long_ago)
        world = World(seed, start, ZONES[:zones], areas, {}, {}, {}, {})
        await _add_officers(tx, world, long_ago)
        await add_workers(tx, world, range(1, workers + 1), long_ago)
        await _add_relatives(tx, world, long_ago)
    return world


async def add_workers(tx: Tx, world: World, numbers: range, now: datetime) -> None:
    """Workers who consent and enrol at ``now``; who they are depends on their number alone."""
    found = await _add_people(tx, world, numbers, now, _columns)
    villages = {number: world.areas[_village(world, number)] for number in numbers}
    await tx.execute(
        insert(Enrolment),
        [{"person_id": found[n][0], "area_id": villages[n].id, "since": now} for n in numbers],
    )
    slower = {n: _columns(world, n)["slower"] for n in numbers}
    await tx.execute(
        insert(StatusChange),
        [
            {"person_id": found[n][0], "status": "away", "slower": slower[n], "at": now}
            for n in numbers
        ],
    )
    for number in numbers:
        person_id, account_id = found[number]
        columns = _columns(world, number)
        worker = Worker(
            number=number,
            person_id=person_id,
            account_id=account_id,
            village=villages[number].code,
            area=villages[number],
            zone=ZoneInfo(columns["timezone"] or HOME_ZONE),
            kind=pick(KINDS, world.chance("kind", number)),
            usual=8 * 60 + 30 * int(world.chance("usual", number) * 25),
            joined=now,
            unsettled=now,
            ask=columns["ask_minute"],
            quiet=(columns["quiet_from"], columns["quiet_to"]),
            slower=columns["slower"],
        )
        world.workers[number] = world.by_id[person_id] = worker


def _village(world: World, number: int) -> str:
    return VILLAGES[int(world.chance("village", number) * len(VILLAGES))]


def _columns(world: World, number: int) -> dict[str, Any]:
    abroad = world.chance("abroad", number)
    zone = world.zones[int(world.chance("zone", number) * len(world.zones))]
    asked = world.chance("ask", number)
    quiet = ((21, 8), (20, 9), (22, 7), (23, 9))[
        max(0, int(world.chance("quiet", number) * 33) - 29)
    ]
    return {
        "area_id": world.areas[_village(world, number)].id,
        "timezone": zone if abroad < 0.3 else None,
        "ask_minute": 9 * 60 + 60 * int(asked * 60) if asked < 0.2 else None,
        "quiet_from": quiet[0],
        "quiet_to": quiet[1],
        "slower": world.chance("slower", number) < 0.04,
    }


async def _add_people(
    tx: Tx, world: World, numbers: range, now: datetime, columns: Any, purpose: str = PURPOSE
) -> dict[int, tuple[int, int]]:
    """``{number: (person id, account id)}``."""
    rows = [
        {
            "ref": ref_of(number),
            "name": tx.vault.seal("person.name", ref_of(number), f"人{number}"),
            "consented": True,
            "enrolled_at": now,
            "created_at": now,
            "status": "away",
            **columns(world, number),
        }
        for number in numbers
    ]
    await tx.execute(insert(Person), rows)
    low, high = ref_of(numbers[0]), ref_of(numbers[-1])
    people = await tx.execute(select(Person.id, Person.ref).where(Person.ref.between(low, high)))
    ids = {row.ref: row.id for row in people}
    common = {"channel": "telegram", "state_at": now, "created_at": now, "bot_id": BOT}
    await tx.execute(
        insert(Account),
        [{"person_id": ids[ref_of(n)], "chat_id": chat_of(n), **common} for n in numbers],
    )
    await tx.execute(insert(Consent), list(_consents(ids, purpose, now)))
    accounts = await tx.execute(
        select(Account.id, Account.chat_id).where(
            Account.chat_id.between(chat_of(numbers[0]), chat_of(numbers[-1]))
        )
    )
    by_chat = {row.chat_id: row.id for row in accounts}
    return {number: (ids[ref_of(number)], by_chat[chat_of(number)]) for number in numbers}


def _consents(ids: dict[str, int], purpose: str, now: datetime) -> Iterator[dict[str, Any]]:
    for person_id in ids.values():
        yield {
            "person_id": person_id,
            "purpose": purpose,
            "wording": WORDING,
            "given": True,
            "channel": "telegram",
            "at": now,
        }


_FIRST_RELATIVE: Final = 10_000_000
_FIRST_OFFICER: Final = 20_000_000


async def _add_relatives(tx: Tx, world: World, now: datetime) -> None:
    """A fifth of the workers have someone at home who agreed to be asked."""
    with_family = [n for n in world.workers if world.chance("family", n) < 0.2]
    numbers = range(_FIRST_RELATIVE, _FIRST_RELATIVE + len(with_family))
    if not with_family:
        return
    found = await _add_people(tx, world, numbers, now, lambda *_: {"timezone": HOME_ZONE}, RELATIVE)
    ties = [
        {
            "worker_id": world.workers[worker].person_id,
            "relative_id": found[number][0],
            "agreed_at": now,
            "accepted_at": now,
        }
        for worker, number in zip(with_family, numbers, strict=True)
    ]
    await tx.execute(insert(Kin), ties)
    await tx.execute(
        insert(Consent),
        list(
            _consents(
                {str(it): it for it in (world.workers[n].person_id for n in with_family)},
                VOUCH,
                now,
            )
        ),
    )
    for worker, number in zip(with_family, numbers, strict=True):
        world.workers[worker].relative = number
        world.relatives[found[number][0]] = number


async def _add_officers(tx: Tx, world: World, now: datetime) -> None:
    numbers = range(_FIRST_OFFICER, _FIRST_OFFICER + len(VILLAGES) + 1)
    found = await _add_people(tx, world, numbers, now, lambda *_: {"is_officer": True}, "duty")
    roles = []
    for number, code in zip(numbers, (*VILLAGES, "county"), strict=True):
        area, person_id = world.areas[code], found[number][0]
        role = "supervisor" if code == "county" else "liaison"
        roles.append({"person_id": person_id, "area_id": area.id, "role": role, "since": now})
        if role == "liaison":
            world.officers[code] = Officer(person_id, area)
    await tx.execute(insert(Role), roles)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)

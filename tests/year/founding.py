"""The county of a simulated year is put into an empty database, drawn from a seed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select

from storage.database import Database, Tx
from storage.models import Account, Consent, Enrolment, Kin, Person, Role, StatusChange
from storage.people.areas import add_area, list_areas
from storage.people.enrolment import PURPOSE, RELATIVE, VOUCH, WORDING
from storage.rules.kept import add_rule
from tests.year.world import (
    AREAS,
    BOT,
    FESTIVAL,
    HOME_ZONE,
    RULES,
    VILLAGES,
    ZONES,
    Officer,
    Worker,
    World,
    chat_of,
    ref_of,
)

KINDS: Final = (
    ("prompt", 0.66),
    ("slow", 0.2),
    ("busy", 0.06),
    ("fading", 0.05),
    ("silent", 0.03),
)


def pick(kinds: tuple[tuple[str, float], ...], at: float) -> str:
    for kind, share in kinds:
        at -= share
        if at < 0:
            return kind
    return kinds[-1][0]


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

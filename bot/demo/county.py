"""Making the demo county: areas, officers, workers and their history, in a few statements."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import exists, insert, select

from bot.demo.cast import draw_cast
from bot.demo.history import choose_weekday, write_history
from bot.demo.names import COUNTY, LIAISONS, SUPERVISOR, TOWNS
from bot.demo.people import add_accounts, add_consents, add_workers, insert_ids, person_row
from bot.demo.questions import add_cases
from storage.calendar.recurrence import Weeks
from storage.database import Tx
from storage.installation import DEMO, find_value, put_value
from storage.models import Area, Checkin, Contact, Invite, Person, Role
from storage.people.areas import AreaInfo, add_area, get_area
from storage.rules.kept import add_rule
from storage.rules.terms import CheckinTerms
from storage.vault import new_ref

SEED = 20101117
REMOVED = "demo_removed"


@dataclass(frozen=True, slots=True)
class DemoTokens:
    """Tokens of ``device`` links that open the demo's chats, as often as wished."""

    worker: str
    liaison: str
    supervisor: str


async def make_demo(tx: Tx, now: datetime) -> bool:
    """Fill an empty database with the demo; ``False`` when it holds anyone, or once was one.

    About 150 workers in 8 villages of 3 towns with 12 weeks of history up to ``now``, two liaisons
    and a supervisor. Everything drawn is drawn from one seed.
    """
    if await tx.scalar(select(exists(select(Person.id)))) or await tx.scalar(
        select(exists(select(Area.id)))
    ):
        return False
    if await find_value(tx, REMOVED) is not None:
        return False
    random = Random(SEED)  # noqa: S311  # made-up lives, not keys
    started = now - timedelta(weeks=80)
    areas = await _add_areas(tx, started)
    cast = draw_cast(random, now)
    officers = await _add_officers(tx, areas, started)
    for person in cast:
        person.area_id = areas[person.village].id
    await add_workers(tx, cast, now)
    weekday = choose_weekday(now)
    terms = CheckinTerms("weekly", Weeks(1, (weekday,)))
    rule = await add_rule(tx, await get_area(tx, areas[COUNTY[0]].id), terms, started)
    liaison_of = {
        areas[village.code].id: officers[LIAISONS[0] if town is TOWNS[0] else LIAISONS[1]]
        for town in TOWNS
        for village in town.villages
    }
    history = write_history(
        random,
        tx.vault,
        cast,
        rule_id=rule.id,
        weekday=weekday,
        liaison_of=liaison_of,
        now=now,
    )
    checkins = await insert_ids(tx, Checkin, history.checkins)
    answers = [
        contact | {"checkin_id": checkin}
        for checkin, contact in zip(checkins, history.answers, strict=True)
        if contact is not None
    ]
    await tx.execute(
        insert(Contact), sorted(answers + history.contacts, key=lambda contact: contact["at"])
    )
    await add_cases(tx, cast, officers[LIAISONS[0]], now)
    await _add_links(tx, [cast[0].id, officers[LIAISONS[0]], officers[SUPERVISOR]], now)
    await put_value(tx, DEMO, now.isoformat())
    return True


async def demo_tokens(tx: Tx) -> DemoTokens | None:
    """The tokens of the demo's links; ``None`` when there is no demo."""
    if await find_value(tx, DEMO) is None:
        return None
    return DemoTokens(_token(tx, 0), _token(tx, 1), _token(tx, 2))


def _token(tx: Tx, number: int) -> str:
    # Not stored, and not to be guessed: the same for one secret key.
    return "d" + tx.vault.lookup("demo link", str(number))[:21]


async def _add_links(tx: Tx, people: list[int], now: datetime) -> None:
    await tx.execute(
        insert(Invite),
        [
            {
                "ref": new_ref(),
                "token_key": tx.vault.lookup("invite", _token(tx, number)),
                "kind": "device",
                "person_id": person,
                "created_at": now,
            }
            for number, person in enumerate(people)
        ],
    )


async def _add_areas(tx: Tx, at: datetime) -> dict[str, AreaInfo]:
    places: list[tuple[str, str, str | None]] = [(*COUNTY, None)]
    for town in TOWNS:
        places.append((town.code, town.name, COUNTY[0]))
        places += [(village.code, village.name, town.code) for village in town.villages]
    return {
        code: await add_area(
            tx, code=code, name=name, parent=parent, timezone=None, language=None, now=at
        )
        for code, name, parent in places
    }


async def _add_officers(tx: Tx, areas: dict[str, AreaInfo], at: datetime) -> dict[str, int]:
    names = [*LIAISONS, SUPERVISOR]
    ids = await insert_ids(
        tx, Person, [person_row(tx, name, at) | {"is_officer": True} for name in names]
    )
    duties = [(ids[0], TOWNS[0].code, "liaison")]
    duties += [(ids[1], town.code, "liaison") for town in TOWNS[1:]]
    duties.append((ids[2], COUNTY[0], "supervisor"))
    await tx.execute(
        insert(Role),
        [
            {"person_id": person, "area_id": areas[code].id, "role": role, "since": at}
            for person, code, role in duties
        ],
    )
    await add_accounts(tx, [(person, at, "reachable", at) for person in ids])
    await add_consents(tx, [(person, True, at) for person in ids])
    return dict(zip(names, ids, strict=True))

"""The people of a drill: workers made in a few statements, a liaison, and their phones."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, cast, func, insert, literal, select, update

from storage.database import Database, Tx
from storage.models import (
    Account,
    Area,
    Checkin,
    Consent,
    Enrolment,
    Person,
    StatusChange,
)
from storage.outbox.messages import CHECKIN
from storage.people.areas import add_area, find_area
from storage.people.enrolment import Address, give_consent, rename, take_role
from storage.rhythm.checkins import enqueue_checkins
from storage.vault import new_ref
from tests.botapi import BotApi, PrivateConversation, User
from tests.botapi.account import BotAccount

COUNTY = "county"
ZONE = "Asia/Shanghai"
_FIRST_CHAT = 7_000_000_000
_LIAISON = 6_000_000_000


@dataclass(frozen=True, slots=True)
class People:
    """``phones`` of the workers by chat id, and of the liaison who is asked."""

    phones: dict[int, PrivateConversation]
    liaison: PrivateConversation


async def settle(
    api: BotApi, bot: BotAccount, db: Database, now: datetime, *, workers: int, villages: int
) -> People:
    """A county with so many villages; a worker belongs to one, all are awake around the clock."""
    then = now - timedelta(days=30)
    async with db.write() as tx:
        areas = await _add_areas(tx, villages, now)
        # A drill says in minutes what a village hears in months.
        await tx.execute(update(Area).values(weekly_budget=30_000))
        liaison = _phone(api, bot, _LIAISON, "老韦")
        person_id = await give_consent(
            tx, Address("telegram", bot.id, liaison.user.id), language="zh", now=then
        )
        await rename(tx, person_id, "老韦")
        await take_role(tx, person_id, (await find_area(tx, COUNTY)).id, "liaison", then)
        await tx.execute(update(Person).values(quiet_from=0, quiet_to=0))
        first = 1 + int(await tx.scalar(select(func.max(Person.id))))
        home = {first + n: areas[n % len(areas)] for n in range(workers)}
        await _add_workers(tx, bot.id, home, first, then)
    phones = {
        _FIRST_CHAT + n: _phone(api, bot, _FIRST_CHAT + n, f"小芳{n}") for n in range(workers)
    }
    return People(phones, liaison)


def _phone(api: BotApi, bot: BotAccount, chat_id: int, name: str) -> PrivateConversation:
    user = api.users[chat_id] = User(api, chat_id, name, language_code="zh-hans")
    phone = user.open(bot)
    phone.chat.started = True
    return phone


async def _add_areas(tx: Tx, villages: int, now: datetime) -> list[int]:
    """The villages' ids."""
    codes: list[tuple[str, str | None]] = [(COUNTY, None)]
    codes += [(f"village-{number}", COUNTY) for number in range(villages)]
    areas = [
        await add_area(
            tx, code=code, name=code, parent=parent, timezone=ZONE, language="zh", now=now
        )
        for code, parent in codes
    ]
    return [area.id for area in areas[1:]]


async def _add_workers(tx: Tx, bot_id: int, home: dict[int, int], first: int, at: datetime) -> None:
    people: list[dict[str, Any]] = []
    for person, area in home.items():
        ref = new_ref()
        people.append(
            {
                "id": person,
                "ref": ref,
                "name": tx.vault.seal("person.name", ref, f"小芳{person}"),
                "area_id": area,
                "language": "zh",
                "status": "away",
                "status_at": at,
                "consented": True,
                "quiet_from": 0,
                "quiet_to": 0,
                "enrolled_at": at,
                "created_at": at,
            }
        )
    await tx.execute(insert(Person), people)
    await tx.execute(
        insert(Account),
        [
            {
                "person_id": person,
                "channel": "telegram",
                "bot_id": bot_id,
                "chat_id": _FIRST_CHAT + person - first,
                "state_at": at,
                "created_at": at,
            }
            for person in home
        ],
    )
    each = [{"person_id": person, "at": at} for person in home]
    await tx.execute(insert(StatusChange), [row | {"status": "away"} for row in each])
    consent = {"purpose": "contact", "wording": "1", "given": True, "channel": "telegram"}
    await tx.execute(insert(Consent), [row | consent for row in each])
    await tx.execute(
        insert(Enrolment),
        [{"person_id": person, "area_id": area, "since": at} for person, area in home.items()],
    )
    if tx.on_postgres:
        # Ids were given; whoever comes next must not get one of them.
        await tx.execute(
            select(func.setval(func.pg_get_serial_sequence("person", "id"), max(home)))
        )


async def ask_to_check_in(db: Database, slot: str, now: datetime) -> int:
    """A check-in for every worker, as a rule's slot would ask it; how many."""
    async with db.write() as tx:
        at = Checkin.due_at.type
        columns = ["person_id", "area_id", "slot", "due_at", "window_until"]
        due, until = literal(now, at), literal(now + timedelta(hours=48), at)
        expected = select(Person.id, Person.area_id, literal(slot), due, until)
        await tx.execute(
            tx.insert(Checkin).from_select(columns, expected.where(Person.area_id.is_not(None)))
        )
        return await enqueue_checkins(
            tx,
            Checkin.slot == slot,
            template="checkin",
            dedupe=literal(f"{slot}:") + cast(Checkin.person_id, String),
            priority=CHECKIN,
            urgent=False,
            now=now,
        )

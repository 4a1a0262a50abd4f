"""The people of a drill: workers made in a few statements, a liaison, and their phones."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, cast, func, literal, select, update

from storage.database import Database
from storage.models import Area, Checkin, Person
from storage.outbox.messages import CHECKIN
from storage.people.areas import find_area
from storage.people.enrolment import Address, give_consent, rename, take_role
from storage.rhythm.checkins import enqueue_checkins
from tests.botapi import BotApi, PrivateConversation, User
from tests.botapi.account import BotAccount
from tests.populous_county import COUNTY, add_villages, add_workers

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
        areas = (await add_villages(tx, villages, now))[1:]
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
        await add_workers(
            tx,
            home,
            then,
            bot_id=bot.id,
            first_chat=_FIRST_CHAT - first,
            name="小芳",
            quiet_from=0,
            quiet_to=0,
        )
    phones = {
        _FIRST_CHAT + n: _phone(api, bot, _FIRST_CHAT + n, f"小芳{n}") for n in range(workers)
    }
    return People(phones, liaison)


def _phone(api: BotApi, bot: BotAccount, chat_id: int, name: str) -> PrivateConversation:
    user = api.users[chat_id] = User(api, chat_id, name, language_code="zh-hans")
    phone = user.open(bot)
    phone.chat.started = True
    return phone


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

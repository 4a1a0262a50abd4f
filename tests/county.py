"""A small county for tests: areas, workers and officers, each with an account."""

import itertools
from datetime import datetime, timedelta

from sqlalchemy import update

from storage.database import Tx
from storage.models import Person
from storage.people.areas import AreaInfo, add_area
from storage.people.enrolment import Address, enrol, give_consent, rename, take_role
from storage.people.places import find_place
from storage.people.status import set_place
from storage.people.who import Who, load_who, mark_account

BOT = 1
_chats = itertools.count(1000)


async def make_area(tx: Tx, code: str, now: datetime, parent: str | None = None) -> AreaInfo:
    return await add_area(
        tx,
        code=code,
        name=code.capitalize(),
        parent=parent,
        timezone="Asia/Shanghai",
        language="en",
        now=now,
    )


async def make_person(
    tx: Tx,
    name: str,
    now: datetime,
    *,
    area: AreaInfo | None = None,
    officer_of: AreaInfo | None = None,
    role: str = "liaison",
    state: str = "reachable",
    enrolled_at: datetime | None = None,
    phone: str | None = None,
    channel: str = "web",
) -> Who:
    """A person with one account; a worker where ``area`` is given, an officer, or both."""
    chat_id = next(_chats)
    joined = enrolled_at or now - timedelta(days=60)
    address = Address(channel, BOT, chat_id)
    person_id = await give_consent(tx, address, language="en", now=joined)
    await rename(tx, person_id, name)
    if area is not None:
        await enrol(tx, person_id, area.id, joined)
        worker = await load_who(tx, BOT, chat_id)
        assert worker is not None
        await set_place(tx, worker, find_place("Dongguan"), None)
    if officer_of is not None:
        await take_role(tx, person_id, officer_of.id, role, joined)
    who = await load_who(tx, BOT, chat_id)
    assert who is not None
    if phone is not None:
        sealed = tx.vault.seal("person.phone", who.ref, phone)
        await tx.execute(update(Person).where(Person.id == person_id).values(phone=sealed))
    await mark_account(tx, who.account_id, state, now)
    return who

"""The console's page of tasks: who waits, with whom it lies, who answers nothing."""

import re
from datetime import datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert, select

from handlers.console import LiveFeed, console_app
from locales.catalogs import Catalogs
from storage.database import Database
from storage.models import Account, Checkin, Look, Person, Task
from storage.register.figures import compute_register
from storage.register.periods import week_of
from tests import console_visit
from tests.console_county import County, add_contact
from tests.console_visit import Client, Clock, SignIn, link, post, text_of

clock, county, live = console_visit.clock, console_visit.county, console_visit.live
client, sign_in = console_visit.client, console_visit.sign_in


async def _open(db: Database, county: County, now: datetime, *, raised: bool = False) -> str:
    """A task about a new silent worker; the name."""
    person_id = county.workers["east"][0]
    async with db.write() as tx:
        await tx.execute(
            insert(Task).values(
                person_id=person_id,
                area_id=county.areas["east"].id,
                why="call",
                opened_at=now - timedelta(days=4),
                raised_at=now if raised else None,
            )
        )
        row = (
            await tx.execute(select(Person.ref, Person.name).where(Person.id == person_id))
        ).one()
        return tx.vault.open("person.name", row.ref, row.name)


async def test_who_waits_and_with_whom(
    client: Client, db: Database, county: County, now: datetime, sign_in: SignIn
) -> None:
    name = await _open(db, county, now, raised=True)
    async with db.write() as tx:
        account = {"channel": "web", "bot_id": 1, "chat_id": 99_999, "state_at": now}
        await tx.execute(
            insert(Account).values(person_id=county.liaison, created_at=now, **account)
        )
    await sign_in(county.supervisor)
    page = await text_of(client, "/console/tasks?area=nan")
    assert name in page
    assert "the family asks for a call" in page
    assert "the supervisor knows" in page
    assert "周小梅" in page  # with whom it lies
    assert "for 4 days" in page
    async with db.read() as tx:
        looks = (await tx.execute(select(Look.what, Look.area_id))).all()
    assert ("tasks", county.areas["nan"].id) in [tuple(look) for look in looks]


async def test_an_area_without_tasks(client: Client, county: County, sign_in: SignIn) -> None:
    await sign_in(county.supervisor)
    page = await text_of(client, "/console/tasks?area=bei")
    assert "No open task" in page
    assert "With whom they lie" not in page


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_no_task_is_not_all_well_while_people_are_silent(
    language: str, db: Database, county: County, clock: Clock, live: LiveFeed, now: datetime
) -> None:
    """The page says how many have not been heard from, and its link opens to just those."""
    east = county.areas["east"]
    app = web.Application()
    app.add_subapp("/console/", console_app(db, Catalogs(), secure=False, clock=clock, live=live))
    async with TestClient(TestServer(app)) as client:
        token = await link(db, county.supervisor, now)
        assert (await post(client, "/console/enter", {"token": token})).status == 303
        page = await text_of(client, f"/console/tasks?area=east&lang={language}")
        async with db.read() as tx:
            register = await compute_register(tx, east, week_of(now, east.timezone), now)
        silent = register.counts.silent
        assert silent > 1
        said, well = {
            "en": (f"{silent} people have not been heard from this week.", "No open task"),
            "zh": (f"这周有 {silent} 人还没消息", "眼下没有待联系的人：都有消息"),
        }[language]
        assert said in page
        assert well not in page
        (way,) = re.findall(r'href="([^"]*show=silent[^"]*)"', page)
        opened = await text_of(client, way)
        names = opened.partition('<section id="names"')[2].partition("</section>")[0]
        assert names.count("<li>") == silent

        async with db.write() as tx:
            for worker in county.workers["east"]:
                await add_contact(tx, worker, east, now, "heard")
        page = await text_of(client, "/console/tasks?area=east")
        assert well in page
        assert "show=silent" not in page


async def test_another_areas_tasks_are_not_shown(
    client: Client, db: Database, county: County, now: datetime, sign_in: SignIn
) -> None:
    name = await _open(db, county, now)
    await sign_in(county.stranger)
    await text_of(client, "/console/tasks?area=east", status=404)
    assert name not in await text_of(client, "/console/tasks")


async def test_who_answers_nothing_is_named_with_a_step(
    client: Client, db: Database, county: County, now: datetime, sign_in: SignIn
) -> None:
    async with db.write() as tx:
        await tx.execute(
            insert(Checkin),
            [
                {
                    "person_id": county.workers["west"][0],
                    "area_id": county.areas["west"].id,
                    "slot": f"more-{week}",
                    "due_at": now - timedelta(weeks=week),
                    "window_until": now - timedelta(weeks=week) + timedelta(days=1),
                    "delivered_at": now - timedelta(weeks=week),
                }
                for week in range(1, 14)
            ],
        )
    await sign_in(county.liaison)
    page = await text_of(client, "/console/tasks")
    assert "Answering nothing" in page
    assert "asked 12 times lately, no answer" in page
    assert "A call from home does more than a message." in page


async def test_the_list_and_the_persons_page_say_what_to_do(
    client: Client, db: Database, county: County, now: datetime, sign_in: SignIn
) -> None:
    await sign_in(county.supervisor)
    listed = await text_of(client, "/console/?area=nan&show=silent")
    assert "→" in listed
    async with db.read() as tx:
        ref = await tx.scalar(select(Person.ref).where(Person.id == county.workers["east"][0]))
    assert "→" in await text_of(client, f"/console/person/{ref}")

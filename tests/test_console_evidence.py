"""What a standing rests on, as a person's page shows it: alike together, and none left out."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert, select

from handlers.console import LiveFeed, console_app
from locales.catalogs import Catalogs
from storage.database import Database
from storage.models import Contact, Person
from storage.register.evidence import contacts_behind
from storage.register.periods import week_of
from tests import console_visit
from tests.console_county import County, add_contact
from tests.console_visit import Client, Clock, link, post, text_of

clock, county, live = console_visit.clock, console_visit.county, console_visit.live


@pytest.fixture
async def client(
    db: Database, clock: Clock, live: LiveFeed, county: County, now: datetime
) -> AsyncIterator[Client]:
    """The console with its own words, the supervisor signed in."""
    app = web.Application()
    app.add_subapp("/console/", console_app(db, Catalogs(), secure=False, clock=clock, live=live))
    async with TestClient(TestServer(app)) as client:
        token = await link(db, county.supervisor, now)
        assert (await post(client, "/console/enter", {"token": token})).status == 303
        yield client


async def _tap(db: Database, county: County, *times: datetime) -> None:
    """Opened the menu, or the notices, or wrote."""
    outcomes = ("menu", "notices", "case")
    said = {"evidence": "self", "kind": "message", "success": True}
    async with db.write() as tx:
        await tx.execute(
            insert(Contact),
            [
                {
                    "person_id": county.workers["east"][0],
                    "area_id": county.areas["east"].id,
                    "at": at,
                    "outcome": outcomes[number % 3],
                    **said,
                }
                for number, at in enumerate(times)
            ],
        )


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_taps_one_after_the_other_are_one_line_with_their_count(
    client: Client, db: Database, county: County, now: datetime, language: str
) -> None:
    worker, east = county.workers["east"][0], county.areas["east"]
    week = week_of(now, east.timezone)
    monday = week.start + timedelta(hours=9)
    await _tap(db, county, *(monday + timedelta(minutes=7 * step) for step in range(5)))
    async with db.write() as tx:
        # A call among them is a word of its own, and so is another day.
        called = monday + timedelta(hours=1)
        await add_contact(tx, worker, east, called, "reached", by=county.liaison)
    await _tap(db, county, called + timedelta(hours=1), called + timedelta(hours=2))
    await _tap(db, county, monday + timedelta(days=1))
    async with db.read() as tx:
        ref = await tx.scalar(select(Person.ref).where(Person.id == worker))
        behind = await contacts_behind(tx, worker, week.start, week.end)
    page = await text_of(client, f"/console/person/{ref}?lang={language}")
    proof = page.partition("h-contacts")[2].partition("</section>")[0]
    trail = proof.partition('<ol class="trail">')[2].partition("<h2>")[0]
    lines = trail.split("\n    <li")[1:]
    words = {"en": "wrote or tapped in the chat", "zh": "在聊天里写了话或点了按钮"}[language]
    told = [line for line in lines if words in line]
    assert [re.findall("×([0-9]+)", line) for line in told] == [[], ["2"], ["5"]]
    assert "09:00–09:28" in told[2]
    assert "11:00–12:00" in told[1]
    # The count that the proof rests on: beside the heading, and each of them by its time.
    assert f'<span class="muted">{len(behind)}</span>' in proof.partition("</h2>")[0]
    counted = [max(1, line.count("<time") - 1) for line in lines]
    assert sum(counted) == len(behind)
    assert all(f'datetime="{contact.at.isoformat()}"' in trail for contact in behind)

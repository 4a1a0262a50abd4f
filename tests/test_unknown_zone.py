"""A stored zone that this machine does not know breaks no page: its clock is Beijing's."""

import pytest
from sqlalchemy import select, update

from scheduler.checkins import plan_due_checkins, set_clocks
from storage.database import Database
from storage.models import Area, Person
from tests import console_visit
from tests.console_county import County
from tests.console_visit import Client, Clock, Enter, text_of

clock, county, live = console_visit.clock, console_visit.county, console_visit.live
client, enter = console_visit.client, console_visit.enter

PAGES = ("", "tasks", "notices", "overasked", "rollcalls", "agenda?area=nan", "rules", "topics")


@pytest.fixture
async def nowhere(db: Database, county: County, clock: Clock) -> None:
    async with db.write() as tx:
        await tx.execute(update(Area).values(timezone="Mars/Olympus"))
        await tx.execute(update(Person).values(timezone="../Atlantis"))
    await set_clocks(db, clock())
    await plan_due_checkins(db, clock())


@pytest.mark.usefixtures("nowhere")
async def test_every_page_of_the_console_stands(
    db: Database, client: Client, county: County, enter: Enter
) -> None:
    await enter(county.supervisor)
    async with db.read() as tx:
        ref = await tx.scalar(select(Person.ref).where(Person.id == county.workers["east"][0]))
    for page in (*PAGES, f"person/{ref}", f"person/{ref}/why"):
        await text_of(client, f"/console/{page}")

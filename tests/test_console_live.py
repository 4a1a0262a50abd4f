"""The console's live feed: what changed is told, once for all who look on."""

from datetime import datetime

from handlers.console import LiveFeed
from storage.database import Database
from tests import console_visit
from tests.console_county import County, add_contact
from tests.console_visit import Client, SignIn

clock, county, live = console_visit.clock, console_visit.county, console_visit.live
client, sign_in = console_visit.client, console_visit.sign_in


class TestTheLiveFeed:
    async def test_a_contact_is_told(
        self, db: Database, county: County, now: datetime, live: LiveFeed
    ) -> None:
        area, worker = county.areas["east"], county.workers["east"][0]
        async with live.follow(area) as follower, live.follow(area) as other:
            first = await follower.next(5)
            assert first is not None
            assert await other.next(5) == first
            async with db.write() as tx:
                await add_contact(tx, worker, area, now, "heard")
            live.wake()
            assert await follower.next(5) not in (None, first)
            assert await other.next(5) not in (None, first)
            assert await follower.next(0.01) is None

    async def test_one_question_at_a_time_however_many_pages(
        self, db: Database, county: County
    ) -> None:
        asked = 0

        async def count(*_: object) -> str:
            nonlocal asked
            asked += 1
            return str(asked)

        live = LiveFeed(db, count, interval=60)
        area = county.areas["east"]
        async with live.follow(area) as one, live.follow(area) as two, live.follow(area) as three:
            for follower in (one, two, three):
                assert await follower.next(5) == "1"
            for _ in range(50):
                live.wake()
            assert await one.next(5) == "2"
            assert asked == 2

    async def test_closing_ends_the_streams(
        self,
        client: Client,
        county: County,
        live: LiveFeed,
        sign_in: SignIn,
    ) -> None:
        await sign_in(county.liaison)
        stream = await client.get("/console/live", params={"area": "he"})
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.headers["Cache-Control"] == "no-store"
        assert await stream.content.readline() == b"retry: 2000\n"
        live.close()
        assert b"still here" not in await stream.content.read()

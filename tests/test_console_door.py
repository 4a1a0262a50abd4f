"""What the console's door adds to every page: headers, language, and a page for each fault."""

import re

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from storage.database import Database
from storage.models import Person
from tests import console_visit
from tests.console_county import County
from tests.console_visit import Client, SignIn, text_of

clock, county, live = console_visit.clock, console_visit.county, console_visit.live
client, sign_in = console_visit.client, console_visit.sign_in


class TestTheDoor:
    async def test_headers(self, client: Client, county: County, sign_in: SignIn) -> None:
        await sign_in(county.liaison)
        for path in ("/console/", "/console/enter", "/console/none", "/console/person/none"):
            headers = (await client.get(path)).headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "same-origin"
        page = await (await client.get("/console/")).text()
        assert not re.search(r"\sstyle=|\son\w+=|<script(?! type=\"module\" src=)", page)

    async def test_the_language_is_the_officers_then_the_readers_choice(
        self,
        client: Client,
        db: Database,
        county: County,
        sign_in: SignIn,
    ) -> None:
        assert 'lang="en"' in await text_of(client, "/console/enter", accept="en-GB")
        assert '<html lang="zh-CN">' in await text_of(client, "/console/enter", accept="fr")
        async with db.write() as tx:
            await tx.execute(
                update(Person).where(Person.id == county.liaison).values(language="en")
            )
        await sign_in(county.liaison)
        assert '<html lang="en">' in await text_of(client, "/console/", accept="zh")
        await text_of(client, "/console/?lang=zh")
        assert '<html lang="zh-CN">' in await text_of(client, "/console/")
        assert '<html lang="zh-CN">' in await text_of(client, "/console/?lang=xx")

    async def test_a_database_that_is_away(
        self,
        client: Client,
        county: County,
        db: Database,
        sign_in: SignIn,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        await sign_in(county.liaison)

        def away() -> None:
            raise OperationalError("", {}, Exception("gone"))

        monkeypatch.setattr(db, "read", away)
        assert "cannot be read right now" in await text_of(client, "/console/", 503)

    async def test_a_fault_of_ours(
        self,
        client: Client,
        county: County,
        sign_in: SignIn,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        await sign_in(county.liaison)

        async def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("handlers.console.register.compute_register", broken)
        assert "Something broke" in await text_of(client, "/console/", 500)

    async def test_no_slash_is_a_slash_away(self, client: Client, county: County) -> None:
        answer = await client.get("/console", allow_redirects=False)
        assert answer.headers["Location"] == "/console/"

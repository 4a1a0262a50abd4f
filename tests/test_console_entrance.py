"""The way into the console: links that open once, sessions that end, who is let in."""

import re
from datetime import datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select, update

from handlers.console import LiveFeed, console_app
from storage.database import Database
from storage.models import Login, Role
from storage.people.logins import (
    LINK_LIFETIME,
    SESSION_LIFETIME,
    BadLogin,
    find_session,
    make_login_link,
    open_session,
)
from tests import console_visit
from tests.console_county import County
from tests.console_visit import Client, Clock, SignIn, console_i18n, link, post, text_of

clock, county, live = console_visit.clock, console_visit.county, console_visit.live
client, sign_in = console_visit.client, console_visit.sign_in


class TestTheWayIn:
    async def test_a_link_opens_once(
        self, client: Client, db: Database, county: County, now: datetime
    ) -> None:
        token = await link(db, county.liaison, now)
        first = await post(client, "/console/enter", {"token": token})
        assert first.status == 303
        cookie = first.cookies["kinroom_console"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        again = await post(client, "/console/enter", {"token": token})
        assert again.status == 403
        assert "This link has been used" in await again.text()

    async def test_over_tls_the_cookie_is_bound_to_the_host(
        self, db: Database, county: County, clock: Clock, live: LiveFeed
    ) -> None:
        app = web.Application()
        app.add_subapp(
            "/console/",
            console_app(
                db,
                console_i18n(),
                secure=True,
                clock=clock,
                live=live,
                origin="https://kinroom.example",
            ),
        )
        async with TestClient(TestServer(app)) as client:
            answer = await client.post(
                "/console/enter",
                data={"token": await link(db, county.liaison, clock())},
                headers={"Origin": "https://kinroom.example"},
                allow_redirects=False,
            )
            cookie = answer.cookies["__Host-kinroom_console"]
            assert cookie["secure"]
            assert cookie["path"] == "/"
            assert not cookie["domain"]

    async def test_what_is_no_link(self, client: Client, county: County) -> None:
        for token in ("", "no", "A" * 22, "Ж" * 22, "x" * 300):
            answer = await post(client, "/console/enter", {"token": token})
            assert answer.status == 403
            assert "This code opens nothing" in await answer.text()

    async def test_the_whole_link_may_be_pasted(
        self, client: Client, db: Database, county: County, now: datetime
    ) -> None:
        pasted = f" https://kinroom.example/console/enter#{await link(db, county.liaison, now)} "
        assert (await post(client, "/console/enter", {"token": pasted})).status == 303

    async def test_an_old_link(
        self, client: Client, db: Database, county: County, clock: Clock
    ) -> None:
        token = await link(db, county.liaison, clock())
        clock.now += LINK_LIFETIME
        answer = await post(client, "/console/enter", {"token": token})
        assert "This link is too old" in await answer.text()

    async def test_a_newer_link_ends_the_older(
        self, db: Database, county: County, now: datetime
    ) -> None:
        old = await link(db, county.liaison, now)
        new = await link(db, county.liaison, now)
        async with db.write() as tx:
            with pytest.raises(BadLogin) as refused:
                await open_session(tx, old, now)
            assert refused.value.why == "expired"
            await open_session(tx, new, now)

    async def test_a_link_of_someone_without_a_role(
        self, client: Client, db: Database, county: County, now: datetime
    ) -> None:
        answer = await post(
            client, "/console/enter", {"token": await link(db, county.workers["east"][0], now)}
        )
        assert answer.status == 403
        assert "You no longer look after an area" in await answer.text()

    async def test_nobody_is_let_in_from_elsewhere(
        self, client: Client, db: Database, county: County, now: datetime
    ) -> None:
        token = await link(db, county.liaison, now)
        for origin in ("https://evil.example", "null", ""):
            answer = await post(client, "/console/enter", {"token": token}, origin=origin)
            assert answer.status == 403
        assert (await post(client, "/console/enter", {"token": token})).status == 303

    async def test_without_a_session_a_page_says_what_to_do(
        self, client: Client, county: County
    ) -> None:
        for path in ("/console/", "/console/person/x", "/console/live?area=he"):
            assert "You are signed out" in await text_of(client, path, 401)

    async def test_only_hashes_are_kept(self, db: Database, county: County, now: datetime) -> None:
        token = await link(db, county.liaison, now)
        async with db.write() as tx:
            session = await open_session(tx, token, now)
            assert session.cookie
            rows = (await tx.execute(select(Login.link_key, Login.session_key, Login.csrf))).all()
        assert token not in str(rows)
        assert session.cookie not in str(rows)


class TestTheSession:
    async def test_it_ends_after_twelve_hours(
        self, db: Database, county: County, now: datetime
    ) -> None:
        async with db.write() as tx:
            token = await make_login_link(tx, county.liaison, now)
            session = await open_session(tx, token, now)
            assert session.cookie is not None
            late = now + SESSION_LIFETIME
            assert await find_session(tx, session.cookie, late - timedelta(seconds=1)) is not None
            assert await find_session(tx, session.cookie, late) is None

    async def test_it_ends_with_the_role(
        self,
        client: Client,
        db: Database,
        county: County,
        now: datetime,
        sign_in: SignIn,
    ) -> None:
        await sign_in(county.liaison)
        await text_of(client, "/console/")
        async with db.write() as tx:
            await tx.execute(update(Role).where(Role.person_id == county.liaison).values(until=now))
        await text_of(client, "/console/", 401)

    async def test_signing_out_needs_the_sessions_own_token(
        self, client: Client, county: County, sign_in: SignIn
    ) -> None:
        await sign_in(county.liaison)
        for form in ({}, {"csrf": "x" * 43}, {"csrf": "é"}):
            assert (await post(client, "/console/leave", form)).status == 403
        page = await text_of(client, "/console/")
        found = re.search(r'name="csrf" value="([^"]+)"', page)
        assert found is not None
        answer = await post(client, "/console/leave", {"csrf": found[1]})
        assert answer.status == 200
        await text_of(client, "/console/", 401)

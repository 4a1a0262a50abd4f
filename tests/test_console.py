"""The console over HTTP: the way in, who may see what, and the register's pages."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from aiogram.utils.i18n import I18n
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from handlers.console import LiveFeed, console_app
from storage.database import Database
from storage.models import Kin, Login, Look, Person, Role
from storage.people.logins import (
    LINK_LIFETIME,
    SESSION_LIFETIME,
    BadLogin,
    find_session,
    make_login_link,
    open_session,
)
from storage.people.looks import looks_at
from storage.people.who import person_name
from storage.register.figures import compute_register
from storage.register.periods import week_of
from tests.console_county import County, add_contact, make_county

Client = TestClient[web.Request, web.Application]


def console_i18n() -> I18n:
    """No catalogs: every language reads the English sentences."""
    return I18n(path=Path(__file__).parent, default_locale="en", domain="kinroom")


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
async def county(db: Database, now: datetime) -> County:
    return await make_county(db, now, workers=5)


@pytest.fixture
async def live(db: Database) -> LiveFeed:
    return LiveFeed(db, interval=0.3)


@pytest.fixture
async def client(db: Database, clock: Clock, live: LiveFeed) -> AsyncIterator[Client]:
    app = web.Application()
    app.add_subapp(
        "/console/", console_app(db, console_i18n(), secure=False, clock=clock, live=live)
    )
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
def sign_in(client: Client, db: Database, clock: Clock) -> Callable[[int], Awaitable[None]]:
    async def enter_as(person_id: int) -> None:
        answer = await post(client, "/console/enter", {"token": await link(db, person_id, clock())})
        assert answer.status == 303
        assert answer.headers["Location"] == "/console/"

    return enter_as


async def link(db: Database, person_id: int, now: datetime) -> str:
    async with db.write() as tx:
        return await make_login_link(tx, person_id, now)


async def post(
    client: Client, path: str, form: dict[str, str], origin: str | None = None
) -> ClientResponse:
    own = str(client.make_url("/")).rstrip("/")
    headers = {"Origin": own if origin is None else origin}
    return await client.post(path, data=form, headers=headers, allow_redirects=False)


async def text_of(client: Client, path: str, status: int = 200, accept: str = "en") -> str:
    answer = await client.get(path, headers={"Accept-Language": accept})
    assert answer.status == status, await answer.text()
    return unescape(await answer.text())


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
        sign_in: Callable[[int], Awaitable[None]],
    ) -> None:
        await sign_in(county.liaison)
        await text_of(client, "/console/")
        async with db.write() as tx:
            await tx.execute(update(Role).where(Role.person_id == county.liaison).values(until=now))
        await text_of(client, "/console/", 401)

    async def test_signing_out_needs_the_sessions_own_token(
        self, client: Client, county: County, sign_in: Callable[[int], Awaitable[None]]
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


class TestAccess:
    async def test_an_area_outside_the_duties_is_not_there(
        self, client: Client, county: County, sign_in: Callable[[int], Awaitable[None]]
    ) -> None:
        await sign_in(county.stranger)
        assert "北坡镇" in await text_of(client, "/console/")
        for code in ("he", "east", "nan", "none", "", "%00", "x" * 500):
            page = await text_of(client, f"/console/?area={code}", 404)
            assert "There is nothing here" in page
        answer = await client.get("/console/live", params={"area": "he"})
        assert answer.status == 404

    async def test_a_worker_of_another_area_is_not_there(
        self,
        client: Client,
        db: Database,
        county: County,
        sign_in: Callable[[int], Awaitable[None]],
    ) -> None:
        async with db.read() as tx:
            ref = await tx.scalar(select(Person.ref).where(Person.id == county.workers["east"][0]))
        await sign_in(county.stranger)
        await text_of(client, f"/console/person/{ref}", 404)
        async with db.read() as tx:
            assert await tx.scalar(select(Look.id).where(Look.what == "person")) is None
        await sign_in(county.liaison)
        await text_of(client, f"/console/person/{ref}")

    async def test_a_larger_duty_has_every_area_below(
        self, client: Client, county: County, sign_in: Callable[[int], Awaitable[None]]
    ) -> None:
        await sign_in(county.supervisor)
        page = await text_of(client, "/console/")
        for area in county.areas.values():
            assert f"area={area.code}" in page
            await text_of(client, f"/console/?area={area.code}")


class TestTheRegister:
    async def test_it_shows_what_the_register_computes(
        self,
        client: Client,
        db: Database,
        county: County,
        now: datetime,
        sign_in: Callable[[int], Awaitable[None]],
    ) -> None:
        await sign_in(county.liaison)
        page = await text_of(client, "/console/?area=he")
        async with db.read() as tx:
            area = county.areas["he"]
            register = await compute_register(tx, area, week_of(now, area.timezone), now)
        figures = {
            **register.as_json()["standing"],
            **register.as_json()["silence"],
            **register.as_json()["checkins"],
            **register.as_json()["excluded"],
        }
        assert {reason for reason, count in register.excluded.items() if count} == {
            "home",
            "paused",
            "too new",
        }
        opened = 0
        for figure, count in figures.items():
            shown = re.search(rf'data-key="count-{figure}">(\d+)<', page)
            assert count == (0 if shown is None else int(shown[1])), figure
            if not count:
                continue
            opened += 1
            assert f"show={figure.replace(' ', '+')}#names" in page
            names = await text_of(client, f"/console/?area=he&show={figure}")
            listed = names.split('<ul class="people">')[1].split("</ul>")[0]
            assert listed.count("<li>") == count, figure
        assert opened > 6

    async def test_periods(
        self, client: Client, county: County, sign_in: Callable[[int], Awaitable[None]]
    ) -> None:
        await sign_in(county.liaison)
        assert "period=2026-W46" in await text_of(client, "/console/")
        assert "2026年10月" in await text_of(client, "/console/?period=2026-10")
        assert "period=2026-W47" in await text_of(client, "/console/?period=2026-W46")
        assert "Closed" in await text_of(client, "/console/?period=2026-W40")
        assert "Nobody is expected" in await text_of(client, "/console/?period=1970-W02")
        for wrong in ("2026-W48", "2027-01", "2026-W54", "2026-13", "x", "", "9999-W01"):
            await text_of(client, f"/console/?period={wrong}", 404)
        for wrong in ("show=rich", "page=0", "page=x", "page=²", "page=1234567"):
            await text_of(client, f"/console/?{wrong}", 404)
        await text_of(client, "/console/?page=99")

    async def test_every_look_is_written_down_once(
        self,
        client: Client,
        db: Database,
        county: County,
        clock: Clock,
        sign_in: Callable[[int], Awaitable[None]],
    ) -> None:
        worker = county.workers["east"][0]
        await sign_in(county.liaison)
        for _ in range(3):
            await text_of(client, "/console/?area=he&fragment=1")
        async with db.read() as tx:
            ref = await tx.scalar(select(Person.ref).where(Person.id == worker))
        await text_of(client, f"/console/person/{ref}")
        clock.now += timedelta(minutes=11)
        await text_of(client, "/console/?area=he")
        async with db.read() as tx:
            looks = await looks_at(tx, worker)
        assert [look.what for look in looks] == ["register", "person", "register"]
        assert {look.by_name for look in looks} == {"周小梅"}

    async def test_a_list_of_another_village_is_no_look_at_me(
        self,
        client: Client,
        db: Database,
        county: County,
        sign_in: Callable[[int], Awaitable[None]],
    ) -> None:
        await sign_in(county.liaison)
        await text_of(client, "/console/?area=west")
        async with db.read() as tx:
            assert await looks_at(tx, county.workers["east"][0]) == []
            assert len(await looks_at(tx, county.workers["west"][0])) == 1

    async def test_a_name_cannot_break_the_page(
        self,
        client: Client,
        db: Database,
        county: County,
        sign_in: Callable[[int], Awaitable[None]],
    ) -> None:
        name = "<script>alert(1)</script>\"'&"
        async with db.write() as tx:
            worker = county.workers["east"][0]
            ref = await tx.scalar(select(Person.ref).where(Person.id == worker))
            await tx.execute(
                update(Person)
                .where(Person.id == worker)
                .values(name=tx.vault.seal("person.name", ref, name))
            )
        await sign_in(county.liaison)
        for path in ("/console/?show=expected", f"/console/person/{ref}"):
            answer = await client.get(path)
            raw = await answer.text()
            assert "<script>alert" not in raw
            assert name in unescape(raw)

    async def test_a_person_opens_to_the_contacts_behind_the_name(
        self,
        client: Client,
        db: Database,
        county: County,
        now: datetime,
        sign_in: Callable[[int], Awaitable[None]],
    ) -> None:
        async with db.write() as tx:
            worker = county.workers["east"][0]
            ref = await tx.scalar(select(Person.ref).where(Person.id == worker))
            await add_contact(tx, worker, county.areas["east"], now, "tried", by=county.liaison)
            # Someone of the family agreed to be asked; who looks is on their record, too.
            relative = county.workers["west"][0]
            kin = {"worker_id": worker, "relative_id": relative, "agreed_at": now}
            await tx.execute(tx.insert(Kin).values(accepted_at=now, **kin))
            mother = await person_name(tx, relative)
        await sign_in(county.supervisor)
        page = await text_of(client, f"/console/person/{ref}")
        assert f"Family who agreed to be asked: {mother}" in page
        async with db.read() as tx:
            looks = await looks_at(tx, relative)
        assert "family" in {look.what for look in looks}
        assert "a call, not reached" in page
        assert "周小梅" in page
        assert "Tried, not reached" in page
        assert "delivered, no answer yet" in page


class TestTheDoor:
    async def test_headers(
        self, client: Client, county: County, sign_in: Callable[[int], Awaitable[None]]
    ) -> None:
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
        sign_in: Callable[[int], Awaitable[None]],
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
        sign_in: Callable[[int], Awaitable[None]],
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
        sign_in: Callable[[int], Awaitable[None]],
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
        sign_in: Callable[[int], Awaitable[None]],
    ) -> None:
        await sign_in(county.liaison)
        stream = await client.get("/console/live", params={"area": "he"})
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.headers["Cache-Control"] == "no-store"
        assert await stream.content.readline() == b"retry: 2000\n"
        live.close()
        assert b"still here" not in await stream.content.read()

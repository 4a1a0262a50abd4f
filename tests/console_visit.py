"""The console over HTTP, for tests: its application, a browser of it, and the way in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from html import unescape
from pathlib import Path

import pytest
from aiogram.utils.i18n import I18n
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from handlers.console import LiveFeed, console_app
from storage.database import Database
from storage.people.logins import find_session, make_login_link
from tests.console_county import County, make_county

Client = TestClient[web.Request, web.Application]
SignIn = Callable[[int], Awaitable[None]]
Enter = Callable[[int], Awaitable[str]]


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
def sign_in(client: Client, db: Database, clock: Clock) -> SignIn:
    async def enter_as(person_id: int) -> None:
        answer = await post(client, "/console/enter", {"token": await link(db, person_id, clock())})
        assert answer.status == 303
        assert answer.headers["Location"] == "/console/"

    return enter_as


@pytest.fixture
def enter(client: Client, db: Database, clock: Clock) -> Enter:
    """Sign in and read English; gives the session's token for forms."""

    async def enter_as(person_id: int) -> str:
        answer = await post(client, "/console/enter", {"token": await link(db, person_id, clock())})
        cookie = answer.cookies["kinroom_console"].value
        async with db.read() as tx:
            session = await find_session(tx, cookie, clock())
        assert session is not None
        await text_of(client, "/console/enter?lang=en")  # kept in a cookie
        return session.csrf

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

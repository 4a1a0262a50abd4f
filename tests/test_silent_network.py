"""The network to PostgreSQL falls silent: what is dead is noticed, and lets go, in time."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from storage.database import Database
from storage.engine.away import is_away
from storage.vault import Vault
from tests.drill.databases import Postgres
from tests.drill.proxy import Proxy, proxy

PATIENCE = 1.0
ONE = text("SELECT 1")


@pytest.fixture
async def between(postgres_db: Database) -> AsyncIterator[Proxy]:
    async with proxy(Postgres(postgres_db.url).socket) as opened:
        yield opened


@pytest.fixture
async def db(postgres_db: Database, between: Proxy, vault: Vault) -> AsyncIterator[Database]:
    url = postgres_db.url.set(host="127.0.0.1", port=between.port, query={})
    opened = Database(
        make_url(url).render_as_string(hide_password=False), vault, pool_size=8, patience=PATIENCE
    )
    yield opened
    await opened.close()


async def fill(db: Database, count: int) -> None:
    """Let so many connections lie in the pool."""
    all_there = asyncio.Barrier(count)

    async def take() -> None:
        async with db.read() as tx:
            await tx.scalar(ONE)
            await all_there.wait()

    await asyncio.gather(*(take() for _ in range(count)))


async def ask(db: Database) -> float:
    """Seconds that a statement took."""
    began = time.monotonic()
    async with db.read() as tx:
        assert await tx.scalar(ONE) == 1
    return time.monotonic() - began


async def test_silent_connections_cost_one_wait_for_all_of_them(
    db: Database, between: Proxy
) -> None:
    await fill(db, 6)
    between.go_deaf()
    with pytest.raises(TimeoutError) as raised:
        await ask(db)
    assert is_away(raised.value)
    for _ in range(6):
        # None of the others is asked first.
        assert await ask(db) < PATIENCE


async def test_one_that_falls_silent_in_midst_of_a_transaction_lets_go_of_its_locks(
    db: Database, postgres_db: Database, between: Proxy
) -> None:
    async def fall_silent() -> None:
        async with db.write() as tx:
            await tx.take_turn(7)
            between.go_deaf()
            await tx.execute(ONE)

    with pytest.raises((TimeoutError, DBAPIError)) as raised:
        await fall_silent()
    assert is_away(raised.value)
    async with asyncio.timeout(5), postgres_db.write() as tx:
        await tx.take_turn(7)


async def test_who_is_cancelled_while_it_is_silent_gives_its_connection_back(
    db: Database, between: Proxy
) -> None:
    await fill(db, 2)
    between.go_deaf()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await ask(db)
    await asyncio.gather(*(ask(db) for _ in range(8)))


async def test_a_new_connection_through_a_hole_is_given_up(db: Database, between: Proxy) -> None:
    between.flows.clear()
    async with asyncio.timeout(8):
        with pytest.raises(TimeoutError):
            await ask(db)
    between.flows.set()
    assert await ask(db) < PATIENCE


async def test_long_work_says_that_it_takes_its_time(db: Database) -> None:
    slow = text("SELECT pg_sleep(1.6)")
    with pytest.raises(DBAPIError) as raised:
        async with db.write() as tx:
            await tx.execute(slow)
    assert is_away(raised.value)
    async with db.write() as tx:
        await tx.take_time(5.0)
        await tx.execute(slow)
    with pytest.raises(DBAPIError):
        async with db.write() as tx:
            await tx.execute(slow)

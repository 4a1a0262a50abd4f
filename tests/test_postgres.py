"""Transactions on PostgreSQL end as they should, and the pool outlives what happens to them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import bindparam, func, insert, literal, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from storage.database import Database, Tx
from storage.engine.away import is_away
from storage.engine.postgres import PostgresTransaction
from storage.engine.prepared import Prepared
from storage.models import Installation, Intake
from storage.vault import Vault

ADD = Prepared(insert(Installation), ("key", "value"))
FIND = Prepared(select(Installation.value).where(Installation.key == bindparam("key")))
CHANGE = Prepared(
    update(Installation).where(Installation.key == bindparam("of")).values(value=bindparam("to"))
)
SLEEP = Prepared(select(func.pg_sleep(bindparam("seconds")).label("slept")))
BACKEND = Prepared(select(func.pg_backend_pid().label("pid")))


@pytest.fixture
async def one(postgres_url: str, vault: Vault) -> AsyncIterator[Database]:
    """A database with one connection: whoever does not give it back holds up all."""
    db = Database(postgres_url, vault, pool_size=1)
    yield db
    pool = db.engine.sync_engine.pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 0
    await db.close()


async def add(db: Database, key: str, value: str = "1") -> None:
    async with db.write() as tx:
        await tx.run(ADD, {"key": key, "value": value})


async def find(db: Database, key: str) -> str | None:
    async with db.read() as tx:
        rows = await tx.run(FIND, {"key": key})
        return rows[0].value if rows else None


Step = tuple[Prepared, dict[str, Any]]


async def write(
    db: Database, *steps: Step, then: Callable[[Tx], Awaitable[Any]] | None = None
) -> None:
    async with db.write() as tx:
        for prepared, given in steps:
            await tx.run(prepared, given)
        if then is not None:
            await then(tx)


def adding(value: str) -> Step:
    return ADD, {"key": "a", "value": value}


async def backend(tx: Tx) -> int:
    (row,) = await tx.run(BACKEND, {})
    return int(row.pid)


async def test_what_raises_is_taken_back(one: Database) -> None:
    async def fail(_tx: Tx) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write(one, adding("1"), then=fail)
    with pytest.raises(IntegrityError):
        await write(one, adding("1"), adding("2"))
    assert await find(one, "a") is None
    async with one.write():
        """Nothing is asked: no transaction was begun."""
    async with one.read() as tx:
        await tx.run(ADD, {"key": "a", "value": "read"})
    assert await find(one, "a") is None


async def test_whoever_goes_on_after_a_failure_is_told(one: Database) -> None:
    called = []

    async def go_on(tx: Tx) -> None:
        tx.after_commit(lambda: called.append(1))
        with pytest.raises(IntegrityError):
            await tx.run(*adding("2"))

    with pytest.raises(OperationalError) as taken_back:
        await write(one, adding("1"), then=go_on)
    assert is_away(taken_back.value)
    assert (await find(one, "a"), called) == (None, [])


async def test_a_cancelled_statement(one: Database) -> None:
    for prepared in (True, False):
        asleep = asyncio.Event()

        async def sleep(prepared: bool = prepared, asleep: asyncio.Event = asleep) -> None:
            async with one.write() as tx:
                await tx.run(ADD, {"key": "a", "value": "1"})
                asleep.set()
                if prepared:
                    await tx.run(SLEEP, {"seconds": 60.0})
                else:
                    await tx.execute(text("SELECT pg_sleep(60)"))

        task = asyncio.create_task(sleep())
        await asleep.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await find(one, "a") is None


async def test_a_cancelled_wait_for_a_connection(one: Database) -> None:
    async with one.write() as tx:
        await tx.run(ADD, {"key": "a", "value": "1"})
        waiting = asyncio.create_task(find(one, "a"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert await find(one, "a") == "1"


@pytest.mark.parametrize("prepared", [True, False])
async def test_a_backend_killed_at_work(one: Database, postgres_url: str, prepared: bool) -> None:
    other = Database(postgres_url, one.vault, pool_size=1)

    async def killed_between(tx: Tx) -> None:
        await kill(other, await backend(tx))
        if prepared:
            await tx.run(FIND, {"key": "a"})
        else:
            await tx.execute(text("SELECT 1"))

    with pytest.raises(DBAPIError) as killed:
        await write(one, adding("1"), then=killed_between)
    assert is_away(killed.value)
    await add(one, "a")
    await other.close()


async def test_a_backend_killed_before_the_commit(one: Database, postgres_url: str) -> None:
    other = Database(postgres_url, one.vault, pool_size=1)

    async def killed_then(tx: Tx) -> None:
        await kill(other, await backend(tx))

    with pytest.raises(DBAPIError) as killed:
        await write(one, adding("1"), then=killed_then)
    assert is_away(killed.value)
    assert await find(one, "a") is None
    await other.close()


async def test_all_backends_killed_while_idle(postgres_url: str, vault: Vault) -> None:
    """As by a restart: nobody's update fails for it, once the loop has heard."""
    db, other = (Database(postgres_url, vault, pool_size=size) for size in (5, 1))
    await asyncio.gather(*(add(db, str(number)) for number in range(5)))
    async with other.write() as tx:
        await tx.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    async with db.read() as tx:
        first = await backend(tx)
    assert first
    await asyncio.gather(*(add(db, str(number)) for number in range(5, 15)))
    assert await find(db, "14") == "1"
    await db.close()
    await other.close()


async def kill(db: Database, pid: int) -> None:
    async with db.write() as tx:
        await tx.execute(text(f"SELECT pg_terminate_backend({pid}, 5000)"))


async def test_what_takes_too_long_is_ended_by_the_server(postgres_url: str, vault: Vault) -> None:
    """Who is there says so: its connection is kept. See test_silent_network for who is not."""
    db = Database(postgres_url, vault, pool_size=1, patience=0.5)
    async with db.read() as tx:
        before = await backend(tx)
    with pytest.raises(DBAPIError) as late:
        await write(db, (SLEEP, {"seconds": 60.0}))
    assert is_away(late.value)
    async with db.read() as tx:
        assert await backend(tx) == before
    await db.close()


async def test_the_pool_is_full(
    postgres_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = Database(postgres_url, vault, pool_size=1)
    pool = db.engine.sync_engine.pool
    monkeypatch.setattr(pool, "_timeout", 0.05)
    async with db.write() as tx:
        await tx.run(FIND, {"key": "a"})
        with pytest.raises(PoolTimeout) as full:
            await find(db, "a")
    assert is_away(full.value)
    assert await find(db, "a") is None
    await db.close()


# On both databases


async def test_values_are_the_same_both_ways(db: Database, now: datetime) -> None:
    away = timezone(timedelta(hours=-7))
    add = Prepared(insert(Intake), ("bot_id", "update_id", "at", "replies", "problem"))
    look = Prepared(
        select(Intake.at, Intake.replies, Intake.problem, literal(7).label("seven")).where(
            Intake.bot_id == bindparam("bot"), Intake.update_id == bindparam("update")
        )
    )
    rows: list[dict[str, Any]] = [
        {"at": now, "replies": None, "problem": "?"},
        {"at": now.astimezone(away), "replies": b"\0\xff", "problem": None},
        {"at": datetime(2026, 1, 2, 3, 4, 5, 67, tzinfo=UTC), "replies": b"", "problem": "平安"},
    ]
    async with db.write() as tx:
        for number, row in enumerate(rows):
            await tx.run(add, {"bot_id": 1, "update_id": number, **row})
            await tx.execute(insert(Intake).values(bot_id=2, update_id=number, **row))
        for number, row in enumerate(rows):
            for bot in (1, 2):
                (found,) = await tx.run(look, {"bot": bot, "update": number})
                assert found == (row["at"], row["replies"], row["problem"], 7)
                assert found.at.tzinfo is UTC or found.at.utcoffset() == timedelta(0)
    naive = {"at": now.replace(tzinfo=None), "replies": None, "problem": None}
    with pytest.raises(ValueError, match="naive"):
        await write(db, (add, {"bot_id": 1, "update_id": 9, **naive}))
    with pytest.raises(KeyError):
        await write(db, (add, {"bot_id": 1}))


async def test_many_at_once(db: Database) -> None:
    keys = [f"k{number}" for number in range(1000)]
    async with db.write() as tx:
        await tx.run_many(ADD, [])
        await tx.run_many(ADD, [{"key": key, "value": "1"} for key in keys])
        await tx.run_many(CHANGE, [{"of": key, "to": key} for key in keys])
    assert await find(db, "k999") == "k999"

    async def add_twice(tx: Tx) -> None:
        await tx.run_many(ADD, [{"key": key, "value": "2"} for key in ("new", "k5")])

    with pytest.raises(IntegrityError):
        await write(db, then=add_twice)
    assert await find(db, "new") is None


async def test_a_list_in_it_cannot_be_prepared(sqlite_db: Database) -> None:
    listed = Prepared(select(Installation.key).where(Installation.key.in_(["a", "b"])))
    with pytest.raises(TypeError):
        await write(sqlite_db, (listed, {}))


async def test_who_is_cancelled_while_a_reading_ends_gives_the_connection_back(
    one: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending = asyncio.Event()

    async def hang(_transaction: PostgresTransaction) -> None:
        monkeypatch.undo()
        ending.set()
        await asyncio.Event().wait()

    async def read() -> None:
        async with one.read() as tx:
            await tx.run(FIND, {"key": "a"})

    monkeypatch.setattr(PostgresTransaction, "roll_back", hang)
    reading = asyncio.create_task(read())
    await ending.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await find(one, "a") is None

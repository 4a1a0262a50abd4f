"""SQLite's one writer: turns, shared commits, and what goes wrong in them."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from storage.database import Database, Tx
from storage.engine.prepared import Prepared
from storage.installation import drop_value, find_value, put_value
from storage.models import Installation, Intake

ADD = Prepared(insert(Installation), ("key", "value"))


async def keys(db: Database) -> list[str]:
    async with db.read() as tx:
        return list((await tx.execute(select(Installation.key).order_by("key"))).scalars())


@asynccontextmanager
async def commits(db: Database) -> AsyncIterator[list[str]]:
    """What the writer's connection is told besides its turns' own statements."""
    heard: list[str] = []
    async with db.write() as tx:
        assert tx._sqlite is not None
        raw = tx._sqlite.raw
    raw.set_trace_callback(lambda said: heard.append(said) if said == "COMMIT" else None)
    yield heard
    raw.set_trace_callback(None)


async def write(db: Database, key: str, *, together: bool = True) -> None:
    async with db.write(together=together) as tx:
        await tx.run(ADD, {"key": key, "value": "1"})


async def test_turns_that_waited_share_a_commit(sqlite_db: Database) -> None:
    async with commits(sqlite_db) as heard:
        await asyncio.gather(*(write(sqlite_db, f"k{number}") for number in range(20)))
    assert len(await keys(sqlite_db)) == 20
    assert len(heard) == 1


async def test_turns_that_do_not_share_commit_alone(sqlite_db: Database) -> None:
    async with commits(sqlite_db) as heard:
        await asyncio.gather(
            *(write(sqlite_db, f"k{number}", together=number != 2) for number in range(5))
        )
    assert len(await keys(sqlite_db)) == 5
    # Two before it, itself, and two after it.
    assert len(heard) == 3


async def test_nobody_is_told_before_the_commit(sqlite_db: Database) -> None:
    told: list[str] = []
    inside = asyncio.Event()

    async def first() -> None:
        async with sqlite_db.write(together=True) as tx:
            tx.after_commit(lambda: told.append("first"))
            await put_value(tx, "first", "1")
            await inside.wait()

    async def second() -> None:
        async with sqlite_db.write(together=True) as tx:
            assert await find_value(tx, "first") == "1"
            assert not told
            assert await keys(sqlite_db) == []
            await put_value(tx, "second", "1")

    waiting = [asyncio.create_task(first()), asyncio.create_task(second())]
    await asyncio.sleep(0)
    inside.set()
    await asyncio.gather(*waiting)
    assert told == ["first"]
    assert await keys(sqlite_db) == ["first", "second"]


@pytest.mark.parametrize("how", ["prepared", "plain", "raised", "untouched"])
async def test_a_turn_that_fails_takes_back_only_its_own(sqlite_db: Database, how: str) -> None:
    await write(sqlite_db, "there")

    async def fail(tx: Tx) -> None:
        if how != "untouched":
            await put_value(tx, "broken", "1")
        if how == "prepared":
            await tx.run(ADD, {"key": "there", "value": "2"})
        if how == "plain":
            await tx.execute(insert(Installation).values(key="there", value="2"))
        raise ValueError("a handler's own mistake")

    async def broken() -> None:
        async with sqlite_db.write(together=True) as tx:
            await fail(tx)

    ends = await asyncio.gather(
        write(sqlite_db, "a"),
        broken(),
        write(sqlite_db, "b"),
        return_exceptions=True,
    )
    assert [type(end) for end in ends] == [
        type(None),
        IntegrityError if how in {"prepared", "plain"} else ValueError,
        type(None),
    ]
    assert await keys(sqlite_db) == ["a", "b", "there"]


async def test_a_turn_that_fails_at_once_leaves_a_whole_turn_to_the_next(
    sqlite_db: Database,
) -> None:
    with pytest.raises(ValueError, match="at once"):
        async with sqlite_db.write(together=True):
            raise ValueError("at once")
    other = sqlite3.connect(sqlite_db.url.database or "", isolation_level=None, timeout=0)
    async with sqlite_db.write(together=True) as tx:
        await find_value(tx, "key")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.close()


async def test_a_cancelled_turn_leaves_nothing(sqlite_db: Database) -> None:
    entered = asyncio.Event()

    async def slow() -> None:
        async with sqlite_db.write(together=True) as tx:
            await put_value(tx, "slow", "1")
            entered.set()
            await asyncio.Event().wait()

    turn = asyncio.create_task(slow())
    await entered.wait()
    queued = asyncio.create_task(write(sqlite_db, "queued"))
    gone = asyncio.create_task(write(sqlite_db, "gone"))
    last = asyncio.create_task(write(sqlite_db, "last"))
    await asyncio.sleep(0)
    gone.cancel()
    turn.cancel()
    ends = await asyncio.gather(turn, queued, gone, last, return_exceptions=True)
    assert [type(end) for end in ends] == [
        asyncio.CancelledError,
        type(None),
        asyncio.CancelledError,
        type(None),
    ]
    assert await keys(sqlite_db) == ["last", "queued"]


async def test_a_turn_cancelled_at_work_fails_those_it_shares_with_and_no_other(
    sqlite_db: Database,
) -> None:
    """SQLAlchemy closes a connection that is cancelled within a statement."""
    count = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
        " SELECT count(*) FROM n"
    )
    at_work = asyncio.Event()

    async def slow() -> None:
        async with sqlite_db.write(together=True) as tx:
            await put_value(tx, "slow", "1")
            at_work.set()
            await tx.execute(text(count))

    turns = [
        asyncio.create_task(turn)
        for turn in (write(sqlite_db, "shared"), slow(), write(sqlite_db, "later"))
    ]
    await at_work.wait()
    await asyncio.sleep(0)
    turns[1].cancel()
    ends = await asyncio.gather(*turns, return_exceptions=True)
    assert [type(end) for end in ends] == [
        OperationalError,
        asyncio.CancelledError,
        type(None),
    ]
    assert await keys(sqlite_db) == ["later"]


async def test_who_is_cancelled_while_the_turn_comes_passes_it_on(sqlite_db: Database) -> None:
    first = asyncio.create_task(write(sqlite_db, "first", together=False))
    second = asyncio.create_task(write(sqlite_db, "second"))
    third = asyncio.create_task(write(sqlite_db, "third"))
    first.add_done_callback(lambda _: second.cancel())
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert {"first", "third"} <= set(await keys(sqlite_db))
    await write(sqlite_db, "fourth")


async def test_when_sqlite_ends_the_transaction_all_in_it_hear_of_it(sqlite_db: Database) -> None:
    await write(sqlite_db, "before")

    async def too_much() -> None:
        async with sqlite_db.write(together=True) as tx:
            assert tx._sqlite is not None
            await put_value(tx, "too much", "1")
            # As a full disk or an error of it does, in the middle of a statement.
            tx._sqlite.raw.execute("ROLLBACK")
            raise OperationalError("INSERT …", None, sqlite3.OperationalError("disk I/O error"))

    ends = await asyncio.gather(
        write(sqlite_db, "lost"),
        too_much(),
        write(sqlite_db, "after"),
        return_exceptions=True,
    )
    assert [type(end) for end in ends] == [OperationalError, OperationalError, type(None)]
    assert await keys(sqlite_db) == ["after", "before"]


async def test_a_commit_that_fails_fails_all_that_share_it(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storage.engine.sqlite import SqliteConnection

    run = SqliteConnection.run
    broken = True

    async def refuse(self: SqliteConnection, function: Callable[..., Any], *args: Any) -> Any:
        if args == ("COMMIT",) and broken:
            raise sqlite3.OperationalError("database or disk is full")
        return await run(self, function, *args)

    monkeypatch.setattr(SqliteConnection, "run", refuse)
    ends = await asyncio.gather(
        write(sqlite_db, "a"), write(sqlite_db, "b"), return_exceptions=True
    )
    assert [type(end) for end in ends] == [OperationalError, OperationalError]
    broken = False
    await write(sqlite_db, "c")
    assert await keys(sqlite_db) == ["c"]


async def test_a_file_locked_by_another_process_holds_up_nobody_else(sqlite_db: Database) -> None:
    await write(sqlite_db, "before")
    other = sqlite3.connect(sqlite_db.url.database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    turn = asyncio.create_task(write(sqlite_db, "mine"))
    assert await keys(sqlite_db) == ["before"]
    assert not turn.done()
    other.execute("COMMIT")
    other.close()
    await turn
    assert await keys(sqlite_db) == ["before", "mine"]


async def test_plain_and_prepared_statements_see_each_other(db: Database) -> None:
    async with db.write(together=True) as tx:
        await put_value(tx, "plain", "1")
        await tx.run(ADD, {"key": "prepared", "value": "2"})
        assert await find_value(tx, "prepared") == "2"
        await drop_value(tx, "plain")
    assert await keys(db) == ["prepared"]
    with pytest.raises(IntegrityError):
        await write(db, "prepared")


async def test_a_time_is_written_alike_both_ways(sqlite_db: Database, now: datetime) -> None:
    away = timezone(timedelta(hours=-7))
    add = Prepared(insert(Intake), ("bot_id", "update_id", "at"))
    times = [now, now.astimezone(away), datetime(2026, 1, 2, 3, 4, 5, 67, tzinfo=UTC)]
    async with sqlite_db.write() as tx:
        for number, at in enumerate(times):
            await tx.run(add, {"bot_id": 1, "update_id": number, "at": at})
            await tx.execute(insert(Intake).values(bot_id=2, update_id=number, at=at))
        raw: Any = await tx.execute(
            text("SELECT a.at, b.at FROM intake a JOIN intake b USING (update_id)")
        )
        assert all(row[0] == row[1] for row in raw)
        with pytest.raises(ValueError, match="naive"):
            await tx.run(add, {"bot_id": 1, "update_id": 9, "at": now.replace(tzinfo=None)})

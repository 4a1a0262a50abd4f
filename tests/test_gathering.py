"""On PostgreSQL updates that come at once share a transaction, and none feels the others."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage.database import Database, Tx
from storage.engine.gathering import MOST_TOGETHER
from storage.engine.prepared import NUMBER, Prepared
from storage.models import Installation

ADD = Prepared(insert(Installation), ("key", "value"))
FIND = Prepared(
    select(Installation.key, Installation.value, NUMBER).where(
        Installation.key == bindparam("wanted")
    )
)
CHANGE = Prepared(
    update(Installation)
    .where(Installation.key == bindparam("wanted"))
    .values(value=bindparam("new"))
    .returning(Installation.value, NUMBER)
)
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
KILL = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE state = 'idle in transaction' AND datname = current_database()"
)
Work = Callable[[Tx], Awaitable[int]]


def go_on() -> None:
    """Nothing is in the way."""


def adding(key: str, *, then: Callable[[], None] = go_on) -> Work:
    """Adds ``key``; how many of it there were."""

    async def work(tx: Tx) -> int:
        await tx.take_turn(hash(key))
        found = await tx.run(FIND, {"wanted": key})
        then()
        await tx.run(ADD, {"key": key, "value": "1"})
        return len(found)

    return work


def changing(key: str, *, then: Callable[[], None] = go_on) -> Work:
    async def work(tx: Tx) -> int:
        changed = await tx.run(CHANGE, {"wanted": key, "new": "changed"})
        then()
        return len(changed)

    return work


def fail() -> None:
    raise ValueError("on purpose")


async def values(db: Database) -> dict[str, str]:
    async with db.read() as tx:
        return {row.key: row.value for row in await tx.execute(select(Installation))}


async def transactions(db: Database) -> int:
    """How many have written what stands there."""
    async with db.read() as tx:
        return int(await tx.scalar(text("SELECT count(DISTINCT xmin::text) FROM installation")))


async def test_those_who_come_at_once_share_a_transaction(postgres_db: Database) -> None:
    keys = [str(number) for number in range(MOST_TOGETHER)]
    found = await asyncio.gather(*(postgres_db.write_shared(adding(key)) for key in keys))
    assert found == [0] * len(keys)
    assert set(await values(postgres_db)) == set(keys)
    assert await transactions(postgres_db) == 1


async def test_each_is_given_its_own_rows(db: Database) -> None:
    await asyncio.gather(*(db.write_shared(adding(key)) for key in "abc"))

    def finding(key: str) -> Callable[[Tx], Awaitable[list[str]]]:
        async def work(tx: Tx) -> list[str]:
            return [row.key for row in await tx.run(FIND, {"wanted": key})]

        return work

    wanted = ["c", "none", "a", "c", "b"]
    found = await asyncio.gather(*(db.write_shared(finding(key)) for key in wanted))
    assert found == [["c"], [], ["a"], ["c"], ["b"]]


async def test_one_that_fails_takes_back_its_own(db: Database) -> None:
    results = await asyncio.gather(
        *(db.write_shared(adding(key, then=fail if key == "b" else go_on)) for key in "abc"),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [int, ValueError, int]
    assert set(await values(db)) == {"a", "c"}


async def test_so_does_one_that_had_changed_something(db: Database) -> None:
    await asyncio.gather(*(db.write_shared(adding(key)) for key in "ab"))
    results = await asyncio.gather(
        db.write_shared(changing("a", then=fail)),
        db.write_shared(changing("b")),
        db.write_shared(adding("c")),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [ValueError, int, int]
    assert await values(db) == {"a": "1", "b": "changed", "c": "1"}


async def test_what_the_database_refuses_is_refused_to_one(db: Database) -> None:
    await db.write_shared(adding("b"))
    results = await asyncio.gather(
        *(db.write_shared(adding(key)) for key in "abc"), return_exceptions=True
    )
    assert [type(result) for result in results] == [int, IntegrityError, int]
    assert set(await values(db)) == {"a", "b", "c"}


async def test_who_needs_more_than_prepared_statements_does_it_apart(db: Database) -> None:
    async def work(tx: Tx) -> int:
        await tx.run(ADD, {"key": "more", "value": "1"})
        await tx.execute(update(Installation).values(value="2"))
        return 7

    results = await asyncio.gather(db.write_shared(adding("a")), db.write_shared(work))
    assert tuple(results) == (0, 7)
    assert (await values(db))["more"] == "2"


async def test_a_statement_sees_what_was_written_before_it(db: Database) -> None:
    async def work(tx: Tx) -> int:
        await tx.run(ADD, {"key": "a", "value": "1"})
        return len(await tx.run(FIND, {"wanted": "a"}))

    assert await db.write_shared(work) == 1


async def test_callbacks_run_once_after_the_commit(db: Database) -> None:
    called: list[bool] = []

    async def work(tx: Tx) -> None:
        tx.after_commit(lambda: called.append(True))
        await tx.run(ADD, {"key": "a", "value": "1"})
        await tx.execute(select(Installation.key))

    await db.write_shared(work)
    assert called == [True]


@pytest.mark.parametrize("touched", [False, True])
async def test_who_is_cancelled_is_not_waited_for(db: Database, touched: bool) -> None:
    await db.write_shared(adding("a"))
    stuck = asyncio.Event()

    async def work(tx: Tx) -> None:
        await tx.run(CHANGE if touched else FIND, {"wanted": "a", "new": "changed"})
        stuck.set()
        await asyncio.Event().wait()

    one = asyncio.create_task(db.write_shared(work))
    other = asyncio.create_task(db.write_shared(adding("b")))
    await stuck.wait()
    one.cancel()
    assert await other == 0
    assert await values(db) == {"a": "1", "b": "1"}
    with pytest.raises(asyncio.CancelledError):
        await one


async def test_cancelled_while_the_database_is_asked(postgres_db: Database) -> None:
    async with postgres_db.write() as tx:
        await tx.take_turn(hash("a"))
        both = [asyncio.create_task(postgres_db.write_shared(adding(key))) for key in "ab"]
        while not await _ask(postgres_db, WAITING):  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0)
        both[0].cancel()
    assert await both[1] == 0
    assert await values(postgres_db) == {"b": "1"}


async def _ask(db: Database, question: str) -> int:
    async with db.read() as tx:
        return int(await tx.scalar(text(question)))


async def test_a_connection_that_dies_is_told_to_all_of_them(postgres_db: Database) -> None:
    async def work(tx: Tx) -> None:
        await tx.run(FIND, {"wanted": "a"})
        await killed.wait()
        await tx.run(FIND, {"wanted": "a"})

    killed = asyncio.Event()
    both = [asyncio.create_task(postgres_db.write_shared(work)) for _ in range(2)]
    while not await _ask(postgres_db, KILL):  # noqa: ASYNC110  # the server tells nobody
        await asyncio.sleep(0)
    killed.set()
    results = await asyncio.gather(*both, return_exceptions=True)
    assert all(isinstance(result, DBAPIError | OSError) for result in results)
    assert await postgres_db.write_shared(adding("a")) == 0

"""Errors of both databases, told apart: those that pass, and those that stay."""

import contextlib
import sqlite3
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage.database import Database
from storage.engine.away import is_away
from storage.vault import Vault


async def failure(db: Database, *statements: str) -> DBAPIError:
    """What comes of running these in one transaction."""
    try:
        async with db.write() as tx:
            for statement in statements:
                await tx.execute(text(statement))
    except DBAPIError as problem:
        return problem
    raise AssertionError("nothing failed")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT nothing FROM nowhere",
        "SELECT )",
        "INSERT INTO area (code) VALUES (NULL)",
        "INSERT INTO installation (key, value) VALUES ('a', 'b'), ('a', 'c')",
    ],
)
async def test_a_statement_that_will_never_do(db: Database, statement: str) -> None:
    problem = await failure(db, statement)
    assert not is_away(problem)
    assert isinstance(problem, IntegrityError) == statement.startswith("INSERT")


async def test_a_file_that_is_locked_full_or_no_database(
    sqlite_url: str, tmp_path: Path, vault: Vault
) -> None:
    db = Database(sqlite_url, vault)
    async with db.write() as tx:
        await tx.execute(text("PRAGMA busy_timeout = 1"))
        await tx.execute(text("PRAGMA max_page_count = 1"))  # no more than it has now
    fill = "INSERT INTO installation (key, value) VALUES ('a', hex(zeroblob(1000000)))"
    assert is_away(await failure(db, fill))
    with contextlib.closing(sqlite3.connect(tmp_path / "kinroom.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert is_away(await failure(db, "DELETE FROM installation"))
    await db.close()
    (tmp_path / "other.db").write_bytes(b"no database, but long enough to be read as one" * 99)
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'other.db'}", vault)
    assert is_away(await failure(db, "DELETE FROM installation"))
    await db.close()


async def test_a_server_that_ends_it_or_only_reads(postgres_db: Database) -> None:
    ended = await failure(postgres_db, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert is_away(ended)
    impatient = "SET LOCAL statement_timeout = 1"
    assert is_away(await failure(postgres_db, impatient, "SELECT pg_sleep(5)"))
    standby = "SET LOCAL transaction_read_only = on"
    assert is_away(await failure(postgres_db, standby, "DELETE FROM installation"))


async def test_a_server_that_is_not_there(vault: Vault) -> None:
    db = Database("postgresql+asyncpg://nobody@127.0.0.1:9/nothing", vault)
    with pytest.raises(OSError, match="9") as refused:
        async with db.read() as tx:
            await tx.execute(text("SELECT 1"))
    assert is_away(refused.value)
    await db.close()


def test_what_drivers_say_of_themselves() -> None:
    full = asyncpg.exceptions.TooManyConnectionsError("sorry, too many clients already")
    assert is_away(DBAPIError(None, None, full))
    assert is_away(DBAPIError("SELECT 1", None, full))
    assert is_away(PoolTimeout())
    assert not is_away(ValueError())

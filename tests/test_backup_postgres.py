"""What only PostgreSQL can do in a backup, or fail to do."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from bot.settings import read_settings
from storage.backup import postgres as backup_postgres
from storage.backup import postgres_tools
from storage.database import Database
from storage.errors import Refused
from storage.migrate import RESTORING
from storage.vault import Vault
from tests.backup_county import FILE, areas_of, connect
from tests.command import Command


@pytest.fixture
def small(kinroom: Command, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("KINROOM_DATABASE_URL", postgres_url)
    kinroom("area", "add", "x", "X")
    assert kinroom("backup", str(FILE)).code == 0
    return kinroom


def test_it_is_an_archive_of_pg_dump(small: Command) -> None:
    """Who has no Kinroom any more has pg_restore."""

    async def listed() -> str:
        db = Database(read_settings().database_url, Vault(""), pool_size=1)
        try:
            async with db.read() as tx:
                server = await backup_postgres.find_server(tx)
            tool = await postgres_tools.find_tool("pg_restore", server.major, db.url, server.beside)
            return await postgres_tools.run_tool(tool, ["--list", str(FILE)], None, {})
        finally:
            await db.close()

    assert "TABLE DATA public delivery" in asyncio.run(listed())


def test_without_pg_dump(small: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_tools, "_candidates", lambda *_: [])
    assert "install postgresql-client-" in small("backup", "b").complaint
    assert "install postgresql-client-" in small("restore", str(FILE), "--yes").complaint


def test_with_an_old_pg_dump(
    small: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    old.chmod(0o755)
    monkeypatch.setattr(postgres_tools, "_candidates", lambda *_: [str(old)])
    assert "is of version 9 here" in small("backup", "b").complaint
    assert [path.name for path in Path.cwd().iterdir() if path.name != "var"] == [str(FILE)]


def test_a_failure_puts_back_what_was_there(
    small: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    small("area", "add", "y", "Y")
    run = postgres_tools.run_tool

    async def fail(tool: Any, words: Any, *rest: Any) -> str:
        if "--single-transaction" in words:
            raise Refused("the disk is full")
        return await run(tool, words, *rest)

    monkeypatch.setattr("storage.backup.restore_postgres.run_tool", fail)
    assert "the disk is full" in small("restore", str(FILE), "--yes").complaint
    assert areas_of(small) == ["x", "y"]


def test_a_restore_that_was_killed(small: Command, postgres_url: str, vault: Vault) -> None:
    """Nothing starts on what is half done; the next restore begins anew."""

    async def half() -> None:
        conn = await connect(postgres_url)
        try:
            await conn.execute(f"CREATE SCHEMA {RESTORING}")
            tables = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
            for row in await conn.fetch(tables):
                await conn.execute(f"ALTER TABLE {row[0]} SET SCHEMA {RESTORING}")
            await conn.execute("CREATE TABLE area (id int)")
        finally:
            await conn.close()

    asyncio.run(half())
    assert "did not come to its end" in small("area", "list").complaint
    assert "did not come to its end" in small("migrate").complaint
    assert small("restore", str(FILE), "--yes").code == 0
    assert areas_of(small) == ["x"]


def test_no_password_is_told(kinroom: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    url = make_url("postgresql+asyncpg://me:hunter2@127.0.0.1:1/x?ssl=require")
    asked = postgres_tools._libpq(url)
    assert asked["PGPASSWORD"] == "hunter2"
    assert asked["PGSSLMODE"] == "require"
    monkeypatch.setenv("KINROOM_DATABASE_URL", str(url.render_as_string(hide_password=False)))
    done = kinroom("backup", "b")
    assert done.code == 1
    assert "hunter2" not in done.err

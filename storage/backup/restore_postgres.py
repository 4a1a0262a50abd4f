"""A PostgreSQL database put back with ``pg_restore``: what was there stands aside meanwhile."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage.backup.file import About
from storage.backup.postgres import Server, count_rows, find_server
from storage.backup.postgres_tools import find_tool, run_tool
from storage.database import APPLICATION, Database, Tx
from storage.errors import Refused
from storage.migrate import RESTORING, upgrade

T = TypeVar("T")


async def restore_postgres(
    db: Database,
    file: Path,
    about: About,
    now: datetime,
    environment: Mapping[str, str],
    settle: Callable[[Tx, list[str]], Awaitable[T]],
) -> tuple[T, str | None]:
    """Put ``file``, a checked backup, in the place of what the database holds.

    The old tables wait in a schema of their own, by whose name no service starts on what is half
    done; they come back if anything fails. ``settle`` is told the refs of those who had left.
    Returns what it did, and the schema that keeps the old tables, if there were any. Raises
    :class:`Refused` when somebody works on the database.
    """
    async with db.read() as tx:
        server = await find_server(tx)
        tool = await find_tool(
            "pg_restore", max(server.major, about.tool or 0), db.url, server.beside
        )
        await _check_alone(tx)
    if about.schema != server.schema:
        raise Refused(f"the backup is of the schema {about.schema}, this one is {server.schema}")
    await put_back(db, server)
    async with _aside(db, server) as had_tables:
        with tempfile.NamedTemporaryFile("w", suffix=".list") as contents:
            listed = await run_tool(tool, ["--list", str(file)], None, environment)
            # The schema itself is there already.
            contents.writelines(
                f"{line}\n" for line in listed.splitlines() if " SCHEMA - " not in line
            )
            contents.flush()
            words = [
                "--single-transaction",
                "--exit-on-error",
                "--no-owner",
                "--no-privileges",
                "--no-password",
                f"--use-list={contents.name}",
                f"--dbname={db.url.database}",
                str(file),
            ]
            await run_tool(tool, words, db.url, environment)
        async with db.read() as tx:
            rows = await count_rows(tx, server.schema)
        if rows != about.rows:
            raise Refused(f"{rows} rows came back of {about.rows}: the old database stays")
        await upgrade(db)
        kept = f"before_restore_{now:%Y%m%dt%H%M%S_%f}" if had_tables else None
        done = f"ALTER SCHEMA {RESTORING} RENAME TO {kept}" if kept else f"DROP SCHEMA {RESTORING}"
        async with db.write() as tx:
            settled = await settle(tx, await _left(tx) if had_tables else [])
            # In the same transaction: no service starts on what is not settled.
            await tx.execute(text(done))
    return settled, kept


async def put_back(db: Database, server: Server) -> None:
    """Undo a restore that did not come to its end, if there is one."""
    async with db.write() as tx:
        if not await tx.scalar(text(f"SELECT to_regnamespace('{RESTORING}') IS NOT NULL")):
            return
        for table in await _tables(tx, server.schema):
            await tx.execute(text(f'DROP TABLE IF EXISTS "{server.schema}".{table} CASCADE'))
        for table in await _tables(tx, RESTORING):
            await tx.execute(text(f'ALTER TABLE {RESTORING}.{table} SET SCHEMA "{server.schema}"'))
        await tx.execute(text(f"DROP SCHEMA {RESTORING}"))


@asynccontextmanager
async def _aside(db: Database, server: Server) -> AsyncIterator[bool]:
    """The schema without its tables while the block runs; with them again if it fails."""
    try:
        async with db.write() as tx:
            await tx.execute(text("SET LOCAL lock_timeout = '5s'"))
            await tx.execute(text(f"CREATE SCHEMA {RESTORING}"))
            tables = await _tables(tx, server.schema)
            if tables and "alembic_version" not in tables:
                raise Refused("the database holds tables that are not Kinroom's: name another one")
            for table in tables:
                await tx.execute(
                    text(f'ALTER TABLE "{server.schema}".{table} SET SCHEMA {RESTORING}')
                )
            # Again: by now nobody can have come, and nobody can come any more.
            await _check_alone(tx)
    except DBAPIError as problem:
        if getattr(problem.orig, "sqlstate", None) == "55P03":
            raise Refused("somebody works on the database: stop them first") from None
        raise
    try:
        yield bool(tables)
    except BaseException:
        await put_back(db, server)
        raise


async def _left(tx: Tx) -> list[str]:
    """Refs of those who had left what stands aside."""
    left = await tx.execute(text(f"SELECT ref FROM {RESTORING}.person WHERE erased_at IS NOT NULL"))  # noqa: S608  # our own name
    return list(left.scalars())


async def _tables(tx: Tx, schema: str) -> list[str]:
    found = await tx.execute(
        text(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = :schema"
            " ORDER BY tablename"
        ),
        {"schema": schema},
    )
    return list(found.scalars())


async def _check_alone(tx: Tx) -> None:
    others = await tx.scalar(
        text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND application_name = :name"
        ),
        {"name": APPLICATION},
    )
    if others:
        raise Refused(f"Kinroom is running on this database ({others} connections): stop it first")

"""A PostgreSQL database in one file: ``pg_dump``'s archive, and a line that says what it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from storage.backup.file import About, mark_archive
from storage.backup.postgres_tools import find_tool, run_tool
from storage.database import Database, Tx
from storage.installation import KEY_CHECK, find_value
from storage.migrate import find_version


@dataclass(frozen=True, slots=True)
class Server:
    """The server behind a connection. ``beside``: where its own programs are, if it says."""

    major: int
    schema: str
    beside: str | None


async def find_server(tx: Tx) -> Server:
    major = int(await tx.scalar(text("SHOW server_version_num"))) // 10_000
    schema = await tx.scalar(text("SELECT current_schema()"))
    may_ask = await tx.scalar(text("SELECT has_function_privilege('pg_config()', 'execute')"))
    beside = "SELECT setting FROM pg_config WHERE name = 'BINDIR'"
    return Server(major, schema, await tx.scalar(text(beside)) if may_ask else None)


async def count_rows(tx: Tx, schema: str) -> int:
    """The rows of all tables of a schema; those of partitions are counted with their parent."""
    tables = await tx.execute(
        text(
            "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        ),
        {"schema": schema},
    )
    rows = 0
    for table in tables.scalars().all():
        rows += await tx.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608  # quoted above
    return rows


async def dump_postgres(
    db: Database, copy: Path, *, kinroom: str, now: datetime, environment: Mapping[str, str]
) -> About:
    """Write the database to ``copy`` with ``pg_dump``, all of it as it is at one moment.

    The moment is that of a transaction of ours, in which the rows are counted: a restore counts
    them again. Raises :class:`Refused` when there is no ``pg_dump`` for this server.
    """
    async with db.read() as tx:
        server = await find_server(tx)
        tool = await find_tool("pg_dump", server.major, db.url, server.beside)
        version = await find_version(tx)
        assert version is not None  # the command refuses an empty database
        snapshot: Any = await tx.scalar(text("SELECT pg_export_snapshot()"))
        about = About(
            "postgresql",
            version,
            kinroom,
            now,
            await count_rows(tx, server.schema),
            await find_value(tx, KEY_CHECK),
            tool.major,
            server.schema,
        )
        words = [
            "--format=custom",
            f"--snapshot={snapshot}",
            f"--schema={server.schema}",
            "--no-owner",
            "--no-privileges",
            "--no-password",
            f"--file={copy}",
        ]
        await run_tool(tool, words, db.url, environment)
    mark_archive(copy, about)
    return about

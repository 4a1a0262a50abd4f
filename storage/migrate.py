"""Bringing a database to the version this program was written for.

``python -m storage.migrate "what changed"`` writes the next migration from the models.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database, Tx
from storage.errors import Refused
from storage.vault import Vault

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"

Standing = Literal["empty", "behind", "current"]

RESTORING = "kinroom_restoring"
"""The schema that keeps what a PostgreSQL database held while a backup is put into it."""

# Any number will do, as long as every process that migrates takes the same.
_ADVISORY_LOCK = 4_702_111


def known_versions() -> list[str]:
    """The versions this program can read, oldest first: the numbers of its migrations."""
    return sorted(file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


async def find_version(tx: Tx) -> str | None:
    """The version the database is at; None before the first migration."""
    tables = (
        "SELECT to_regclass('alembic_version')"
        if tx.on_postgres
        else "SELECT name FROM sqlite_master WHERE name = 'alembic_version'"
    )
    if await tx.scalar(text(tables)) is None:
        return None
    version: str | None = await tx.scalar(text("SELECT version_num FROM alembic_version"))
    return version


async def check_version(tx: Tx) -> Standing:
    """How the database stands to this program.

    Raises :class:`Refused` when it is newer, or while a restore is not done.
    """
    if tx.on_postgres and await tx.scalar(text(f"SELECT to_regnamespace('{RESTORING}')::text")):
        raise Refused(
            "a restore into this database runs, or did not come to its end: run "
            "`kinroom restore` again, which first puts back what was there"
        )
    return await _check_known(tx)


async def _check_known(tx: Tx) -> Standing:
    version, known = await find_version(tx), known_versions()
    if version is None:
        return "empty"
    if version not in known:
        raise Refused(
            f"the database is of version {version}, written by a newer Kinroom than this one, "
            f"which knows up to {known[-1]}: install the newer Kinroom, or restore a backup"
        )
    return "current" if version == known[-1] else "behind"


async def upgrade(db: Database, target: str = "head") -> tuple[str | None, str]:
    """Run every migration the database lacks, all in one transaction.

    Returns the version before and after. Processes that start together wait for one another.
    Raises :class:`Refused` when the database is newer than this program.
    """
    async with db.engine.connect() as conn:
        tx = Tx(conn, db.vault)
        try:
            if db.on_sqlite:
                # Alembic rebuilds a table to alter it: dropping the old one must not cascade.
                # The pragma does nothing inside a transaction, so it comes first.
                await conn.exec_driver_sql("PRAGMA foreign_keys = OFF")
                await conn.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                await conn.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
            before = await find_version(tx)
            if await _check_known(tx) != "current":
                await conn.run_sync(_run, target)
                if db.on_sqlite:
                    await _check_references(conn)
            after = await find_version(tx)
            await conn.commit()
        finally:
            await conn.rollback()
            if db.on_sqlite:
                await conn.exec_driver_sql("PRAGMA foreign_keys = ON")
    if after is None:
        raise Refused("no migration was found beside the program: install Kinroom again")
    return before, after


async def _check_references(conn: AsyncConnection) -> None:
    rows = (await conn.exec_driver_sql("PRAGMA foreign_key_check")).all()
    if rows:
        raise Refused(f"a migration left {len(rows)} rows without the row they belong to")


def configure(connection: Connection) -> "Config":
    """Alembic's configuration, as this package carries it: there is no ``alembic.ini``."""
    # Alembic is slow to import, and needed only by a database that is not current.
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _run(connection: Connection, target: str) -> None:
    from alembic import command

    command.upgrade(configure(connection), target)


def write_migration(message: str) -> Path:
    """Write the next migration: what the models have and the migrations so far do not."""

    def write(connection: Connection) -> Path:
        from alembic import command
        from alembic.script import Script

        number = f"{len(known_versions()) + 1:04d}"
        script = command.revision(
            configure(connection), message=message, autogenerate=True, rev_id=number
        )
        if not isinstance(script, Script):
            raise Refused("there is nothing to migrate")
        file = Path(script.path)
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(line for line in lines if "# ###" not in line))
        return file

    async def run() -> Path:
        with tempfile.TemporaryDirectory() as folder:
            db = Database(f"sqlite+aiosqlite:///{folder}/empty.db", Vault(""))
            try:
                if known_versions():
                    await upgrade(db)
                async with db.engine.connect() as conn:
                    return await conn.run_sync(write)
            finally:
                await db.close()

    return asyncio.run(run())


if __name__ == "__main__":
    print(write_migration(" ".join(sys.argv[1:]) or "change"))  # noqa: T201  # a command

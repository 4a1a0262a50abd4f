"""Models and migrations agree, and a database of another version is met with a clear word."""

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from storage.database import Database
from storage.errors import Refused
from storage.migrate import check_version, configure, find_version, known_versions, upgrade
from storage.models import Base
from storage.vault import Vault


def _is_no_partition(name: str | None, *_: object) -> bool:
    """PostgreSQL lists the months of a table beside it."""
    return not (name or "").startswith("delivery_past_")


async def test_models_and_migrations_agree(db: Database) -> None:
    def compare(connection: Connection) -> list[object]:
        opts = {"compare_type": True, "include_name": _is_no_partition}
        context = MigrationContext.configure(connection, opts=opts)
        return list(compare_metadata(context, Base.metadata))

    async with db.engine.connect() as conn:
        assert await conn.run_sync(compare) == []


async def test_migrated_database_refuses_what_the_models_refuse(db: Database) -> None:
    """What ``compare_metadata`` does not look at: foreign keys and uniques of every table."""

    def shape(connection: Connection) -> dict[str, tuple[int, int, bool]]:
        seen = inspect(connection)
        return {
            name: (
                len(seen.get_foreign_keys(name)),
                len(seen.get_unique_constraints(name)),
                bool(seen.get_pk_constraint(name)["constrained_columns"]),
            )
            for name in seen.get_table_names()
            if name != "alembic_version" and _is_no_partition(name)
        }

    async with db.engine.connect() as migrated:
        from_migrations = await migrated.run_sync(shape)
    async with db.engine.begin() as conn:
        await conn.run_sync(Base.metadata.drop_all)
        await conn.run_sync(Base.metadata.create_all)
    async with db.engine.connect() as created:
        assert await created.run_sync(shape) == from_migrations


async def test_upgrade_twice_changes_nothing(db: Database) -> None:
    newest = known_versions()[-1]
    assert await upgrade(db) == (newest, newest)
    async with db.read() as tx:
        assert await check_version(tx) == "current"


async def test_newer_database_is_refused(db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused, match="version 9999, written by a newer Kinroom"):
        await upgrade(db)
    async with db.read() as tx:
        with pytest.raises(Refused, match="newer"):
            await check_version(tx)


async def test_empty_database_is_brought_up(tmp_path: Path, vault: Vault) -> None:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'new.db'}", vault)
    try:
        async with db.read() as tx:
            assert await find_version(tx) is None
            assert await check_version(tx) == "empty"
        assert await upgrade(db) == (None, known_versions()[-1])
    finally:
        await db.close()


async def test_two_processes_migrate_at_once(tmp_path: Path, vault: Vault) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'new.db'}"
    first, second = Database(url, vault), Database(url, vault)
    try:
        done = await asyncio.gather(upgrade(first), upgrade(second))
        assert sorted(before or "" for before, _ in done) == ["", known_versions()[-1]]
    finally:
        await first.close()
        await second.close()


async def test_references_hold_after_a_migration(sqlite_db: Database) -> None:
    await upgrade(sqlite_db)
    async with sqlite_db.engine.connect() as conn:
        assert (await conn.exec_driver_sql("PRAGMA foreign_keys")).scalar() == 1


async def test_versions_are_numbered_in_one_line(sqlite_db: Database) -> None:
    async with sqlite_db.engine.connect() as conn:
        scripts = await conn.run_sync(lambda c: ScriptDirectory.from_config(configure(c)))
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert revisions == list(reversed(known_versions()))

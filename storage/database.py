"""One way into the database: a transaction to read in, a transaction to write in."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, cast

import aiosqlite
from sqlalchemy import CursorResult, Executable, event, text
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.vault import Vault


class Tx:
    """One open transaction, and what queries need besides it.

    ``vault`` opens and seals columns. Callbacks given to :meth:`after_commit` run once the
    commit has succeeded, in the order given; they must not touch the database.
    """

    __slots__ = ("_after_commit", "conn", "vault")

    def __init__(self, conn: AsyncConnection, vault: Vault) -> None:
        self.conn = conn
        self.vault = vault
        self._after_commit: list[Callable[[], None]] = []

    async def execute(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> CursorResult[Any]:
        return await self.conn.execute(statement, parameters)

    async def scalar(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> Any:
        return await self.conn.scalar(statement, parameters)

    @property
    def on_postgres(self) -> bool:
        return self.conn.dialect.name == "postgresql"

    def insert(self, table: Any) -> PostgresInsert:
        """An ``INSERT`` that knows ``on_conflict_do_nothing`` and ``..._do_update``.

        Both databases speak the same clause; the SQLite construct is typed as PostgreSQL's.
        """
        if self.on_postgres:
            return postgres_insert(table)
        return sqlite_insert(table)  # type: ignore[return-value]  # same clause, see above

    def after_commit(self, callback: Callable[[], None]) -> None:
        self._after_commit.append(callback)

    def committed(self) -> None:
        """Run the callbacks; called by :class:`Database` only."""
        callbacks, self._after_commit = self._after_commit, []
        for callback in callbacks:
            callback()


class Database:
    """The engine, with reads and writes told apart.

    On SQLite only one transaction can write: writers of this process queue here, in order,
    instead of sleeping in SQLite's busy handler. On PostgreSQL they run side by side.
    """

    def __init__(self, url: str, vault: Vault, *, pool_size: int = 10) -> None:
        self.url = make_url(url)
        self.vault = vault
        self.on_sqlite = self.url.get_backend_name() == "sqlite"
        self._writer = asyncio.Lock() if self.on_sqlite else None
        self._writer_conn: AsyncConnection | None = None
        self.engine = _sqlite_engine(self.url) if self.on_sqlite else _engine(self.url, pool_size)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """A transaction that commits when the block ends and rolls back when it raises."""
        async with self._writing() as conn:
            tx = Tx(conn, self.vault)
            try:
                yield tx
            except BaseException:
                await conn.rollback()
                raise
            await conn.commit()
        tx.committed()

    @contextlib.asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        if self._writer is None:
            async with self.engine.connect() as conn:
                yield conn
            return
        async with self._writer:
            # Kept open between transactions: checking it out anew costs as much as a statement.
            if self._writer_conn is None or self._writer_conn.invalidated:
                self._writer_conn = await self.engine.connect()
            conn = self._writer_conn
            (await _raw(conn)).begin_with_next("BEGIN IMMEDIATE")
            yield conn

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """A consistent view; whatever is written in it is rolled back."""
        async with self.engine.connect() as conn:
            if self.on_sqlite:
                (await _raw(conn)).begin_with_next("BEGIN")
            else:
                await conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            yield Tx(conn, self.vault)

    async def close(self) -> None:
        if self._writer_conn is not None:
            await self._writer_conn.close()
        await self.engine.dispose()


async def _raw(conn: AsyncConnection) -> "_OneHopConnection":
    return cast("_OneHopConnection", (await conn.get_raw_connection()).driver_connection)


class _OneHopCursor:
    """A cursor that crosses to the connection's thread once a statement, not four times.

    aiosqlite sends open, execute, fetch and close to its thread one by one; SQLAlchemy keeps
    every row in memory anyway, so rows are fetched in the same crossing.
    """

    __slots__ = ("_connection", "_rows", "arraysize", "description", "lastrowid", "rowcount")

    def __init__(self, connection: "_OneHopConnection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.arraysize = 1
        self.description: Any = None
        self.lastrowid: int | None = None
        self.rowcount = -1

    async def __aenter__(self) -> "_OneHopCursor":
        return self

    async def execute(self, operation: str, parameters: Any = ()) -> "_OneHopCursor":
        await self._connection.run(self._run, "execute", operation, parameters)
        return self

    async def executemany(self, operation: str, parameters: Any) -> "_OneHopCursor":
        await self._connection.run(self._run, "executemany", operation, list(parameters))
        return self

    def _run(self, verb: str, operation: str, parameters: Any) -> None:
        self._connection.begin_now()
        cursor: sqlite3.Cursor = getattr(self._connection.raw, verb)(operation, parameters)
        try:
            self.description = cursor.description
            self._rows = cursor.fetchall() if cursor.description else []
            self.lastrowid = cursor.lastrowid
            self.rowcount = cursor.rowcount
        finally:
            cursor.close()

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._rows = []


class _OneHopConnection(aiosqlite.Connection):
    """An aiosqlite connection whose cursors are :class:`_OneHopCursor`."""

    _begin: str | None = None
    _stopped: asyncio.Future[Any] | None = None

    async def _connect(self) -> "_OneHopConnection":
        try:
            await super()._connect()
        except BaseException:
            # Its thread answers once more: not to a loop that is closed by then.
            if self._stopped is not None:
                await self._stopped
            raise
        return self

    def stop(self) -> "asyncio.Future[Any] | None":
        self._stopped = super().stop()
        return self._stopped

    def begin_with_next(self, begin: str) -> None:
        """Open the transaction in the same crossing as its first statement."""
        self._begin = begin

    def begin_now(self) -> None:
        begin, self._begin = self._begin, None
        if begin is not None:
            self.raw.execute(begin)

    @property
    def raw(self) -> sqlite3.Connection:
        return self._conn

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        return await self._execute(function, *args)  # type: ignore[no-untyped-call]  # aiosqlite's

    def cursor(self) -> Any:
        return _OneHopCursor(self)


def _sqlite_engine(url: URL) -> AsyncEngine:
    path = url.database or ":memory:"

    def open_raw() -> sqlite3.Connection:
        raw = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            for pragma in (
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
                "busy_timeout = 10000",
                "cache_size = -16000",
                "temp_store = MEMORY",
            ):
                raw.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            raw.close()
            raise
        return raw

    def create(*_: Any, **__: Any) -> _OneHopConnection:
        connection = _OneHopConnection(open_raw, iter_chunk_size=64)
        connection._thread.daemon = True  # noqa: SLF001  # as SQLAlchemy does: exit must not wait
        return connection

    return create_async_engine(
        url,
        connect_args={"async_creator_fn": create},
        json_serializer=_to_json,
        pool_size=8,
        max_overflow=0,
    )


def _engine(url: URL, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        url, json_serializer=_to_json, pool_size=pool_size, max_overflow=0, pool_pre_ping=False
    )


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def count_statements(engine: AsyncEngine, into: list[str]) -> None:
    """Append every SQL statement the engine runs to ``into``, for the bench and its tests."""

    def record(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        into.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", record)

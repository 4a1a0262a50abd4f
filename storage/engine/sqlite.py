"""SQLite's connections: fewer crossings to their threads, and none for the smallest statements."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import aiosqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

_PRAGMAS = (
    "synchronous = FULL",
    "foreign_keys = ON",
    "busy_timeout = 10000",
    "cache_size = -16000",
    "temp_store = MEMORY",
    # 64 MiB of log: the pages that every commit touches are written home once for many commits.
    "wal_autocheckpoint = 16000",
)


class OneHopCursor:
    """A cursor that crosses to the connection's thread once a statement, not four times.

    aiosqlite sends open, execute, fetch and close to its thread one by one; SQLAlchemy keeps
    every row in memory anyway, so rows are fetched in the same crossing.
    """

    __slots__ = ("_connection", "_rows", "arraysize", "description", "lastrowid", "rowcount")

    def __init__(self, connection: "SqliteConnection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.arraysize = 1
        self.description: Any = None
        self.lastrowid: int | None = None
        self.rowcount = -1

    async def __aenter__(self) -> "OneHopCursor":
        return self

    async def execute(self, operation: str, parameters: Any = ()) -> "OneHopCursor":
        await self._connection.run(self._run, "execute", operation, parameters)
        return self

    async def executemany(self, operation: str, parameters: Any) -> "OneHopCursor":
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


class SqliteConnection(aiosqlite.Connection):
    """An aiosqlite connection whose cursors are :class:`OneHopCursor`."""

    _stopped: asyncio.Future[Any] | None = None
    _ahead: tuple[str, ...] = ()

    async def _connect(self) -> "SqliteConnection":
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

    def begin_with_next(self, *statements: str) -> None:
        """Open the transaction in the same crossing as its first statement."""
        self._ahead = statements

    def begin_now(self) -> None:
        ahead, self._ahead = self._ahead, ()
        for statement in ahead:
            self.raw.execute(statement)

    @property
    def begun(self) -> bool:
        """Whether anything was done since :meth:`begin_with_next`."""
        return not self._ahead

    @property
    def raw(self) -> sqlite3.Connection:
        return self._conn

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call ``function`` in the connection's thread, after what was sent there before."""
        return await self._execute(function, *args)  # type: ignore[no-untyped-call]  # aiosqlite's

    async def run_small(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """The rows of a statement that touches a few rows by their keys.

        It runs where it stands: crossing to the thread and back costs ten times as much. Not so
        the first of a transaction, which may wait for another process to let go of the file.
        Raises SQLAlchemy's exceptions.
        """
        try:
            if self.in_transaction:
                return self._run(sql, values)
            return cast("list[Any]", await self.run(self._run, sql, values))
        except sqlite3.Error as problem:
            raise as_sqlalchemy(sql, problem) from problem

    def _run(self, sql: str, values: Sequence[Any]) -> list[Any]:
        self.begin_now()
        return self.raw.execute(sql, values).fetchall()

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The statement once for each row, in the thread. Raises SQLAlchemy's exceptions."""
        try:
            await self.run(self._run_many, sql, rows)
        except sqlite3.Error as problem:
            raise as_sqlalchemy(sql, problem) from problem

    def _run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        self.begin_now()
        self.raw.executemany(sql, rows)

    def cursor(self) -> Any:
        return OneHopCursor(self)


def as_sqlalchemy(sql: str, problem: sqlite3.Error) -> Exception:
    """The exception SQLAlchemy would raise; without parameters, which are about people."""
    wrapped = DBAPIError.instance(sql, None, problem, sqlite3.Error, hide_parameters=True)
    return cast("Exception", wrapped)


async def sqlite_connection(conn: AsyncConnection) -> SqliteConnection:
    """The connection beneath SQLAlchemy's."""
    return cast("SqliteConnection", (await conn.get_raw_connection()).driver_connection)


def sqlite_engine(url: URL) -> AsyncEngine:
    path = url.database or ":memory:"

    def open_raw() -> sqlite3.Connection:
        raw = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            for pragma in _PRAGMAS:
                raw.execute(f"PRAGMA {pragma}")
            _write_ahead(raw)
        except sqlite3.Error:
            raw.close()
            raise
        return raw

    def create(*_: Any, **__: Any) -> SqliteConnection:
        connection = SqliteConnection(open_raw, iter_chunk_size=64)
        connection._thread.daemon = True  # noqa: SLF001  # as SQLAlchemy does: exit must not wait
        return connection

    return create_async_engine(
        url,
        connect_args={"async_creator_fn": create},
        json_serializer=to_json,
        hide_parameters=True,
        pool_size=8,
        max_overflow=0,
    )


def _write_ahead(raw: sqlite3.Connection) -> None:
    """Have the file write ahead. Two that open a new file at once do not wait for one another here,
    whatever their time-out: the one that is refused tries again."""
    for pause in (*[0.05] * 100, None):
        try:
            raw.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as problem:
            if pause is None or problem.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(pause)
        else:
            return


def to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

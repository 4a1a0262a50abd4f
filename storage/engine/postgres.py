"""PostgreSQL's transactions: prepared statements go to the driver, the others by SQLAlchemy."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakSet

from sqlalchemy import event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.engine.sqlite import to_json

if TYPE_CHECKING:
    # A service on SQLite starts without it.
    from asyncpg import Connection

APPLICATION: Final = "kinroom"
"""What PostgreSQL's ``pg_stat_activity`` calls our connections."""
PATIENT: Final = 600.0
"""Seconds for a statement of a command, such as a migration or a report."""
_CONNECTING: Final = 5.0
_TO_WAIT_FOR_ONE: Final = 10.0
_TAKING_BACK: Final = 2.0
_OF_ITS_ANSWER: Final = 1.2
BEGIN: Final = "BEGIN"
BEGIN_TO_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ"


def postgres_engine(url: URL, pool_size: int, patience: float) -> AsyncEngine:
    """``patience``: seconds after which the server gives up a statement, or an idle transaction.

    So a server that is there says so in that time, and whom the network has cut off does not go
    on holding locks. One that has said nothing for a fifth longer is not there.
    """
    engine = create_async_engine(
        url,
        connect_args={
            "server_settings": {
                # By this name a restore finds out that somebody still works on the database.
                "application_name": APPLICATION,
                **_limits(patience),
                # Connections of ours that we have lost do not fill the server for two hours.
                "tcp_keepalives_idle": "10",
                "tcp_keepalives_interval": "5",
                "tcp_keepalives_count": "3",
                "tcp_user_timeout": "25s",
            },
            "timeout": min(_CONNECTING, 2 * patience),
            # A network that was cut says nothing: without a limit one would wait for ever.
            "command_timeout": patience * _OF_ITS_ANSWER,
        },
        json_serializer=to_json,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_TO_WAIT_FOR_ONE,
        pool_pre_ping=False,
    )
    _distrust_together(engine)
    return engine


def _limits(patience: float) -> dict[str, str]:
    limit = f"{int(patience * 1000)}ms"
    return {"statement_timeout": limit, "idle_in_transaction_session_timeout": limit}


def _distrust_together(engine: AsyncEngine) -> None:
    """Connections fall silent together: found one by one, each would cost a wait of its own."""
    known: WeakSet[Connection] = WeakSet()

    def opened(dbapi: Any, _record: Any) -> None:
        known.add(dbapi.driver_connection)

    def given_up(_dbapi: Any, _record: Any, problem: BaseException | None) -> None:
        if not isinstance(problem, TimeoutError):
            return
        for raw in list(known):
            # Those at work have their own limit to say so.
            if not raw.is_closed() and not raw.is_in_transaction():
                raw.terminate()

    event.listen(engine.sync_engine, "connect", opened)
    event.listen(engine.sync_engine, "invalidate", given_up)


class PostgresTransaction:
    """One transaction on one connection of the pool, opened with its first statement.

    SQLAlchemy's way to a statement costs twenty times what asyncpg's does, so what is prepared
    goes to asyncpg itself. Both see one transaction: SQLAlchemy is told that it is open.

    A connection found dead, as all are after the server was restarted, is replaced when it is
    taken from the pool. One that dies, or does not answer, while it is used is closed, and its
    error says so: nothing of the transaction has happened, unless it was committing. After one
    that does not answer, those that lie in the pool are not trusted either.
    """

    __slots__ = ("_begin", "_begun", "_config", "_conn", "_dbapi", "_engine", "_raw", "_silent")

    def __init__(self, engine: AsyncEngine, begin: str) -> None:
        self._engine = engine
        self._begin = begin
        self._begun = False
        self._conn: AsyncConnection | None = None
        self._config: Any = None
        self._silent: TimeoutError | None = None

    async def open(self) -> AsyncConnection:
        """Take a connection. Raises ``OSError``, SQLAlchemy's and asyncpg's exceptions."""
        while True:
            conn = await self._engine.connect()
            try:
                dbapi: Any = conn.sync_connection.connection.dbapi_connection  # type: ignore[union-attr]  # it is open
                raw: Connection = dbapi.driver_connection
                if not raw.is_closed():
                    self._conn, self._dbapi, self._raw = conn, dbapi, raw
                    return conn
                await conn.invalidate()
            except BaseException:
                await conn.close()
                raise
            await conn.close()

    async def begin(self, first: str = "") -> None:
        """Open the transaction, if it is not, and run ``first``, SQL without values, with it."""
        if self._begun:
            if first:
                await self._execute(first)
            return
        self._begun = True
        # SQLAlchemy would open its own.
        self._dbapi._transaction = _Ours(self._raw)  # noqa: SLF001  # there is no other way
        await self._execute(f"{self._begin};{first}" if first else self._begin)

    async def take_time(self, seconds: float) -> None:
        """From now on each of its statements may take so long."""
        await self.begin(";".join(f"SET LOCAL {n} = '{it}'" for n, it in _limits(seconds).items()))
        self._config = self._config or self._raw._config  # noqa: SLF001  # SQLAlchemy's statements find their limit there
        limit = seconds * _OF_ITS_ANSWER
        self._raw._config = self._config._replace(command_timeout=limit)  # noqa: SLF001  # as above

    async def run(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """The rows. Raises SQLAlchemy's exceptions, ``OSError`` and ``TimeoutError``."""
        if not self._begun:
            await self.begin()
        try:
            rows = await self._raw.fetch(sql, *values)
        except Exception as problem:
            raise self._as_sqlalchemy(sql, problem) from problem
        return cast("list[Any]", rows)

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The statement once for each row, in one crossing."""
        if not self._begun:
            await self.begin()
        try:
            await self._raw.executemany(sql, rows)
        except Exception as problem:
            raise self._as_sqlalchemy(sql, problem) from problem

    async def run_each(self, sql: str, each: Sequence[Sequence[Any]]) -> list[Any]:
        """The rows of the statement run once for each, all together, in one crossing."""
        if not self._begun:
            await self.begin()
        try:
            rows = await self._raw.fetchmany(sql, each)
        except Exception as problem:
            raise self._as_sqlalchemy(sql, problem) from problem
        return cast("list[Any]", rows)

    async def commit(self) -> None:
        if self._conn is None:
            return
        if self._begun:
            said = await self._execute("COMMIT")
            if said != "COMMIT":
                # A statement had failed, and whoever ran it went on all the same.
                raise OperationalError(None, None, TakenBack())
            self._begun = False
        await self._release()

    async def roll_back(self) -> None:
        """Take it back; never raises for the database's sake: a dead one has taken it back."""
        if self._conn is None:
            return
        try:
            if self._begun and not self._raw.is_closed():
                await self._raw.execute("ROLLBACK", timeout=_TAKING_BACK)
                self._begun = False
        except Exception as problem:  # noqa: BLE001  # whatever it is, this connection is not used again
            self._raw.terminate()
            if isinstance(problem, TimeoutError):
                self._silent = problem
        await self._release()

    async def _release(self) -> None:
        assert self._conn is not None
        conn, self._conn = self._conn, None
        self._dbapi._transaction = None  # noqa: SLF001  # see begin
        if self._config is not None:
            self._raw._config = self._config  # noqa: SLF001  # see take_time
        with contextlib.suppress(DBAPIError, OSError):
            if self._raw.is_closed():
                await conn.invalidate(self._silent)
            await conn.close()

    async def _execute(self, sql: str) -> str:
        try:
            return cast("str", await self._raw.execute(sql))
        except Exception as problem:
            # Without a statement: it was the transaction that failed.
            raise self._as_sqlalchemy(None, problem) from problem

    def _as_sqlalchemy(self, sql: str | None, problem: Exception) -> Exception:
        """What SQLAlchemy would raise; without parameters, which are about people."""
        if isinstance(problem, TimeoutError):
            # What it is doing is not known, and it may do it for long.
            self._raw.terminate()
            self._silent = problem
            return problem
        dialect = self._engine.dialect
        errors: Any = dialect.dbapi
        translated = problem
        try:
            self._dbapi._handle_exception(problem)  # noqa: SLF001  # its table of errors
        except Exception as raised:  # noqa: BLE001  # it raises what it found
            translated = raised
        if not isinstance(translated, errors.Error):
            return problem  # not the database's, such as an OSError
        wrapped = DBAPIError.instance(
            sql,
            None,
            translated,
            errors.Error,
            hide_parameters=True,
            connection_invalidated=self._raw.is_closed(),
            dialect=dialect,
        )
        return cast("Exception", wrapped)


class _Ours:
    """The transaction, for SQLAlchemy's adapter, which must not end it by a commit."""

    __slots__ = ("_raw",)

    def __init__(self, raw: "Connection") -> None:
        self._raw = raw

    async def commit(self) -> None:
        raise AssertionError("the transaction is not SQLAlchemy's")

    async def rollback(self) -> None:
        await self._raw.execute("ROLLBACK", timeout=_TAKING_BACK)


class TakenBack(Exception):
    """PostgreSQL has taken the whole transaction back."""


Endings = set["asyncio.Task[None]"]


async def commit(transaction: PostgresTransaction, endings: Endings) -> None:
    """Commit, and take back what cannot be; ``endings`` holds what nobody waits for."""
    try:
        await transaction.commit()
    except BaseException as problem:
        await take_back(transaction, problem, endings)
        raise


async def end_reading(transaction: PostgresTransaction, endings: Endings) -> None:
    """Let go of what was only read."""
    try:
        await transaction.roll_back()
    except BaseException as problem:
        # Cancelled just then: the connection must go back to the pool all the same.
        await take_back(transaction, problem, endings)
        raise


async def take_back(
    transaction: PostgresTransaction, problem: BaseException, endings: Endings
) -> None:
    """What failed for ``problem``."""
    # A task of its own: who is cancelled must not wait for the server, and the connection goes
    # back to the pool all the same, once the server has let go of the statement.
    task = asyncio.create_task(transaction.roll_back())
    endings.add(task)
    task.add_done_callback(endings.discard)
    if isinstance(problem, Exception):
        await asyncio.shield(task)

"""One way into the database: a transaction to read in, a transaction to write in."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import CursorResult, Executable, event
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.engine.gathering import Apart, Gatherings, Seat
from storage.engine.postgres import (
    APPLICATION,
    BEGIN,
    BEGIN_TO_READ,
    PATIENT,
    PostgresTransaction,
    commit,
    end_reading,
    postgres_engine,
    take_back,
)
from storage.engine.prepared import Prepared
from storage.engine.sqlite import SqliteConnection, sqlite_connection, sqlite_engine
from storage.engine.writer import Writer
from storage.vault import Vault

if TYPE_CHECKING:
    # A service on SQLite starts without it.
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert

__all__ = ["APPLICATION", "Database", "Tx"]
_Result = TypeVar("_Result")


class Tx:
    """One open transaction, and what queries need besides it.

    ``vault`` opens and seals columns. Callbacks given to :meth:`after_commit` run once the
    commit has succeeded, in the order given; they must not touch the database.

    ``database`` is what prepared statements go to: without it there are none, as in a migration.
    Without ``conn`` the transaction is shared, and there are no others.
    """

    __slots__ = ("_after_commit", "_conn", "_listening", "_postgres", "_seat", "_sqlite", "vault")

    def __init__(
        self,
        conn: AsyncConnection | None,
        vault: Vault,
        database: SqliteConnection | PostgresTransaction | Seat | None = None,
        listening: Sequence[list[str]] = (),
    ) -> None:
        self._conn = conn
        self.vault = vault
        self._seat = database if isinstance(database, Seat) else None
        self._sqlite = database if isinstance(database, SqliteConnection) else None
        self._postgres = database if isinstance(database, PostgresTransaction) else None
        self._listening = listening
        self._after_commit: list[Callable[[], None]] = []

    @property
    def conn(self) -> AsyncConnection:
        """Raises :class:`storage.engine.gathering.Apart` where the transaction is shared."""
        if self._conn is None:
            raise Apart
        return self._conn

    async def execute(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> CursorResult[Any]:
        if self._postgres is not None:
            await self._postgres.begin()
        return await self.conn.execute(statement, parameters)

    async def scalar(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> Any:
        if self._postgres is not None:
            await self._postgres.begin()
        return await self.conn.scalar(statement, parameters)

    async def run(self, prepared: Prepared, given: Mapping[str, Any]) -> list[Any]:
        """The rows of a statement of the way in, with their columns as attributes.

        Raises SQLAlchemy's exceptions, as :meth:`execute` does; ``KeyError`` for a value that is
        missing.
        """
        if self._postgres is not None:
            once = prepared.on_postgres or prepared.compile(self.conn.dialect)
            self._tell(once.sql)
            rows = await self._postgres.run(once.sql, once.values(given))
        elif self._seat is not None:
            once = prepared.on_postgres or prepared.compile(self._seat.dialect)
            self._tell(once.sql)
            return await self._seat.run(once, given)
        else:
            assert self._sqlite is not None
            once = prepared.on_sqlite or prepared.compile(self.conn.dialect)
            self._tell(once.sql)
            rows = await self._sqlite.run_small(once.sql, once.values(given))
        return [once.row(row) for row in rows] if once.returns else []

    async def run_many(self, prepared: Prepared, given: Sequence[Mapping[str, Any]]) -> None:
        """The statement once for each of ``given``, in their order and in one crossing.

        For changes, of which many come at once: no rows come back, and not how many it touched.
        One that fails takes all with it. Raises as :meth:`run`.
        """
        if not given:
            return
        if self._postgres is not None:
            once = prepared.on_postgres or prepared.compile(self.conn.dialect)
            self._tell(once.sql)
            await self._postgres.run_many(once.sql, [once.values(each) for each in given])
        elif self._seat is not None:
            raise Apart
        else:
            assert self._sqlite is not None
            once = prepared.on_sqlite or prepared.compile(self.conn.dialect)
            self._tell(once.sql)
            await self._sqlite.run_many(once.sql, [once.values(each) for each in given])

    async def take_turn(self, key: int) -> None:
        """Wait until no other transaction has taken ``key``, of 64 bits; it is held to the end.

        To be called first of all: the transaction then sees what the one before it has done. On
        SQLite, where writers take turns anyway, it does nothing.
        """
        if self._seat is not None:
            self._tell("SELECT pg_advisory_xact_lock")
            await self._seat.take_turn(key)
        if self._postgres is not None:
            statement = f"SELECT pg_advisory_xact_lock({int(key)})"
            self._tell(statement)
            # Together with the transaction's beginning: it is one crossing less.
            await self._postgres.begin(statement)

    async def take_time(self, seconds: float) -> None:
        """Called first of all by deliberate long work: see ``patience`` of :class:`Database`."""
        if self._seat is not None:
            raise Apart
        if self._postgres is not None:
            await self._postgres.take_time(seconds)

    def _tell(self, sql: str) -> None:
        for heard in self._listening:
            heard.append(sql)

    @property
    def on_postgres(self) -> bool:
        return self._seat is not None or self.conn.dialect.name == "postgresql"

    def insert(self, table: Any) -> "PostgresInsert":
        """An ``INSERT`` that knows ``on_conflict_do_nothing`` and ``..._do_update``.

        Both databases speak the same clause; the SQLite construct is typed as PostgreSQL's.
        """
        if self.on_postgres:
            from sqlalchemy.dialects.postgresql import insert as postgres_insert

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

    On SQLite only one transaction can write: writers of this process queue in order, instead of
    sleeping in SQLite's busy handler. On PostgreSQL they run side by side.

    ``patience``: seconds after which a statement on PostgreSQL is given up, if the transaction
    has not said that it takes its time. A server that is there ends it, as it does a transaction
    that has been idle for so long; one that is silent a little longer counts as away.
    """

    def __init__(
        self, url: str, vault: Vault, *, pool_size: int = 20, patience: float = PATIENT
    ) -> None:
        self.url = make_url(url)
        self.vault = vault
        self.on_sqlite = self.url.get_backend_name() == "sqlite"
        if self.on_sqlite:
            self.engine = sqlite_engine(self.url)
        else:
            self.engine = postgres_engine(self.url, pool_size, patience)
        self._writer = Writer(self.engine) if self.on_sqlite else None
        self._gatherings = None if self.on_sqlite else Gatherings(self.engine)
        self._endings: set[asyncio.Task[None]] = set()
        self._listening: list[list[str]] = []

    def write(self, *, together: bool = False) -> AbstractAsyncContextManager[Tx]:
        """A transaction that commits when the block ends and rolls back when it raises.

        ``together``: on SQLite it may share its commit with others that were waiting. For short
        ones, of which many come at once.
        """
        if self._writer is not None:
            return _Turn(self._writer, self.vault, self._listening, together=together)
        return self._write_beside()

    async def write_shared(self, work: Callable[[Tx], Awaitable[_Result]]) -> _Result:
        """What ``work`` returns, after the commit of what it wrote; many of these come at once.

        They may share a transaction and its commit. ``work`` may be called twice: nothing of the
        first time has happened then.
        """
        if self._gatherings is not None:
            with contextlib.suppress(Apart):
                return await self._work_in(self._gatherings, work)
        async with self.write(together=True) as tx:
            return await work(tx)

    async def _work_in(
        self, gatherings: Gatherings, work: Callable[[Tx], Awaitable[_Result]]
    ) -> _Result:
        seat = await gatherings.enter()
        try:
            tx = Tx(None, self.vault, seat, self._listening)
            result = await work(tx)
        except BaseException:
            seat.leave()
            raise
        await seat.finish()
        tx.committed()
        return result

    @contextlib.asynccontextmanager
    async def _write_beside(self) -> AsyncIterator[Tx]:
        transaction = PostgresTransaction(self.engine, BEGIN)
        tx = Tx(await transaction.open(), self.vault, transaction, self._listening)
        try:
            yield tx
        except BaseException as problem:
            await take_back(transaction, problem, self._endings)
            raise
        await commit(transaction, self._endings)
        tx.committed()

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """A consistent view; whatever is written in it is rolled back."""
        if self.on_sqlite:
            async with self.engine.connect() as conn:
                raw = await sqlite_connection(conn)
                raw.begin_with_next("BEGIN")
                yield Tx(conn, self.vault, raw, self._listening)
            return
        transaction = PostgresTransaction(self.engine, BEGIN_TO_READ)
        tx = Tx(await transaction.open(), self.vault, transaction, self._listening)
        try:
            yield tx
        except BaseException as problem:
            await take_back(transaction, problem, self._endings)
            raise
        await end_reading(transaction, self._endings)

    async def close(self) -> None:
        if self._gatherings is not None:
            await self._gatherings.close()
        while self._endings:
            await asyncio.wait(self._endings)
        if self._writer is not None:
            await self._writer.close()
        await self.engine.dispose()

    def count_statements(self) -> list[str]:
        """A list to which every SQL statement is added from now on, for the bench and its tests."""
        heard: list[str] = []

        def record(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            heard.append(statement)

        event.listen(self.engine.sync_engine, "before_cursor_execute", record)
        self._listening.append(heard)
        return heard


class _Turn(AbstractAsyncContextManager[Tx]):
    """A write transaction on SQLite."""

    __slots__ = ("_listening", "_raw", "_together", "_tx", "_vault", "_writer")

    def __init__(
        self, writer: Writer, vault: Vault, listening: Sequence[list[str]], *, together: bool
    ) -> None:
        self._writer = writer
        self._vault = vault
        self._listening = listening
        self._together = together

    async def __aenter__(self) -> Tx:
        conn, self._raw = await self._writer.enter(together=self._together)
        self._tx = Tx(conn, self._vault, self._raw, self._listening)
        return self._tx

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        _problem: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._writer.failed(self._raw)
            return
        await self._writer.succeeded(self._raw)
        self._tx.committed()

"""One way into the database: a transaction to read in, a transaction to write in."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import CursorResult, Executable, event, text
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.prepared import Prepared
from storage.sqlite import SqliteConnection, sqlite_connection, sqlite_engine, to_json
from storage.vault import Vault
from storage.writer import Writer

if TYPE_CHECKING:
    # A service on SQLite starts without it.
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert

APPLICATION: Final = "kinroom"
"""What PostgreSQL's ``pg_stat_activity`` calls our connections."""


class Tx:
    """One open transaction, and what queries need besides it.

    ``vault`` opens and seals columns. Callbacks given to :meth:`after_commit` run once the
    commit has succeeded, in the order given; they must not touch the database.
    """

    __slots__ = ("_after_commit", "_listening", "_sqlite", "conn", "vault")

    def __init__(
        self,
        conn: AsyncConnection,
        vault: Vault,
        sqlite: SqliteConnection | None = None,
        listening: Sequence[list[str]] = (),
    ) -> None:
        self.conn = conn
        self.vault = vault
        self._sqlite = sqlite
        self._listening = listening
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

    async def run(self, prepared: Prepared, given: Mapping[str, Any]) -> list[Any]:
        """The rows of a statement of the way in, with their columns as attributes."""
        if self._sqlite is None:
            result = await self.conn.execute(prepared.statement, given)
            return list(result) if result.returns_rows else []
        once = prepared.once or prepared.compile(self.conn.dialect)
        for heard in self._listening:
            heard.append(once.sql)
        return [once.row(row) for row in await self._sqlite.run_small(once.sql, once.values(given))]

    @property
    def on_postgres(self) -> bool:
        return self.conn.dialect.name == "postgresql"

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
    """

    def __init__(self, url: str, vault: Vault, *, pool_size: int = 10) -> None:
        self.url = make_url(url)
        self.vault = vault
        self.on_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = sqlite_engine(self.url) if self.on_sqlite else _engine(self.url, pool_size)
        self._writer = Writer(self.engine) if self.on_sqlite else None
        self._listening: list[list[str]] = []

    def write(self, *, together: bool = False) -> AbstractAsyncContextManager[Tx]:
        """A transaction that commits when the block ends and rolls back when it raises.

        ``together``: on SQLite it may share its commit with others that were waiting. For short
        ones, of which many come at once.
        """
        if self._writer is not None:
            return _Turn(self._writer, self.vault, self._listening, together=together)
        return self._write_beside()

    @contextlib.asynccontextmanager
    async def _write_beside(self) -> AsyncIterator[Tx]:
        async with self.engine.connect() as conn:
            tx = Tx(conn, self.vault)
            yield tx
            await conn.commit()
        tx.committed()

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """A consistent view; whatever is written in it is rolled back."""
        async with self.engine.connect() as conn:
            raw = None
            if self.on_sqlite:
                raw = await sqlite_connection(conn)
                raw.begin_with_next("BEGIN")
            else:
                await conn.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            yield Tx(conn, self.vault, raw, self._listening)

    async def close(self) -> None:
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


def _engine(url: URL, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        url,
        # By this name a restore finds out that somebody still works on the database.
        connect_args={"server_settings": {"application_name": APPLICATION}},
        json_serializer=to_json,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=False,
    )

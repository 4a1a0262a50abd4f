"""SQLite's one writer: transactions take turns, and those of updates share a commit."""

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import Coroutine
from typing import Any, Final

from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.engine.sqlite import SqliteConnection, as_sqlalchemy, sqlite_connection

MOST_TOGETHER: Final = 100
Held = tuple[AsyncConnection, SqliteConnection]


class Writer:
    """Turns at SQLite's one write transaction, in the order in which they were asked for.

    A commit waits for the disk, which costs more than all the rest of an update. So turns that
    are taken ``together``, and waited for one another, are savepoints of one transaction and end
    after its one commit. A turn that fails takes back only its own.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._held: Held | None = None
        self._queue: deque[tuple[asyncio.Future[None], bool]] = deque()
        self._uncommitted: list[asyncio.Future[None]] = []
        self._busy = False
        self._open = False  # there is something to commit
        self._sharing = False  # the turn now taken may commit with the next
        self._ends: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        while self._ends:
            await asyncio.wait(self._ends)
        if self._held is not None:
            await self._held[0].close()
            self._held = None

    async def enter(self, *, together: bool) -> Held:
        """Wait for the turn; it ends with :meth:`succeeded` or :meth:`failed`.

        ``together``: a short one, that may wait for others to commit with it.
        """
        if self._busy:
            mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._queue.append((mine, together))
            try:
                await mine
            except asyncio.CancelledError:
                if not mine.cancelled():
                    self._pass_on()  # the turn had come at the same moment
                raise
        self._busy = True
        self._sharing = together
        try:
            # Kept open between turns: checking it out anew costs as much as a statement.
            if self._held is None or self._held[0].invalidated:
                conn = await self._engine.connect()
                self._held = conn, await sqlite_connection(conn)
        except BaseException:
            self._pass_on()
            raise
        begin = () if self._open else ("BEGIN IMMEDIATE",)
        self._held[1].begin_with_next(*begin, "SAVEPOINT turn")
        return self._held

    def succeeded(self, raw: SqliteConnection) -> asyncio.Future[None]:
        """The turn is over; the future is done with its commit."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not raw.begun:
            done.set_result(None)
            self._pass_on()
        elif raw.in_transaction:
            raw.raw.execute("RELEASE turn")
            self._open = True
            self._uncommitted.append(done)
            self._pass_on()
        else:
            done.set_exception(_taken_back())
            self.failed(raw)
        return done

    def failed(self, raw: SqliteConnection) -> None:
        """The turn is over once its effects are taken back, which nobody needs to wait for."""
        self._end(self._take_back(raw))

    def _pass_on(self) -> None:
        """Give the turn to whoever is next; commit before, unless they commit together."""
        while self._queue and self._queue[0][0].done():
            self._queue.popleft()
        shared = self._sharing and bool(self._queue) and self._queue[0][1]
        if self._open and not (shared and len(self._uncommitted) < MOST_TOGETHER):
            self._end(self._commit())
        elif self._queue:
            self._queue.popleft()[0].set_result(None)
        else:
            self._busy = False

    def _end(self, ending: Coroutine[Any, Any, None]) -> None:
        # A task of its own: who asked for it may be cancelled, others wait for it as well.
        task = asyncio.create_task(ending)
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)

    async def _commit(self) -> None:
        assert self._held is not None
        conn, raw = self._held
        try:
            await raw.run(raw.raw.execute, "COMMIT")
            if conn.in_transaction():
                # Only SQLAlchemy's own note that one was begun.
                await conn.commit()
        except Exception as problem:  # noqa: BLE001  # whatever it is, nobody's turn has happened
            await self._lose(problem)
        else:
            self._tell(None)
        finally:
            self._open = False
            self._pass_on()

    async def _take_back(self, raw: SqliteConnection) -> None:
        try:
            # In the thread, behind what a cancelled turn may still have on its way there.
            stands = await raw.run(_roll_back, raw)
            if self._open and not stands:
                await self._lose(None)
            self._open = stands
        except Exception as problem:  # noqa: BLE001  # SQLAlchemy closes what is cancelled at work
            await self._lose(problem)
            self._open = False
        finally:
            self._pass_on()

    async def _lose(self, problem: Exception | None) -> None:
        """SQLite, or the disk, has ended the transaction with everything that was in it."""
        if isinstance(problem, sqlite3.Error):
            problem = as_sqlalchemy("COMMIT", problem)
        self._tell(problem if isinstance(problem, SQLAlchemyError) else _taken_back())
        if self._held is None:
            return
        (conn, raw), self._held = self._held, None
        with contextlib.suppress(Exception):
            if raw.in_transaction:
                await raw.run(raw.raw.execute, "ROLLBACK")
        with contextlib.suppress(Exception):
            # Back to the pool, which looks after it.
            await conn.close()

    def _tell(self, problem: Exception | None) -> None:
        """End everyone who waits for the commit."""
        together, self._uncommitted = self._uncommitted, []
        for done in together:
            if done.done():
                continue  # cancelled meanwhile
            if problem is None:
                done.set_result(None)
            else:
                done.set_exception(problem)


def _roll_back(raw: SqliteConnection) -> bool:
    """Take back the turn; whether there is a transaction still, of those before it."""
    if raw.begun and raw.in_transaction:
        raw.raw.execute("ROLLBACK TO turn")
        raw.raw.execute("RELEASE turn")
    return raw.in_transaction


def _taken_back() -> OperationalError:
    reason = sqlite3.OperationalError("SQLite has taken the whole transaction back")
    return OperationalError(None, None, reason)

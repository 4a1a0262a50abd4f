"""PostgreSQL's shared transactions: updates that come at once cross to it together."""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.engine.away import is_away
from storage.engine.postgres import BEGIN, PostgresTransaction
from storage.engine.prepared import CompiledOnce

MOST_TOGETHER: Final = 64
# While one waits for the server, the other thinks.
_AT_ONCE: Final = 3
# Taken back for the sake of others, such as a deadlock (PostgreSQL's appendix A).
_FOR_OTHERS: Final = "40"


class Apart(BaseException):
    """It must be done anew, in a transaction of its own; nothing of it has happened.

    No handler's ``except Exception`` may take it for its own.
    """


class Gatherings:
    """Seats in shared transactions, in the order in which they were asked for.

    A crossing to the server costs more than what it does there. So each of those who share a
    transaction goes on until it needs something of the database, and what they all need goes there
    in one crossing, as do their changes at the end. What one does is plain, and known: prepared
    statements. Whoever needs more does it apart, alone, and from the beginning.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._coming: deque[Seat] = deque()
        self._held: set[asyncio.Task[None]] = set()
        self._about_to = False

    async def close(self) -> None:
        while self._held:
            await asyncio.wait(self._held)

    async def enter(self) -> "Seat":
        """Wait for a seat; it ends with :meth:`Seat.finish` or :meth:`Seat.leave`."""
        seat = Seat(self._engine.dialect)
        self._coming.append(seat)
        if not self._about_to and len(self._held) < _AT_ONCE:
            # Whatever else was received together with this one comes along.
            self._about_to = True
            asyncio.get_running_loop().call_soon(self._begin)
        try:
            await seat.taken
        except asyncio.CancelledError:
            if seat.taken.done() and not seat.taken.cancelled():
                seat.leave()
            raise
        return seat

    def _begin(self) -> None:
        self._about_to = False
        while self._coming and len(self._held) < _AT_ONCE:
            count = min(len(self._coming), MOST_TOGETHER)
            seats = [self._coming.popleft() for _ in range(count)]
            task = asyncio.create_task(Gathering(self._engine, seats).hold())
            self._held.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._held.discard(task)
        self._begin()


class Seat:
    """One of those who share a transaction."""

    __slots__ = ("_later", "_touched", "dialect", "gathering", "taken")

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gathering: Gathering
        self._later: list[tuple[CompiledOnce, list[Any]]] = []
        self._touched = False

    async def take_turn(self, key: int) -> None:
        """As :meth:`storage.database.Tx.take_turn`."""
        await self.gathering.ask(None, key)

    async def run(self, once: CompiledOnce, given: Mapping[str, Any]) -> list[Any]:
        """The rows; a change that returns none waits for the end. Raises :class:`Apart`."""
        if not once.returns:
            self._later.append((once, once.values(given)))
            return []
        if not once.numbered or self._later:
            # Nor would it see what waits.
            raise Apart
        self._touched = self._touched or once.changes
        rows: list[Any] = await self.gathering.ask(once, given)
        return rows

    async def finish(self) -> None:
        """Wait for the commit. Raises what kept it from happening, or :class:`Apart`."""
        await self.gathering.finish(self._later)

    def leave(self) -> None:
        """Nothing of this one shall happen."""
        self.gathering.leave(touched=self._touched)


class Gathering:
    """One shared transaction."""

    def __init__(self, engine: AsyncEngine, seats: list[Seat]) -> None:
        self._transaction = PostgresTransaction(engine, BEGIN)
        self._seats = seats
        self._thinking = 0  # of the seats, those that may still ask
        self._quiet = asyncio.Event()
        self._asked: dict[CompiledOnce | None, list[tuple[Any, asyncio.Future[Any]]]] = {}
        self._waiting: set[asyncio.Future[Any]] = set()
        self._later: dict[CompiledOnce, list[list[Any]]] = {}
        self._finished: list[asyncio.Future[None]] = []
        self._over: BaseException | None = None

    async def hold(self) -> None:
        """From the first statement to the commit; never raises, all who take part are told."""
        try:
            await self._transaction.open()
            self._take_seats()
            while await self._anything_asked():
                await self._answer()
            # By statement, each in the order in which they came: an effect before its update.
            for once, rows in self._later.items():
                await self._transaction.run_many(once.sql, rows)
            await self._transaction.commit()
        except BaseException as problem:
            self._end(_as_told(problem))
            self._take_seats()
            await self._transaction.roll_back()
            if not isinstance(problem, Exception | Apart):
                raise
        else:
            for done in self._finished:
                if not done.done():
                    done.set_result(None)

    def _take_seats(self) -> None:
        seats, self._seats = self._seats, []
        for seat in seats:
            if not seat.taken.done():
                seat.gathering = self
                seat.taken.set_result(None)
                self._thinking += 1

    async def _anything_asked(self) -> bool:
        while self._thinking:
            self._quiet.clear()
            await self._quiet.wait()
        if self._over is not None:
            raise self._over
        return bool(self._asked)

    async def _answer(self) -> None:
        asked, self._asked = self._asked, {}
        for once, each in asked.items():
            if once is None:
                # In one order all over, so that no two wait for one another.
                keys = ",".join(str(key) for key in sorted({int(key) for key, _ in each}))
                turns = f"SELECT pg_advisory_xact_lock(k) FROM unnest('{{{keys}}}'::bigint[]) k"  # noqa: S608  # numbers
                await self._transaction.begin(turns)
                found: list[list[Any]] = [[] for _ in each]
            else:
                found = await self._run(once, [given for given, _ in each])
            for (_, future), rows in zip(each, found, strict=True):
                self._waiting.discard(future)
                if not future.done():
                    future.set_result(rows)
                    self._thinking += 1

    async def _run(self, once: CompiledOnce, each: list[Mapping[str, Any]]) -> list[list[Any]]:
        given = [once.values({**one, "number": number}) for number, one in enumerate(each)]
        found: list[list[Any]] = [[] for _ in each]
        for values in await self._transaction.run_each(once.sql, given):
            row = once.row(values)
            found[row.number].append(row)
        return found

    async def ask(self, once: CompiledOnce | None, given: Any) -> Any:
        if self._over is not None:
            raise self._over
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(once, []).append((given, future))
        self._waiting.add(future)
        self._think_no_more()
        try:
            return await future
        except asyncio.CancelledError:
            if future.cancelled():
                self._thinking += 1  # until it leaves, which it does next
            raise

    async def finish(self, later: list[tuple[CompiledOnce, list[Any]]]) -> None:
        if self._over is not None:
            self._think_no_more()
            raise self._over
        for once, values in later:
            self._later.setdefault(once, []).append(values)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._finished.append(done)
        self._think_no_more()
        await done

    def leave(self, *, touched: bool) -> None:
        if touched and self._over is None:
            # What it has changed goes back only with all the rest.
            self._end(Apart())
        self._think_no_more()

    def _think_no_more(self) -> None:
        self._thinking -= 1
        if self._thinking == 0:
            self._quiet.set()

    def _end(self, told: BaseException) -> None:
        self._over = self._over or told
        for future in self._waiting:
            if not future.done():
                future.set_exception(told)
                self._thinking += 1
        self._waiting.clear()
        for done in self._finished:
            if not done.done():
                done.set_exception(told)
        self._finished = []


def _as_told(problem: BaseException) -> BaseException:
    """What those who shared the transaction hear: one may be at fault, or none."""
    state = getattr(problem.orig, "sqlstate", None) if isinstance(problem, DBAPIError) else None
    if state is not None and state.startswith(_FOR_OTHERS):
        return Apart()
    return problem if is_away(problem) else Apart()

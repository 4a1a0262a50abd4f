"""The loop of roll calls: rounds asked again, ended in time, and everyone told how it ended."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from storage.database import Database
from storage.rhythm.rollcall_rounds import DueRollcall, write_next
from storage.rhythm.rollcalls import (
    begin_round,
    end_rollcall,
    is_rollcall_due,
    lock_due,
    set_next,
)

_log = structlog.get_logger(__name__)
_A_CHUNK: Final = 60.0
"""Seconds that a statement may take at most."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A roll call as the decision sees it. Times are UTC.

    ``asked``: how many rounds were begun; ``most``: how many may follow the first, one each
    ``every``. ``writing``: a round, or the summary, is not written to its end.
    """

    at: datetime
    closes_at: datetime
    every: timedelta
    most: int
    asked: int
    writing: bool
    ended: bool


@dataclass(frozen=True, slots=True)
class Write:
    """The next chunk is to be written."""


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Round ``asked`` begins; the first one counts."""

    asked: int


@dataclass(frozen=True, slots=True)
class End:
    """Its time is over."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is to be done before ``until``."""

    until: datetime


Decision = Write | AskAgain | End | Wait


def decide(case: Standing, now: datetime) -> Decision:
    """What comes next. A round whose time passed while nothing ran is not made up for: two at
    once would nag."""
    if case.ended:
        return Write()
    if now >= case.closes_at:
        return End()
    if case.writing:
        return Write()
    passed = min((now - case.at) // case.every, case.most)
    if passed >= case.asked:
        return AskAgain(passed + 1)
    if case.asked > case.most:
        return Wait(case.closes_at)
    return Wait(min(case.at + case.every * case.asked, case.closes_at))


def standing_of(due: DueRollcall) -> Standing:
    return Standing(
        at=due.at,
        closes_at=due.closes_at,
        every=timedelta(minutes=due.every),
        most=due.most,
        asked=due.asked,
        writing=due.written_to is not None,
        ended=due.ended_at is not None,
    )


async def carry_on_rollcalls(
    db: Database,
    clock: Callable[[], datetime],
    *,
    nudge: Callable[[], None] = lambda: None,
    going: Callable[[], bool] = lambda: True,
) -> int:
    """Do all that roll calls leave to be done, a chunk at a time; how many messages were written.

    Each step is a transaction of its own. Running it twice, late, or in two processes at once
    writes nothing twice.
    """
    total = 0
    async with db.read() as tx:
        if not await is_rollcall_due(tx, clock()):
            return 0
    while going():
        async with db.write() as tx:
            await tx.take_time(_A_CHUNK)
            now = clock()
            due = await lock_due(tx, now)
            if due is None:
                break
            written = 0
            match decide(standing_of(due), now):
                case Write():
                    written = await write_next(tx, due, now)
                case AskAgain(asked):
                    await begin_round(tx, due.id, asked)
                case End():
                    await end_rollcall(tx, due.id, by=None, now=now)
                    _log.info("a roll call is over", rollcall=due.id)
                case Wait(until):
                    await set_next(tx, due.id, until)
        total += written
        if written:
            nudge()
    return total

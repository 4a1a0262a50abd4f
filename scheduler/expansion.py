"""Broadcasts go on: written in chunks, called off in chunks, ended when nothing waits."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from storage.database import Database
from storage.outbox.running_broadcasts import cancel_next, end_finished, expand_next, find_work

_log = structlog.get_logger(__name__)

_IN_A_ROW: Final = 20
_A_CHUNK: Final = 60.0
"""Seconds that a statement may take at most."""


@dataclass(slots=True)
class Progress:
    """How many messages were written and called off, and how many broadcasts came to an end."""

    written: int = 0
    cancelled: int = 0
    ended: int = 0


async def carry_on(
    db: Database,
    clock: Callable[[], datetime],
    *,
    nudge: Callable[[], None] = lambda: None,
    going: Callable[[], bool] = lambda: True,
) -> Progress:
    """Do all that broadcasts leave to be done, a chunk at a time, while ``going``.

    Each chunk is a transaction of its own, after which others have their turn. It does not wait
    for the outbox to run empty: who is to get it is settled within a minute, and a lane that
    stands still, or is asleep, holds up nobody who is further down. Running it twice, late, or in
    two processes at once writes nothing twice.
    """
    done = Progress()
    async with db.read() as tx:
        if not await find_work(tx):
            return done
    more = True
    while more and going():
        more = await _call_off(db, clock, done, going) or await _write(
            db, clock, done, going, nudge
        )
    async with db.write() as tx:
        await tx.take_time(_A_CHUNK)
        done.ended = await end_finished(tx, clock())
    if done.written or done.cancelled or done.ended:
        _log.info(
            "broadcasts went on",
            written=done.written,
            cancelled=done.cancelled,
            ended=done.ended,
        )
    return done


async def _call_off(
    db: Database, clock: Callable[[], datetime], done: Progress, going: Callable[[], bool]
) -> bool:
    """Whether anything was called off."""
    before = done.cancelled
    while going():
        async with db.write() as tx:
            await tx.take_time(_A_CHUNK)
            cancelled = await cancel_next(tx, clock())
        done.cancelled += cancelled
        if not cancelled:
            break
    return done.cancelled > before


async def _write(
    db: Database,
    clock: Callable[[], datetime],
    done: Progress,
    going: Callable[[], bool],
    nudge: Callable[[], None],
) -> bool:
    """Write some chunks; whether there may be more. In between, what was stopped is called off."""
    for _ in range(_IN_A_ROW):
        if not going():
            break
        async with db.write() as tx:
            await tx.take_time(_A_CHUNK)
            written = await expand_next(tx, clock())
        if written is None:
            return False
        done.written += written
        if written:
            nudge()
    return True

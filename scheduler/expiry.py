"""What ends by itself: messages past their use, pauses, and rows kept long enough."""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from time import monotonic
from typing import Final

from storage.database import Database, Tx
from storage.outbox.messages import expire_due, note_stranded
from storage.outbox.partitions import Month, drop_months, make_months
from storage.outbox.past import find_finished, move_finished, prune_past
from storage.outbox.pruning import forget_invited_names, prune_intake
from storage.people.erasure import erase_without_purpose
from storage.rhythm.planning import resume_paused
from storage.rhythm.rollcall_views import prune_views

_AT_MOST: Final = 2.0
"""Seconds a tick gives to each of the things that may be many; the next tick goes on."""
_MOVING_AT_MOST: Final = 10.0
"""Enough for more than a thousand a second: they are moved faster than they come."""
_BATCH: Final = 5000
_BATCH_ON_SQLITE: Final = 500
"""There everyone waits for the one writer: a batch is a hundredth of a second."""
_ERASED: Final = 20
_AHEAD: Final = 20_000


async def end_what_is_over(
    db: Database,
    now: datetime,
    running: Collection[int],
    *,
    going: Callable[[], bool] = lambda: True,
) -> dict[str, int]:
    """One pass over everything that ends with time; ``{what: rows}``.

    Each batch is a transaction of its own, so that nobody waits long for the writer. Once it is
    not ``going`` any more no further batch is begun.
    """
    done: dict[str, int] = {}
    batch = _BATCH_ON_SQLITE if db.on_sqlite else _BATCH
    async with db.write() as tx:
        done["resumed"] = await resume_paused(tx, now)
        done["stranded"] = await note_stranded(tx, now, running)
        done["views"] = await prune_views(tx, now)
        done["unnamed"] = await forget_invited_names(tx, now)
    done["without purpose"] = await _repeat(
        db, going, lambda tx: erase_without_purpose(tx, now, _ERASED)
    )
    done["expired"] = await _repeat(db, going, lambda tx: expire_due(tx, now, batch))
    done["moved"] = await move_what_is_over(db, now, going=going)
    done["pruned"] = await _repeat(db, going, lambda tx: prune_past(tx, now, batch))
    done["forgotten"] = await _repeat(db, going, lambda tx: prune_intake(tx, now, batch))
    if not db.on_sqlite:
        done["months"] = len(await drop_months(db, now))
    return done


async def _repeat(
    db: Database, going: Callable[[], bool], step: Callable[[Tx], Awaitable[int]]
) -> int:
    """Until a step finds nothing more, or time is up."""
    done, until = 0, monotonic() + _AT_MOST
    while True:
        async with db.write() as tx:
            found = await step(tx)
        done += found
        if not found or monotonic() >= until or not going():
            return done


async def move_what_is_over(
    db: Database,
    now: datetime,
    *,
    at_most: float = _MOVING_AT_MOST,
    batch: int | None = None,
    going: Callable[[], bool] = lambda: True,
) -> int:
    """Move messages that finished an hour ago out of the outbox's way; how many.

    On PostgreSQL the tables of their months are made first, and of the month to come, while
    there is time to try again. What belongs to a month that cannot be made now stays.
    """
    batch = batch or (_BATCH_ON_SQLITE if db.on_sqlite else _BATCH)
    moved, until = 0, monotonic() + at_most
    since: datetime | None = None
    while True:
        async with db.read() as tx:
            found = await find_finished(tx, now, since, _AHEAD)
        ids = [delivery_id for delivery_id, _ in found]
        if found and not db.on_sqlite:
            months = [Month.of(at) for _, at in found]
            made = await make_months(db, {*months, Month.of(now).following()})
            ids = [it for it, month in zip(ids, months, strict=True) if month in made]
        before = moved
        for start in range(0, len(ids), batch):
            async with db.write() as tx:
                moved += await move_finished(tx, ids[start : start + batch])
            if monotonic() >= until or not going():
                return moved
        stuck = moved == before and found and found[-1][1] == since
        if len(found) < _AHEAD or stuck:
            return moved
        since = found[-1][1]

"""What ends by itself: messages past their use, pauses, and rows kept long enough."""

from collections.abc import Collection
from datetime import datetime

from storage.database import Database
from storage.outbox import expire_due, note_stranded, prune_finished
from storage.pruning import forget_invited_names, prune_intake
from storage.rhythm import resume_paused


async def end_what_is_over(db: Database, now: datetime, running: Collection[int]) -> dict[str, int]:
    """One pass over everything that ends with time; ``{what: rows}``.

    Each batch is a transaction of its own, so that nobody waits long for the writer.
    """
    done: dict[str, int] = {}
    async with db.write() as tx:
        done["resumed"] = await resume_paused(tx, now)
        done["stranded"] = await note_stranded(tx, now, running)
    for what, end in (
        ("expired", expire_due),
        ("pruned", prune_finished),
        ("forgotten", prune_intake),
        ("unnamed", forget_invited_names),
    ):
        async with db.write() as tx:
            done[what] = await end(tx, now)
    return done

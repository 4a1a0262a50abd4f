"""Telling officers of tasks: liaisons of those that opened, supervisors of those that lie."""

from datetime import datetime

from storage.database import Database
from storage.rhythm.clocks import may_tick
from storage.rhythm.digests import forget_lost, has_news, plan_digests
from storage.rhythm.tasks import raise_tasks


async def tell_officers(db: Database, now: datetime) -> int:
    """Raise what has lain for long enough, and write the digests that are due; how many.

    Whose night it is, is looked at when they leave.
    """
    async with db.write() as tx:
        if not await may_tick(tx):
            return 0
        await raise_tasks(tx, now)
        await forget_lost(tx)
        return await plan_digests(tx, now) if await has_news(tx) else 0

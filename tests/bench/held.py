"""Delivery while another connection holds a transaction open, on PostgreSQL.

What such a transaction could still see may not be swept away: index entries of all that has left
since stay where the claims look. The floor is the same delivery, undisturbed. Each takes
``BENCH_HELD_SECONDS``, 180 unless set.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from time import monotonic

from aiogram import Bot
from sqlalchemy import func, select, text

from bot.channels.telegram import telegram_abilities
from handlers.outgoing import Renderer
from locales.catalogs import Catalogs
from scheduler.delivery import Delivery
from scheduler.expiry import end_what_is_over
from storage.database import Database
from storage.models import Delivery as Message
from tests.bench.crowd import BOT_ID, gather_crowd, queue_broadcast
from tests.bench.databases import open_migrated, postgres_url
from tests.bench.figure import Figure
from tests.bench.instant import InstantSession

RATE = 800
SECONDS = int(os.environ.get("BENCH_HELD_SECONDS", "180"))
_NEAR_ENOUGH = 0.9
_CROWD = 20_000


async def measure(seconds: int = SECONDS) -> list[Figure]:
    with postgres_url() as url:
        if url is None:
            return []
        async with open_migrated(url) as db:
            area_id = await gather_crowd(db, datetime.now(UTC), _CROWD)
            free = await _rate_at_the_end(db, area_id, seconds)
            async with _held_open(db):
                held = await _rate_at_the_end(db, area_id, seconds)
    ratio = held / free
    return [
        Figure(
            f"delivery at {RATE}/s, a transaction held {seconds} s",
            "/s",
            held,
            free,
            ratio,
            bound=f"≥ {_NEAR_ENOUGH}",
            reached=ratio >= _NEAR_ENOUGH,
            note="the last third of the time; the floor is undisturbed",
        )
    ]


@contextlib.asynccontextmanager
async def _held_open(db: Database) -> AsyncIterator[None]:
    """Another connection's transaction, which has seen how everything was."""
    async with db.read() as tx:
        await tx.scalar(select(func.count()).select_from(Message))
        yield


async def _rate_at_the_end(db: Database, area_id: int, seconds: int) -> float:
    """Messages a second that left in the last third of ``seconds``."""
    await _queue(db, area_id, RATE * (seconds + 10) // _CROWD + 1)
    session = InstantSession()
    bot = Bot(f"{BOT_ID}:bench", session=session)
    abilities = {BOT_ID: telegram_abilities(RATE)}
    delivery = Delivery(db, {BOT_ID: bot}, abilities, Renderer(Catalogs(), abilities))
    await delivery.start()
    ticking = asyncio.create_task(_tick(db, delivery))
    try:
        await asyncio.sleep(seconds * 2 / 3)
        before, began = session.said, monotonic()
        await asyncio.sleep(seconds / 3)
        return (session.said - before) / (monotonic() - began)
    finally:
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
        await delivery.stop()
        async with db.write() as tx:
            await tx.execute(text("DELETE FROM delivery WHERE state = 'queued'"))


async def _queue(db: Database, area_id: int, times: int) -> None:
    """One broadcast that goes to the whole crowd ``times`` times: a single long queue."""
    await queue_broadcast(db, area_id, datetime.now(UTC))
    columns = "person_id, template, priority, urgent, lane, broadcast_id, not_before, expires_at"
    columns += ", state, attempts, created_at"
    async with db.write() as tx:
        await tx.execute(
            text(
                f"INSERT INTO delivery ({columns}, dedupe_key)"  # our own columns
                f" SELECT {columns}, dedupe_key || ':' || time"
                " FROM delivery, generate_series(2, :times) AS time"
                " WHERE broadcast_id = (SELECT max(id) FROM broadcast) ORDER BY time, id"
            ),
            {"times": times},
        )


async def _tick(db: Database, delivery: Delivery) -> None:
    """The clock's minute, ten seconds long."""
    while True:
        await asyncio.sleep(10)
        await end_what_is_over(db, datetime.now(UTC), delivery.running())

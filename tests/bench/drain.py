"""Draining the outbox through Telegram, every outcome committed.

The floor is aiogram's own loop: as many requests at a time, through its own session, to the same
server, and nothing is kept.
"""

import asyncio
import contextlib
import gc
import logging
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from pydantic import SecretStr
from sqlalchemy import func, select

from bot.service import Service, running
from bot.settings import Settings
from storage.models import Delivery
from storage.outbox.messages import QUEUED, SENDING
from tests.bench.crowd import BOT_ID, FIRST_CHAT, WORDS, gather_crowd, queue_broadcast
from tests.bench.databases import SECRET_KEY, open_migrated, postgres_url, sqlite_url
from tests.bench.figure import Figure
from tests.bench.service import free_port
from tests.bench.standin import stand_in

ROUNDS = 3
EACH = 50_000
AT_ONCE = 128  # as scheduler/delivery
TOKEN = f"{BOT_ID}:bench"
_FAST_FLOOR, _FAST = 1500, 1000


class Spent(NamedTuple):
    """Seconds: by the clock, and of the processor in this process."""

    wall: float
    cpu: float

    @classmethod
    def so_far(cls) -> "Spent":
        return cls(time.perf_counter(), time.process_time())

    @classmethod
    def since(cls, started: "Spent") -> "Spent":
        now = cls.so_far()
        return cls(now.wall - started.wall, now.cpu - started.cpu)


async def measure_sqlite(each: int = EACH) -> list[Figure]:
    with sqlite_url() as url:
        return await measure_drain(url, each)


async def measure_postgres(each: int = EACH) -> list[Figure]:
    with postgres_url() as url:
        return [] if url is None else await measure_drain(url, each)


async def measure_drain(url: str, each: int) -> list[Figure]:
    """On the database at ``url``, ``each`` messages a round."""
    bare: list[Spent] = []
    ours: list[Spent] = []
    with stand_in() as api, _quiet():
        async with draining(url, api, each) as (service, area_id):
            await _floor(api, each // 10)
            await drain(service, area_id)
            for _ in range(ROUNDS):
                bare.append(await _floor(api, each))
                ours.append(await drain(service, area_id))
            await _check_all_sent(service)
    return [_judge(url.partition("+")[0], each, bare, ours)]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What the service tells of its work is no part of the table."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@contextlib.asynccontextmanager
async def draining(url: str, api: str, count: int) -> AsyncIterator[tuple[Service, int]]:
    """The whole service on a crowd of ``count``, with ``api`` as its Telegram; the area's id."""
    async with open_migrated(url) as db:
        area_id = await gather_crowd(db, datetime.now(UTC), count)
    settings = Settings(
        _env_file=None,
        database_url=url,
        http_port=free_port(),
        secret_key=SecretStr(SECRET_KEY),
        telegram_token=SecretStr(TOKEN),
        telegram_api=api,
        telegram_rate=10_000,
        demo=False,
    )
    async with running(settings) as service:
        gc.collect()
        gc.freeze()  # as bot/cli/run does
        yield service, area_id


async def drain(service: Service, area_id: int) -> Spent:
    """From the commit of a broadcast until the last of its outcomes is committed."""
    db = service.opened.db
    await queue_broadcast(db, area_id, datetime.now(UTC))
    gc.collect()
    started = Spent.so_far()
    service.delivery.nudge()
    waiting = select(1).where(QUEUED).limit(1)
    under_way = select(1).where(SENDING).limit(1)
    while True:
        await asyncio.sleep(0.02)
        async with db.read() as tx:
            if await tx.scalar(waiting) is None and await tx.scalar(under_way) is None:
                return Spent.since(started)


async def _floor(api: str, count: int) -> Spent:
    """As many messages by aiogram alone."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(api), limit=AT_ONCE)
    chats = iter(range(FIRST_CHAT, FIRST_CHAT + count))
    async with Bot(TOKEN, session=session) as bot:
        gc.collect()
        started = Spent.so_far()
        await asyncio.gather(*(_send_some(bot, chats) for _ in range(AT_ONCE)))
        return Spent.since(started)


async def _send_some(bot: Bot, chats: Iterator[int]) -> None:
    for chat_id in chats:
        await bot.send_message(chat_id, WORDS)


async def _check_all_sent(service: Service) -> None:
    async with service.opened.db.read() as tx:
        other = await tx.scalar(select(func.count()).where(Delivery.state != "sent"))
    if other:
        raise RuntimeError(f"{other} messages of the drain were not sent")


def _judge(engine: str, each: int, bare: list[Spent], ours: list[Spent]) -> Figure:
    ratios = [theirs.wall / mine.wall for mine, theirs in zip(ours, bare, strict=True)]
    ratio = statistics.median(ratios)
    speed, floor = (each / statistics.median(one.wall for one in found) for found in (ours, bare))
    mine, theirs = (statistics.median(one.cpu for one in found) / each for found in (ours, bare))
    fast_enough = floor < _FAST_FLOOR or speed >= _FAST
    return Figure(
        f"drain of the outbox ({engine})",
        "/s",
        speed,
        floor,
        ratio,
        bound=f"≥ 1.0, and ≥ {_FAST:,}/s",
        reached=ratio >= 1.0 and fast_enough,
        note=f"ratio by round: {' '.join(f'{one:.2f}' for one in ratios)};"
        f" processor a message: {mine * 1000:.2f} ms, floor {theirs * 1000:.2f} ms",
    )

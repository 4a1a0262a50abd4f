"""The two ways in that are compared: bare aiogram's, and ours."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.methods import SendMessage
from aiogram.types import CallbackQuery, Message
from aiohttp import web
from sqlalchemy import Select, func, select

from bot.channels.telegram import telegram_abilities
from bot.intake import Intake
from bot.metrics import Metrics
from bot.polling import parse_update
from bot.replies import Replies
from bot.webhook import webhook_route
from bot.wiring import make_dispatcher
from handlers.links import Links
from locales.catalogs import Catalogs
from storage.database import Database
from storage.models import Intake as Journal
from tests.bench.instant import InstantSession
from tests.bench.population import BOT_ID

TOKEN = f"{BOT_ID}:bench"


class Floor:
    """aiogram as its first example has it: one handler, one message said."""

    def __init__(self) -> None:
        self.session = InstantSession()
        self.bot = Bot(TOKEN, session=self.session)
        self.dispatcher = Dispatcher()
        self.dispatcher.message()(_answer)
        self.dispatcher.callback_query()(_answer_tap)

    async def take(self, raw: dict[str, Any]) -> None:
        await self.dispatcher.feed_raw_update(self.bot, raw)


async def _answer(message: Message, bot: Bot) -> None:
    await bot(SendMessage(chat_id=message.chat.id, text="Got it."))


async def _answer_tap(tap: CallbackQuery, bot: Bot) -> None:
    await bot(SendMessage(chat_id=tap.from_user.id, text="Got it."))


class Ours:
    """The service's own parts, wired as the service wires them; only the session is instant."""

    def __init__(self, db: Database, session: InstantSession, bot: Bot, intake: Intake) -> None:
        self.db = db
        self.session = session
        self._bot = bot
        self._intake = intake

    async def take(self, raw: dict[str, Any]) -> None:
        """Returns after the commit; what is said then is heard by the session."""
        update = parse_update(self._bot, raw)
        assert update is not None
        await self._intake.take(self._bot, update)

    def route(self, secret: str) -> web.RouteDef:
        """The webhook, as the service has it."""
        return webhook_route(self._bot, self._intake, secret)

    async def forgotten(self) -> None:
        """Wait until the journal holds no reply: a moment after the last was sent."""
        held = select(func.count()).where(Journal.replies.is_not(None))
        while await self._ask(held):  # noqa: ASYNC110  # the journal tells nobody
            await asyncio.sleep(0.05)

    async def _ask(self, question: Select[int]) -> int:
        async with self.db.read() as tx:
            return int(await tx.scalar(question))


@contextlib.asynccontextmanager
async def our_way_in(db: Database) -> AsyncIterator[Ours]:
    session = InstantSession()
    bot = Bot(TOKEN, session=session)
    i18n = Catalogs()
    metrics = Metrics()
    channels = {BOT_ID: "telegram"}
    dispatcher = make_dispatcher(
        db,
        i18n,
        channels=channels,
        abilities={BOT_ID: telegram_abilities(30.0)},
        links=Links("http://127.0.0.1:8080", "kinroom_bot"),
        clock=_utc_now,
    )
    replies = Replies(db, {BOT_ID: bot}, metrics, channels, _utc_now)
    intake = Intake(db, dispatcher, replies, i18n, metrics, channels, _utc_now)
    await replies.start()
    try:
        yield Ours(db, session, bot, intake)
    finally:
        await replies.stop()


def _utc_now() -> datetime:
    return datetime.now(UTC)

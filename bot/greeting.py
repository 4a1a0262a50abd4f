"""Introducing ourselves to Telegram: its people see our commands, and we learn our name there."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError, TelegramNotFound, TelegramUnauthorizedError
from aiogram.types import BotCommand
from aiogram.utils.i18n import I18n
from sqlalchemy.exc import SQLAlchemyError

from bot.channels.telegram import introduce
from storage.database import Database
from storage.errors import Refused
from storage.installation import TELEGRAM_USERNAME, find_value, put_value

log: Final = structlog.get_logger(__name__)
PATIENCE = 4.0
RETRY = 30.0


class Greeting:
    """``username`` is the bot's, or as remembered while Telegram is out of reach.

    The service does not wait long for it: the web chat has people of its own.
    """

    def __init__(self, db: Database, bot: Bot, i18n: I18n) -> None:
        self._db = db
        self._bot = bot
        self._commands: dict[str | None, list[BotCommand]] = {
            language: [
                BotCommand(command="menu", description=i18n.gettext("Menu", locale=locale)),
            ]
            for language, locale in ((None, "en"), ("zh", "zh"))
        }
        self.username: str | None = None
        self.done = False

    async def try_now(self) -> None:
        """Raises :class:`storage.errors.Refused` when Telegram refuses the token."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._greet()
        except (TelegramUnauthorizedError, TelegramNotFound):
            raise Refused(
                "Telegram refuses the token: check KINROOM_TELEGRAM_TOKEN, or ask BotFather for it"
            ) from None
        except (TelegramAPIError, TimeoutError) as problem:
            log.warning(
                "Telegram cannot be reached; the web chat works, and Telegram is tried again",
                reason=type(problem).__name__,
            )
            async with self._db.read() as tx:
                self.username = await find_value(tx, TELEGRAM_USERNAME)

    async def try_on(self, known: Callable[[str], None]) -> None:
        """Keep trying, twice a minute; then tell the name."""
        while not self.done:
            await asyncio.sleep(RETRY)
            try:
                await self._greet()
            except (TelegramAPIError, SQLAlchemyError, OSError) as problem:
                log.warning("Telegram cannot be reached yet", reason=type(problem).__name__)
        known(self.username or "")

    async def _greet(self) -> None:
        self.username = await introduce(self._bot, self._commands)
        async with self._db.write() as tx:
            await put_value(tx, TELEGRAM_USERNAME, self.username)
        self.done = True

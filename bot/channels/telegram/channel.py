"""The Telegram channel: its bot, its abilities, and how it introduces itself."""

from typing import Any, Final

from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer

from bot.channels.telegram.session import TelegramSession
from handlers.abilities import Abilities

_TIMEOUT: Final = 30.0
_FREE_RATE: Final = 30.0


def telegram_bot(token: str, api: str) -> Bot:
    """A bot that speaks to the Bot API server at ``api``, a base URL without a trailing slash."""
    session = TelegramSession(api=TelegramAPIServer.from_base(api), timeout=_TIMEOUT)
    return Bot(token, session=session)


def telegram_abilities(rate: float) -> Abilities:
    """``rate``: messages a second this token may send in bulk; beyond 30 Telegram charges Stars."""
    return Abilities(
        can_push=True,
        can_edit=True,
        max_buttons=100,
        max_text=4096,
        rate=rate,
        paid=rate > _FREE_RATE,
    )


async def introduce(bot: Bot, commands: dict[str | None, list[Any]]) -> str:
    """Name the commands people may see, by language (``None``: the others); the bot's username.

    Raises aiogram's exceptions.
    """
    me = await bot.get_me()
    for language, listed in commands.items():
        await bot.set_my_commands(listed, language_code=language)
    return me.username or ""

"""The Telegram channel: aiogram's own session, with its errors made fit for the rest."""

from typing import Any, Final

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import ClientDecodeError, TelegramNetworkError
from aiogram.methods import TelegramMethod
from aiogram.methods.base import TelegramType

from handlers.abilities import Abilities

_TIMEOUT: Final = 30.0


class TelegramSession(AiohttpSession):
    """Network errors name the address they failed on, and in it stands the token.

    An answer that is none of Telegram's, such as a proxy's page, is an error of the network.
    """

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[TelegramType],
        timeout: int | None = None,  # noqa: ASYNC109  # aiogram's signature
    ) -> TelegramType:
        try:
            return await super().make_request(bot, method, timeout)
        except TelegramNetworkError as problem:
            if bot.token not in problem.message:
                raise
            clean = type(problem)(problem.method, problem.message.replace(bot.token, "…"))
            raise clean from problem.__cause__
        except ClientDecodeError as problem:
            raise TelegramNetworkError(method, "the answer is none of Telegram's") from problem


def telegram_bot(token: str, api: str) -> Bot:
    """A bot that speaks to the Bot API server at ``api``, a base URL without a trailing slash."""
    session = TelegramSession(api=TelegramAPIServer.from_base(api), timeout=_TIMEOUT)
    return Bot(token, session=session)


def telegram_abilities(rate: float) -> Abilities:
    """``rate``: messages a second this token may send in bulk."""
    return Abilities(can_push=True, can_edit=True, max_buttons=100, max_text=4096, rate=rate)


async def introduce(bot: Bot, commands: dict[str | None, list[Any]]) -> str:
    """Name the commands people may see, by language (``None``: the others); the bot's username.

    Raises aiogram's exceptions.
    """
    me = await bot.get_me()
    for language, listed in commands.items():
        await bot.set_my_commands(listed, language_code=language)
    return me.username or ""

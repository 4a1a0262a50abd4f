"""aiogram's session, but what a form need not carry goes as JSON, and is read no more than used."""

import errno
import json
from functools import cache
from typing import Any, Final, cast

import aiohttp
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import ClientDecodeError, TelegramNetworkError
from aiogram.methods import TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import Message
from yarl import URL

from bot.channels.telegram.parameters import NotPlain, as_json
from bot.channels.telegram.taken import taken_message
from scheduler.outcomes import NotSent

MOST: Final = 200
"""Connections. Not below the deliveries in flight, or they would wait for each other."""
_AS_JSON: Final = {"Content-Type": "application/json"}
_MESSAGES: Final = (Message, Message | bool)
_NEVER_LEFT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientConnectionResetError,  # a kept connection that had ended before the first byte
    aiohttp.InvalidURL,
)


class TelegramSession(AiohttpSession):
    """A send costs half of what it does by aiogram, and means the same.

    Files, and whatever else has no place in JSON, go aiogram's way. All errors are aiogram's:
    :class:`TelegramNetworkError` where no answer came, or none of Telegram's, such as a proxy's
    page; :class:`NotSent` where nothing has left. The token, which stands in every address, is in
    none of them.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(limit=MOST, **options)
        self._connector_init["ttl_dns_cache"] = 300
        self._addresses: dict[tuple[str, str], URL] = {}

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[TelegramType],
        timeout: int | None = None,  # noqa: ASYNC109  # aiogram's signature
    ) -> TelegramType:
        try:
            body = as_json(bot, method)
        except (NotPlain, ValueError):
            return await self._make_with_form(bot, method, timeout)
        session = await self.create_session()
        try:
            async with session.post(
                self._address(bot.token, method.__api_method__),
                data=body,
                headers=_AS_JSON,
                timeout=_patience(self.timeout if timeout is None else timeout),
            ) as answer:
                raw = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise _error(bot, method, problem) from problem
        return self._read(bot, method, answer.status, raw)

    def _address(self, token: str, name: str) -> URL:
        address = self._addresses.get((token, name))
        if address is None:
            address = URL(self.api.api_url(token=token, method=name))
            self._addresses[token, name] = address
        return address

    def _read(
        self, bot: Bot, method: TelegramMethod[TelegramType], status: int, raw: bytes
    ) -> TelegramType:
        try:
            text = raw.decode()
            said = json.loads(text) if status == 200 else None
            if isinstance(said, dict) and said.get("ok") is True:
                result = said.get("result")
                if result is True and method.__returning__ is not Message:
                    return cast("TelegramType", result)
                if (
                    method.__returning__ in _MESSAGES
                    and isinstance(result, dict)
                    and type(result.get("message_id")) is int
                ):
                    return cast("TelegramType", taken_message(result, bot))
            response = self.check_response(bot, method, status, text)
        except (ClientDecodeError, ValueError) as problem:
            raise TelegramNetworkError(method, "the answer is none of Telegram's") from problem
        return cast("TelegramType", response.result)

    async def _make_with_form(
        self, bot: Bot, method: TelegramMethod[TelegramType], seconds: int | None
    ) -> TelegramType:
        try:
            return await super().make_request(bot, method, seconds)
        except TelegramNetworkError as problem:
            raise _error(bot, method, problem.__cause__ or problem) from problem.__cause__
        except ClientDecodeError as problem:
            raise TelegramNetworkError(method, "the answer is none of Telegram's") from problem

    async def close(self) -> None:
        if self.api.base.startswith("https:"):
            await super().close()
        elif self._session is not None:
            # Without aiogram's pause for TLS.
            await self._session.close()


@cache
def _patience(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds)


def _error(bot: Bot, method: TelegramMethod[Any], problem: BaseException) -> TelegramNetworkError:
    """aiogram's error, without the token that aiohttp's words may quote."""
    # A write to a connection that the other end has reset: none of it was taken.
    refused = isinstance(problem, OSError) and problem.errno == errno.EPIPE
    error = NotSent if refused or isinstance(problem, _NEVER_LEFT) else TelegramNetworkError
    if isinstance(problem, TimeoutError):
        return error(method, "Request timeout error")
    return error(method, f"{type(problem).__name__}: {problem}".replace(bot.token, "…"))

"""aiogram's session, but what a form need not carry goes a shorter way, as JSON."""

import json
from typing import Any, Final, cast
from urllib.parse import urlsplit

import aiohttp
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import ClientDecodeError, TelegramNetworkError
from aiogram.methods import TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import Message

from bot.channels.telegram.lines import MOST, LineLost, Lines, NoLine
from bot.channels.telegram.parameters import NotPlain, as_json
from bot.channels.telegram.taken import taken_message
from scheduler.outcomes import NotSent

_MESSAGES: Final = (Message, Message | bool)


class TelegramSession(AiohttpSession):
    """A send costs a quarter of what it does by aiogram, and means the same.

    Files, and whatever else has no place in JSON, go aiogram's way. All errors are aiogram's:
    :class:`TelegramNetworkError` where no answer came, or none of Telegram's, such as a proxy's
    page; :class:`NotSent` where nothing has left. The token, which stands in every address, is in
    none of them.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(limit=MOST, **options)
        self._lines: Lines | None = None
        self._heads: dict[tuple[str, str], bytes] = {}

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
        head = self._heads.get((bot.token, method.__api_method__))
        if head is None:
            head = self._open_head(bot.token, method.__api_method__)
        assert self._lines is not None
        try:
            status, raw = await self._lines.ask(
                b"%b%d\r\n\r\n%b" % (head, len(body), body),
                self.timeout if timeout is None else timeout,
            )
        except NoLine as problem:
            raise NotSent(method, _words(problem)) from problem.__cause__
        except LineLost as problem:
            raise TelegramNetworkError(method, _words(problem)) from problem.__cause__
        return self._read(bot, method, status, raw)

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

    def _open_head(self, token: str, name: str) -> bytes:
        """What every request of this method begins with, up to the length of its body."""
        url = urlsplit(self.api.api_url(token=token, method=name))
        tls = self._connector_init["ssl"] if url.scheme == "https" else None
        if self._lines is None:
            host = url.hostname or ""
            self._lines = Lines(host, url.port or (443 if tls else 80), tls)
        head = (
            f"POST {url.path}{'?' + url.query if url.query else ''} HTTP/1.1\r\n"
            f"Host: {url.netloc.rpartition('@')[2]}\r\n"
            f"User-Agent: {aiohttp.http.SERVER_SOFTWARE}\r\n"
            "Accept: application/json\r\n"
            "Content-Type: application/json\r\n"
            "Content-Length: "
        ).encode()
        self._heads[token, name] = head
        return head

    async def _make_with_form(
        self, bot: Bot, method: TelegramMethod[TelegramType], seconds: int | None
    ) -> TelegramType:
        try:
            return await super().make_request(bot, method, seconds)
        except TelegramNetworkError as problem:
            if bot.token not in problem.message:
                raise
            clean = type(problem)(problem.method, problem.message.replace(bot.token, "…"))
            raise clean from problem.__cause__
        except ClientDecodeError as problem:
            raise TelegramNetworkError(method, "the answer is none of Telegram's") from problem

    async def create_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            # aiogram would close what is open, to begin with.
            self._should_reset_connector = False
        return await super().create_session()

    async def close(self) -> None:
        self._heads.clear()
        if self._lines is not None:
            lines, self._lines = self._lines, None
            await lines.close()
        if self._session is not None and self.api.base.startswith("https:"):
            await super().close()
        elif self._session is not None:
            # Without aiogram's pause for TLS.
            await self._session.close()


def _words(problem: Exception) -> str:
    """Of the cause, which names an address at most, never what was sent there."""
    cause = problem.__cause__
    if isinstance(cause, TimeoutError):
        return "Request timeout error"
    return f"{type(cause).__name__}: {cause}"

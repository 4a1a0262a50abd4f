"""Taps on inline buttons that wait for the bot's answer."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import bad_request

if TYPE_CHECKING:
    from .account import BotAccount
    from .message import Message
    from .user import User


@dataclass(frozen=True)
class CallbackAnswer:
    """What the person sees after a tap: nothing, a toast, or an alert."""

    text: str = ""
    show_alert: bool = False
    url: str | None = None
    cache_time: int = 0


@dataclass(eq=False)
class Tap:
    """One callback query; `answer` is set once the bot has answered it."""

    id: str
    user: User
    message: Message
    opened_at: float  # seconds of the event loop's clock
    answer: asyncio.Future[CallbackAnswer]

    async def answered(self, timeout: float = 20.0) -> CallbackAnswer:  # noqa: ASYNC109
        """The bot's answer. Raises TimeoutError."""
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(self.answer)
        except TimeoutError:
            raise TimeoutError(f"no answer to the tap on {self.message} in {timeout} s") from None


class Callbacks:
    """Open callback queries. A query can be answered once, and for `lifetime` seconds."""

    def __init__(self, lifetime: float = 60.0) -> None:
        self.lifetime = lifetime
        self._open: dict[str, Tap] = {}

    def open(self, user: User, message: Message) -> Tap:
        loop = asyncio.get_running_loop()
        number = str(random.getrandbits(62) | 1 << 61)
        tap = Tap(number, user, message, loop.time(), loop.create_future())
        self._open[number] = tap
        return tap

    def close(self, query_id: str, bot: BotAccount, answer: CallbackAnswer) -> None:
        """Answer a query. Raises ApiError 400 if it is unknown, answered, another's or old."""
        tap = self._open.get(query_id)
        old = tap is not None and asyncio.get_running_loop().time() - tap.opened_at > self.lifetime
        if tap is None or old or tap.message.sender is not bot:
            raise bad_request(
                "query is too old and response timeout expired or query ID is invalid"
            )
        del self._open[query_id]
        tap.answer.set_result(answer)

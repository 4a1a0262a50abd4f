"""A flood from one chat is slowed to what a person can write."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiogram import BaseMiddleware
from aiogram.dispatcher.middlewares.user_context import EVENT_CONTEXT_KEY, EventContext
from aiogram.enums import ChatType
from aiogram.methods import AnswerCallbackQuery, SendMessage, TelegramMethod
from aiogram.types import TelegramObject, Update
from aiogram.utils.i18n import I18n

from bot.middlewares.transaction import Handler, Taken
from locales.catalogs import match_language

log: Final = structlog.get_logger(__name__)
BURST: Final = 30
A_SECOND: Final = 1.0
BACKLOG: Final = 300
SLOWED: Final = 0.1
_CHATS: Final = 50_000


@dataclass(slots=True)
class _Bucket:
    """``left`` at the time ``at``: below 0, what the chat wrote ahead of its time."""

    left: float
    at: float
    told: bool = False


class Throttle(BaseMiddleware):
    """A bucket of 30 updates a chat, refilled by one a second.

    A private chat that overflows it is slowed, not cut: what has piled up while the service was
    away is all handled, in order, ten a second, since the intake holds the chat's next one back.
    So of the hundred updates that are fetched at a time, whose offset waits for the last, one
    chat holds up the others by ten seconds at most. Only who is 300 ahead is refused until that
    has passed; they are told once, and again only after the bucket has been full.

    In a group, where many write, nothing is held up and nobody is told: what overflows is passed
    over.
    """

    def __init__(
        self,
        i18n: I18n,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._i18n = i18n
        self._clock = clock
        self._pause = pause
        self._buckets: OrderedDict[tuple[int, int], _Bucket] = OrderedDict()

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        where: EventContext = data[EVENT_CONTEXT_KEY]
        if where.chat is None:
            return await handler(event, data)
        private = where.chat.type == ChatType.PRIVATE
        bucket = self._refill((data["bot"].id, where.chat.id))
        if bucket.left < (1 - BACKLOG if private else 1):
            return self._refuse(bucket, event, where) if private else Taken()
        bucket.left -= 1
        if bucket.left < 0:
            await self._pause(SLOWED)
        return await handler(event, data)

    def _refill(self, key: tuple[int, int]) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.pop(key, None) or _Bucket(float(BURST), now)
        self._buckets[key] = bucket
        if len(self._buckets) > _CHATS:
            self._buckets.popitem(last=False)
        bucket.left = min(float(BURST), bucket.left + (now - bucket.at) * A_SECOND)
        bucket.at = now
        if bucket.left >= BURST:
            bucket.told = False
        return bucket

    def _refuse(self, bucket: _Bucket, event: TelegramObject, where: EventContext) -> Taken:
        if bucket.told or where.chat is None:
            return Taken()
        bucket.told = True
        log.warning("a chat writes too much; what comes is passed over until it stops")
        spoken = where.user.language_code if where.user is not None else None
        language = match_language(spoken) or self._i18n.default_locale
        text = self._i18n.gettext(
            "That was a lot at once. Please wait a minute and send the last part again.",
            locale=language,
        )
        says: list[TelegramMethod[Any]] = [SendMessage(chat_id=where.chat.id, text=text)]
        if isinstance(event, Update) and event.callback_query is not None:
            # Or the button would go on waiting.
            says.insert(0, AnswerCallbackQuery(callback_query_id=event.callback_query.id))
        return Taken(says)

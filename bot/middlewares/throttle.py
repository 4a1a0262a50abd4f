"""A flood from one chat is slowed to what a person can write."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from aiogram import BaseMiddleware
from aiogram.dispatcher.middlewares.user_context import EVENT_CONTEXT_KEY, EventContext
from aiogram.methods import SendMessage
from aiogram.types import TelegramObject
from aiogram.utils.i18n import I18n

from bot.middlewares.transaction import Handler, Taken
from locales.catalogs import match_language

BURST: Final = 30
A_SECOND: Final = 1.0
_CHATS: Final = 50_000


class Throttle(BaseMiddleware):
    """A bucket of 30 updates a chat, refilled by one a second. What overflows is not handled:

    the person is told once to send it again, and no more until the bucket has room.
    """

    def __init__(self, i18n: I18n, clock: Callable[[], float] = time.monotonic) -> None:
        self._i18n = i18n
        self._clock = clock
        self._buckets: OrderedDict[tuple[int, int], tuple[float, float, bool]] = OrderedDict()

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        where: EventContext = data[EVENT_CONTEXT_KEY]
        if where.chat is None:
            return await handler(event, data)
        key = (data["bot"].id, where.chat.id)
        now = self._clock()
        left, at, told = self._buckets.pop(key, (float(BURST), now, False))
        left = min(float(BURST), left + (now - at) * A_SECOND)
        full = left < 1.0
        self._buckets[key] = (left if full else left - 1.0, now, full)
        if len(self._buckets) > _CHATS:
            self._buckets.popitem(last=False)
        if not full:
            return await handler(event, data)
        if told:
            return Taken()
        spoken = where.user.language_code if where.user is not None else None
        language = match_language(spoken) or self._i18n.default_locale
        text = self._i18n.gettext(
            "That was a lot at once. Please wait a minute and send the last part again.",
            locale=language,
        )
        return Taken([SendMessage(chat_id=where.chat.id, text=text)])

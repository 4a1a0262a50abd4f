"""Whatever a worker writes or taps is a sign of life."""

from typing import Any

from aiogram import BaseMiddleware
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import TelegramObject, Update

from bot.middlewares.transaction import Handler
from storage.people.who import Who
from storage.register.contacts import record_heard
from storage.talk.dialogs import Conversation


class Heard(BaseMiddleware):
    """Notes the contact that no handler noted in its own words (design §4: any message counts)."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        says = await handler(event, data)
        who: Who | None = data.get("who")
        conversation: Conversation | None = data.get("conversation")
        if (
            who is not None
            and conversation is not None
            and conversation.known
            and not conversation.heard
            and isinstance(event, Update)
            and _is_word(event, says)
        ):
            await record_heard(data["tx"], who, data["now"], kind="message", outcome="message")
        return says


def _is_word(event: Update, says: Any) -> bool:
    """A message is; so is a tap, unless all it got was a word that it does nothing."""
    tapped = event.callback_query is not None and not isinstance(says, AnswerCallbackQuery)
    return event.message is not None or tapped

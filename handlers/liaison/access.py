"""Who the liaison's side is for, and what happens before each of its tasks."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiogram import BaseMiddleware
from aiogram.filters import Filter
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, TelegramObject

from handlers.liaison.callbacks import CallDraftTap, DraftTap
from storage.database import Tx
from storage.people.who import Who
from storage.register.contacts import record_heard


class IsOfficer(Filter):
    """Someone known, with a duty that stands."""

    async def __call__(self, event: TelegramObject, who: Who | None = None) -> bool:
        return who is not None and who.is_officer


_OF_DRAFTS = tuple(f"{tap.__prefix__}{tap.__separator__}" for tap in (DraftTap, CallDraftTap))
Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class LeaveDraft(BaseMiddleware):
    """A tap on anything else leaves what was being written, so that no later word is sent as it."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        mine = isinstance(event, CallbackQuery) and (event.data or "").startswith(_OF_DRAFTS)
        if not mine and data.get("raw_state") is not None:
            state: FSMContext = data["state"]
            await state.clear()
        return await handler(event, data)


class OwnWord(BaseMiddleware):
    """An officer who is a worker too was heard from, whatever they tapped or wrote."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        tx: Tx = data["tx"]
        who: Who = data["who"]
        now: datetime = data["now"]
        await record_heard(tx, who, now, kind="message", outcome="message")
        return await handler(event, data)

"""A question with buttons also takes words: its buttons are remembered until it is answered.

No dialog waits for them, so every other word means what it always does.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from aiogram import BaseMiddleware
from aiogram.fsm.context import FSMContext
from aiogram.methods import EditMessageText, SendMessage
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, TelegramObject
from aiogram.utils.i18n import gettext as _

from handlers.keyboards import button

_STANDS: Final = timedelta(hours=1)
_KEY: Final = "asked"
_OURS: Final = "md:"
_OTHERS_WAIT: Final = frozenset({"kin", "area"})
"""What the conversation holds while a name is owed: it must not be lost."""
_GIVES_WAY: Final = frozenset({None, "Telling:name", "Telling:place", "Telling:topic_day"})
"""Dialogs that a later question ends; a call for help and an officer's draft wait longer."""

_LONGEST: Final = 24
_SOMETHING_ELSE: Final = re.compile(r"[?？]|我|吗|怎么|救命|\b(i|me|my|help)\b", re.IGNORECASE)


class TakesWords(BaseMiddleware):
    """Remember the buttons of what a handler shows, so that words may answer it."""

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        says = await handler(event, data)
        state: FSMContext = data["state"]
        page = _page_of(says)
        if page is not None:
            await remember(state, page, data["now"])
        return says


def _page_of(says: Any) -> InlineKeyboardMarkup | None:
    """The last buttons shown, if they are of those that words may stand for."""
    shown = [
        each.reply_markup
        for each in (says if isinstance(says, Sequence) else [says])
        if isinstance(each, EditMessageText | SendMessage)
        and isinstance(each.reply_markup, InlineKeyboardMarkup)
    ]
    if shown and any(data.startswith(_OURS) for data in data_of(shown[-1])):
        return shown[-1]
    return None


def data_of(page: InlineKeyboardMarkup) -> list[str]:
    """What its buttons carry."""
    return [each.callback_data or "" for row in page.inline_keyboard for each in row]


async def remember(
    state: FSMContext, page: InlineKeyboardMarkup, now: datetime, *, again: bool = False
) -> None:
    """From here on words may stand for these buttons; ``again``: they were asked for once more."""
    held = await state.get_data()
    if await state.get_state() not in _GIVES_WAY or not _OTHERS_WAIT.isdisjoint(held):
        return
    rows = [[(each.text, each.callback_data) for each in row] for row in page.inline_keyboard]
    until = (now + _STANDS).isoformat()
    await state.set_state(None)
    await state.set_data({_KEY: {"rows": rows, "until": until, "again": again}})


async def asked(state: FSMContext, now: datetime) -> tuple[InlineKeyboardMarkup, bool] | None:
    """The buttons that words may stand for, and whether they were asked for once more."""
    held = (await state.get_data()).get(_KEY)
    if held is None or now >= datetime.fromisoformat(held["until"]):
        return None
    rows: list[list[InlineKeyboardButton]] = [
        [button(text, data) for text, data in row] for row in held["rows"]
    ]
    return InlineKeyboardMarkup(inline_keyboard=rows), held["again"]


def or_once_more() -> str:
    """How to have what was no answer passed on all the same."""
    return _("If it was meant for your liaison, just write it once more.")


def is_something_else(text: str) -> bool:
    """Whether it reads like something to tell a liaison, rather than an answer gone wrong."""
    return len(text) > _LONGEST or _SOMETHING_ELSE.search(text) is not None

"""Words in the place of a button: they go the way of the tap; if unclear, it is asked once more."""

import re
from datetime import datetime
from typing import Any, Final

from aiogram import F, Router
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.filters import Filter, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.methods import AnswerCallbackQuery, TelegramMethod
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _

from handlers.say import Says, say
from handlers.worker import clock, leave, quiet, rhythm
from handlers.worker.access import known
from handlers.worker.typed import asked, data_of, is_something_else, or_once_more, remember
from handlers.worker.typed_choice import choose
from storage.database import Tx
from storage.people.who import Who
from storage.register.contacts import record_heard

router = Router(name="typed")
unclear = Router(name="typed_unclear")
_ALSO_A_PAUSE: Final = ("md:pause:", "md:resume")
"""These record what was heard themselves."""


class Chosen(Filter):
    """What is written means one of the buttons; the answer to somebody's message is for them."""

    async def __call__(
        self, message: Message, state: FSMContext, now: datetime
    ) -> bool | dict[str, Any]:
        if message.text is None or message.reply_to_message is not None:
            return False
        question = await asked(state, now)
        chosen = None if question is None else choose(message.text, question[0], now)
        return False if chosen is None else {"chosen": chosen}


class Unclear(Filter):
    """Short words after a question that mean none of its buttons, for the first time."""

    async def __call__(
        self, message: Message, state: FSMContext, now: datetime
    ) -> bool | dict[str, Any]:
        text = message.text or ""
        if is_something_else(text) or message.reply_to_message is not None:
            return False
        question = await asked(state, now)
        if question is None or question[1]:
            return False
        example = _example(data_of(question[0]), now)
        return False if example is None else {"page": question[0], "example": example}


def _example(offered: list[str], now: datetime) -> str | None:
    """How one might write the answer; ``None`` where the page asks nothing."""
    for begins, example in (
        ("md:zone:", now.strftime("%H:%M")),
        ("md:clock:", now.strftime("%H:%M")),
        ("md:pause:", _("Two weeks")),
        ("md:quiet:", "12:00-13:00"),
    ):
        if any(data.startswith(begins) for data in offered):
            return example
    return "20:00" if any(re.fullmatch(r"md:hour:\d+", data) for data in offered) else None


@router.message(known, StateFilter(None), F.text, ~F.text.startswith("/"), Chosen())
async def take(message: Message, chosen: str, tx: Tx, who: Who, now: datetime, **rest: Any) -> Says:
    """As if the button were tapped."""
    if message.from_user is None:
        return None
    if not chosen.startswith(_ALSO_A_PAUSE):
        await record_heard(tx, who, now, kind="message", outcome="data")
    tapped = CallbackQuery(id="", from_user=message.from_user, chat_instance="", data=chosen)
    for taken_by in (leave.router, rhythm.router, quiet.router, clock.router):
        says = await taken_by.propagate_event(
            "callback_query", tapped, **rest | {"tx": tx, "who": who, "now": now}
        )
        if says is not UNHANDLED:
            return _said(message.chat.id, says)
    return None


def _said(chat_id: int, says: Says) -> Says:
    """There is no button whose waiting would end: a word on it is a message."""
    said: list[TelegramMethod[Any]] = []
    for each in [says] if isinstance(says, TelegramMethod) else says or []:
        if not isinstance(each, AnswerCallbackQuery):
            said.append(each)
        elif each.text is not None:
            said.append(say(chat_id, each.text))
    return said


@unclear.message(known, StateFilter(None), F.text, ~F.text.startswith("/"), Unclear())
async def ask_again(
    message: Message,
    page: InlineKeyboardMarkup,
    example: str,
    tx: Tx,
    who: Who,
    state: FSMContext,
    now: datetime,
) -> Says:
    await record_heard(tx, who, now, kind="message", outcome="data")
    await remember(state, page, now, again=True)
    lines = [
        _("I couldn't tell which you mean. Tap one of these, or write it: {example}.").format(
            example=example
        ),
        or_once_more(),
    ]
    return say(message.chat.id, "\n".join(lines), page)

"""A one-time link into the console."""

from datetime import datetime

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.methods import AnswerCallbackQuery, SendMessage
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
)
from aiogram.utils.i18n import gettext as _

from handlers.liaison.callbacks import TaskTap
from handlers.liaison.keyboards import menu_row
from handlers.liaison.show import Page, chat_of
from handlers.liaison.words import Asks
from handlers.links import Links
from storage.database import Tx
from storage.people.logins import LINK_LIFETIME, make_login_link
from storage.people.who import Who

router = Router(name="liaison.console_link")


@router.message(StateFilter(None), Asks("console"))
@router.callback_query(TaskTap.filter(F.task == "console"))
async def send_console_link(
    event: Message | CallbackQuery, tx: Tx, who: Who, now: datetime, links: Links
) -> Page:
    token = await make_login_link(tx, who.person_id, now)
    minutes = int(LINK_LIFETIME.total_seconds() // 60)
    said = SendMessage(
        chat_id=chat_of(event),
        text=_(
            "This opens the console on this device, once, within {n} minutes. "
            "It is for you alone, so please don't pass it on."
        ).format(n=minutes),
        reply_markup=InlineKeyboardMarkup(
            inline_keyboard=[
                [InlineKeyboardButton(text=_("Open the console"), url=links.console(token))],
                menu_row(),
            ]
        ),
        link_preview_options=LinkPreviewOptions(is_disabled=True),
        protect_content=True,
    )
    if isinstance(event, CallbackQuery):
        return [AnswerCallbackQuery(callback_query_id=event.id), said]
    return [said]

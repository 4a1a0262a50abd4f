"""Buttons that several of a liaison's pages share."""

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from handlers.liaison.callbacks import CaseTap, SilentPageTap, TaskTap

Rows = list[list[InlineKeyboardButton]]


def button(text: str, data: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=text, callback_data=data.pack())


def task_button(task: str, text: str) -> InlineKeyboardButton:
    return button(text, TaskTap(task=task))


def menu_row() -> list[InlineKeyboardButton]:
    return [task_button("menu", _("Menu"))]


def menu_only() -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[menu_row()])


def silent_row(offset: int = 0) -> list[InlineKeyboardButton]:
    return [button(_("Back to the list"), SilentPageTap(offset=offset))]


def case_rows(case_id: int) -> Rows:
    """What can be done with a case, wherever it is shown: to answer it, or to close it."""
    return [
        [
            button(_("Answer"), CaseTap(case_id=case_id, act="answer")),
            button(_("Close the case"), CaseTap(case_id=case_id, act="close")),
        ]
    ]

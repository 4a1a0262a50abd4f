"""Buttons that several of a liaison's pages share."""

from collections.abc import Callable

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from handlers.liaison.callbacks import (
    CaseTap,
    HabitTap,
    OverAskedTap,
    SilentPageTap,
    TasksPageTap,
    TaskTap,
)

Rows = list[list[InlineKeyboardButton]]


def button(text: str, data: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=text, callback_data=data.pack())


def task_button(task: str, text: str) -> InlineKeyboardButton:
    return button(text, TaskTap(task=task))


def menu_row() -> list[InlineKeyboardButton]:
    return [task_button("menu", _("Menu"))]


def menu_only() -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[menu_row()])


def back_tap(back: str) -> CallbackData:
    """What leads to the list and the place in it that ``back`` names."""
    offset = int(back.lstrip("tnfo"))
    if back.startswith("t"):
        return TasksPageTap(offset=offset)
    if back.startswith("o"):
        return OverAskedTap(offset=offset)
    if back[:1] in ("n", "f"):
        return HabitTap(habit="never" if back[0] == "n" else "fading", offset=offset)
    return SilentPageTap(offset=offset)


def back_row(back: str) -> list[InlineKeyboardButton]:
    return [button(_("Back to the list"), back_tap(back))]


def turn_rows(offset: int, a_page: int, count: int, page: Callable[[int], CallbackData]) -> Rows:
    """The row that turns the pages of a list of ``count``; none for a list of one page."""
    turn = []
    if offset > 0:
        turn.append(button(_("Previous"), page(max(0, offset - a_page))))
    if offset + a_page < count:
        turn.append(button(_("Next"), page(offset + a_page)))
    return [turn] if turn else []


def case_rows(case_id: int) -> Rows:
    """What can be done with a case, wherever it is shown: to answer it, or to close it."""
    return [
        [
            button(_("Answer"), CaseTap(case_id=case_id, act="answer")),
            button(_("Close the case"), CaseTap(case_id=case_id, act="close")),
        ]
    ]

"""The buttons under a roll call's figures. Those taps answer with a message of their own: the
figures stay where they are, and go on changing."""

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import Id
from storage.rhythm.rollcall_access import RollcallInfo
from storage.rhythm.rollcall_figures import Figures


class CallTap(CallbackData, prefix="rc"):
    """``act``: ``count`` (how it is now), ``close`` (asks), ``sure``, ``on`` (let it go on)."""

    rollcall_id: Id
    act: str


class CallListTap(CallbackData, prefix="rl"):
    """``what``: ``silent`` or ``help``; ``offset`` -1: the first page, in a new message."""

    rollcall_id: Id
    what: str
    offset: int


def count_keyboard(call: RollcallInfo, figures: Figures) -> InlineKeyboardMarkup:
    def tap(text: str, data: CallbackData) -> list[InlineKeyboardButton]:
        return [InlineKeyboardButton(text=text, callback_data=data.pack())]

    rows = []
    if figures.help:
        rows.append(
            tap(
                _("Who needs help ({n})").format(n=figures.help),
                CallListTap(rollcall_id=call.id, what="help", offset=-1),
            )
        )
    if figures.missing:
        rows.append(
            tap(
                _("Who has not answered ({n})").format(n=figures.missing),
                CallListTap(rollcall_id=call.id, what="silent", offset=-1),
            )
        )
    if call.is_open:
        rows.append(tap(_("How is it now?"), CallTap(rollcall_id=call.id, act="count")))
        if call.roots is None:
            rows.append(tap(_("End now"), CallTap(rollcall_id=call.id, act="close")))
    return InlineKeyboardMarkup(inline_keyboard=rows)

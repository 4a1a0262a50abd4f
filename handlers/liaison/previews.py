"""A text for many people: measured, seen as they will see it, changed or dropped before it goes."""

import secrets
from typing import Any

from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.liaison.callbacks import CallDraftTap, DraftTap
from handlers.liaison.keyboards import button, menu_only
from handlers.liaison.show import Page, remark, show
from handlers.liaison.states import Broadcasting, Calling
from handlers.long_text import utf16_length

Writing = type[Broadcasting] | type[Calling]
"""The states of one kind of text: ``writing`` it, and ``confirming`` its preview."""


def check_length(text: str, longest: int) -> str | None:
    """What to say of a text of more than ``longest`` UTF-16 units; ``None`` where it fits."""
    over = utf16_length(text) - longest
    if over <= 0:
        return None
    return ngettext(
        "That is {n} character too long. Please shorten it and send it again.",
        "That is {n} characters too long. Please shorten it and send it again.",
        over,
    ).format(n=over)


async def keep_draft(state: FSMContext, of: Writing, data: dict[str, Any], text: str) -> str:
    """Wait for a tap under the preview of ``text``: its name, that no other preview has."""
    draft = secrets.token_urlsafe(6)
    await state.set_state(of.confirming)
    await state.set_data(data | {"text": text, "draft": draft})
    return draft


async def find_draft(state: FSMContext, of: Writing, draft: str) -> dict[str, Any] | None:
    """What stands in the preview that was tapped; ``None`` when another has taken its place."""
    if await state.get_state() != of.confirming.state:
        return None
    data = await state.get_data()
    return data if data.get("draft") == draft else None


def change_row(tap: type[DraftTap] | type[CallDraftTap], draft: str) -> list[InlineKeyboardButton]:
    return [
        button(_("Change the text"), tap(act="edit", draft=draft)),
        button(_("Drop it"), tap(act="cancel", draft=draft)),
    ]


async def write_again(
    tap: CallbackQuery, state: FSMContext, of: Writing, draft: str, keyboard: InlineKeyboardMarkup
) -> Page:
    data = await find_draft(state, of, draft)
    if data is None:
        return remark_gone(tap)
    await state.set_state(of.writing)
    await state.set_data({key: it for key, it in data.items() if key not in ("text", "draft")})
    return show(tap, _("Write it again, the way you want it."), keyboard)


async def drop(tap: CallbackQuery, state: FSMContext, of: Writing, draft: str) -> Page:
    """Drop a preview, or, without its name, what is still being written."""
    writing = await state.get_state() == of.writing.state
    if not (writing and not draft) and await find_draft(state, of, draft) is None:
        return remark_gone(tap)
    await state.clear()
    return show(tap, _("Dropped. Nothing was sent."), menu_only())


def remark_gone(tap: CallbackQuery) -> Page:
    return remark(tap, _("This one was sent or dropped already."))

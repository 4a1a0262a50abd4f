"""My data: hours of the day that a person keeps quiet, besides the night's."""

from datetime import datetime
from typing import Final

from aiogram import F, Router
from aiogram.types import CallbackQuery, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import DataTap
from handlers.keyboards import button
from handlers.say import Says, replace, toast
from handlers.worker.access import known
from handlers.worker.rhythm_page import (
    Rows,
    hour_buttons,
    hour_words,
    quiet_words,
    rhythm_page,
    tap,
)
from handlers.worker.typed import TakesWords
from storage.database import Tx
from storage.people.held import held_about
from storage.people.hours import DAY, NoTimeLeft
from storage.people.status import set_quiet_hours
from storage.people.who import Who

router = Router(name="quiet")
router.callback_query.filter(known)
router.callback_query.middleware(TakesWords())
_NIGHT_ONLY: Final = f"{DAY[1]}-{DAY[0]}"


@router.callback_query(DataTap.filter((F.act == "quiet") & (F.value == "")))
async def tap_quiet(tapped: CallbackQuery, tx: Tx, who: Who) -> Says:
    held = await held_about(tx, who.person_id)
    lines = [
        _("Quiet now: {hours}, by your own clock.").format(
            hours=quiet_words(held.quiet_from, held.quiet_to)
        ),
        _("The night is always quiet. When in the day shall we be quiet too? From …"),
    ]
    rows = hour_buttons(range(*DAY), lambda hour: tap("quiet", str(hour)))
    if (held.quiet_from, held.quiet_to) != (DAY[1], DAY[0]):
        rows.append([button(_("Only at night"), tap("quiet", _NIGHT_ONLY))])
    return [toast(tapped), replace(tapped, "\n".join(lines), _markup(who, rows))]


@router.callback_query(DataTap.filter((F.act == "quiet") & F.value.regexp(r"^\d{1,2}$")))
async def tap_start(tapped: CallbackQuery, callback_data: DataTap, who: Who) -> Says:
    start = int(callback_data.value)
    if start not in range(*DAY):
        return toast(tapped, _("This button isn't yours to answer."))
    return [toast(tapped), replace(tapped, *_until(who, start))]


def _until(who: Who, start: int, note: str | None = None) -> tuple[str, InlineKeyboardMarkup]:
    lines = [note, ""] if note else []
    lines.append(_("Quiet from {start} until …").format(start=hour_words(start * 60)))
    rows = hour_buttons(range(start + 1, DAY[1] + 1), lambda hour: tap("quiet", f"{start}-{hour}"))
    rows.append([button(_("Another start"), tap("quiet"))])
    return "\n".join(lines), _markup(who, rows)


@router.callback_query(DataTap.filter((F.act == "quiet") & F.value.regexp(r"^\d{1,2}-\d{1,2}$")))
async def tap_end(
    tapped: CallbackQuery, callback_data: DataTap, tx: Tx, who: Who, now: datetime
) -> Says:
    start, end = map(int, callback_data.value.split("-"))
    if callback_data.value != _NIGHT_ONLY and not DAY[0] <= start < end <= DAY[1]:
        return toast(tapped, _("This button isn't yours to answer."))
    try:
        await set_quiet_hours(tx, who, start, end)
    except NoTimeLeft:
        note = _(
            "That would be the whole day, and no time would be left to ask you. "
            "Leave us an hour; or take a break from messages under My data."
        )
        return [toast(tapped), replace(tapped, *_until(who, start, note))]
    note = _("Good. Quiet: {hours}.").format(hours=quiet_words(start, end))
    if who.is_worker:
        return [toast(tapped), replace(tapped, *await rhythm_page(tx, who, now, note))]
    return [toast(tapped), replace(tapped, note, _markup(who, []))]


def _markup(who: Who, rows: Rows) -> InlineKeyboardMarkup:
    back = button(_("Back"), tap("rhythm" if who.is_worker else "page"))
    return InlineKeyboardMarkup(inline_keyboard=[*rows, [back]])

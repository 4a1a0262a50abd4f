"""A call or a visit noted in two taps; the card becomes its receipt, with a way to take it back."""

from datetime import datetime
from typing import Literal

from aiogram import Router
from aiogram.types import CallbackQuery, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from handlers.liaison.callbacks import CallTap, UndoTap, VisitTap
from handlers.liaison.card import open_person
from handlers.liaison.keyboards import back_tap, button, menu_row
from handlers.liaison.show import Page, remark, show
from handlers.liaison.wording import name_of
from handlers.say import clock_time
from storage.database import Tx
from storage.people.who import Who, person_name
from storage.register.calls import note_call, undo_call
from storage.rhythm.tasks import close_tasks, reopen_task

router = Router(name="liaison.calls")


@router.callback_query(CallTap.filter())
async def tap_called(
    tap: CallbackQuery, callback_data: CallTap, tx: Tx, who: Who, now: datetime
) -> Page:
    told = (
        _("Noted, {time}: you reached {name} by phone.")
        if callback_data.reached
        else _("Noted, {time}: you called {name} and couldn't reach them. Still on the list.")
    )
    return await _note(
        tap, callback_data, "call", told, tx, who, now, reached=callback_data.reached
    )


@router.callback_query(VisitTap.filter())
async def tap_visited(
    tap: CallbackQuery, callback_data: VisitTap, tx: Tx, who: Who, now: datetime
) -> Page:
    told = (
        _("Noted, {time}: you went to see {name} and met them.")
        if callback_data.met
        else _("Noted, {time}: you went to see {name}, nobody was there. Still on the list.")
    )
    return await _note(tap, callback_data, "visit", told, tx, who, now, reached=callback_data.met)


async def _note(
    tap: CallbackQuery,
    about: CallTap | VisitTap,
    kind: Literal["call", "visit"],
    told: str,
    tx: Tx,
    who: Who,
    now: datetime,
    *,
    reached: bool,
) -> Page:
    noted = await note_call(
        tx,
        by=who,
        person_id=about.person_id,
        reached=reached,
        after=about.after,
        now=now,
        kind=kind,
    )
    if noted is None:
        return remark(tap, _("This person isn't yours to look after, or not any more."))
    if not noted.first:
        return remark(tap, _("Already noted."))
    if reached:
        await close_tasks(tx, now, about.person_id)
    name = await person_name(tx, about.person_id) or _("Someone without a name")
    rows = [
        [button(_("Next on the list"), back_tap(about.back))],
        [
            button(
                _("Undo"),
                UndoTap(contact_id=noted.contact_id, back=about.back),
            )
        ],
        menu_row(),
    ]
    return show(
        tap,
        told.format(time=clock_time(now, who.timezone), name=name),
        InlineKeyboardMarkup(inline_keyboard=rows),
    )


@router.callback_query(UndoTap.filter())
async def tap_undo(
    tap: CallbackQuery, callback_data: UndoTap, tx: Tx, who: Who, now: datetime
) -> Page:
    undone = await undo_call(tx, by=who, contact_id=callback_data.contact_id, now=now)
    if undone is None:
        return remark(tap, _("This was taken back already."))
    await reopen_task(tx, undone.person_id, undone.at)
    opened = await open_person(tx, who, undone.person_id, now, callback_data.back)
    if opened is None:
        return show(tap, _("Taken back, as if it had not been noted."))
    person, (text, keyboard) = opened
    note = _("Taken back. {name} is as before.").format(name=name_of(person))
    return show(tap, text, keyboard, note)

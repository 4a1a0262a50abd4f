"""A notice to everyone of an area: written, seen as they will see it, counted, then sent."""

from datetime import datetime

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.methods import SendMessage
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.liaison.areas import choose_area, only_area
from handlers.liaison.callbacks import AreaTap, DraftTap, OutcomeTap, TaskTap
from handlers.liaison.keyboards import button, menu_only, menu_row, task_button
from handlers.liaison.outcome import stop_row
from handlers.liaison.previews import (
    change_row,
    check_length,
    drop,
    find_draft,
    keep_draft,
    remark_gone,
    write_again,
)
from handlers.liaison.show import Page, remark, show
from handlers.liaison.states import Broadcasting
from handlers.liaison.words import Asks
from handlers.notice import notice_text
from storage.database import Tx
from storage.outbox.audience import count_audience
from storage.outbox.broadcasts import plan_broadcast
from storage.people.areas import AreaInfo
from storage.people.duties import access_area_by_id
from storage.people.who import Who

router = Router(name="liaison.broadcast")
LONGEST = 3500
"""UTF-16 units, as Telegram counts; below its limit, so that a heading still fits."""


@router.message(StateFilter(None), Asks("broadcast"))
@router.callback_query(TaskTap.filter(F.task == "broadcast"))
async def start(event: Message | CallbackQuery, tx: Tx, who: Who, state: FSMContext) -> Page:
    area = await only_area(tx, who)
    if area is None:
        return await choose_area(event, tx, who, "broadcast")
    return await _ask_text(event, tx, state, area)


@router.callback_query(AreaTap.filter(F.task == "broadcast"))
async def start_for_area(
    tap: CallbackQuery, callback_data: AreaTap, tx: Tx, who: Who, state: FSMContext
) -> Page:
    area = await access_area_by_id(tx, who.person_id, callback_data.area_id)
    if area is None:
        return remark(tap, _("That area isn't yours to look after."))
    return await _ask_text(tap, tx, state, area)


async def _ask_text(
    event: Message | CallbackQuery, tx: Tx, state: FSMContext, area: AreaInfo
) -> Page:
    if await count_audience(tx, area) == 0:
        return show(event, _nobody(area), _invite_first())
    await state.set_state(Broadcasting.writing)
    await state.set_data({"area_id": area.id})
    text = _("Write the notice for {area}. You'll see it once more before it goes out.")
    return show(event, text.format(area=area.name), _drop_only())


def _nobody(area: AreaInfo) -> str:
    return _("There is nobody in {area} to send it to yet.").format(area=area.name)


def _invite_first() -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[[task_button("invite", _("Invite people"))], menu_row()]
    )


def _drop_only() -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[[button(_("Drop it"), DraftTap(act="cancel", draft=""))]]
    )


@router.message(StateFilter(Broadcasting), F.text.strip())
async def take_text(message: Message, tx: Tx, who: Who, state: FSMContext) -> Page:
    """A text that comes while a preview stands takes the place of the one in it."""
    text = (message.text or "").strip()
    if too_long := check_length(text, LONGEST):
        return show(message, too_long, _drop_only())
    data = await state.get_data()
    area = await access_area_by_id(tx, who.person_id, int(data.get("area_id", 0)))
    if area is None:
        await state.clear()
        return show(message, _("That area isn't yours to look after."), menu_only())
    count = await count_audience(tx, area)
    if count == 0:
        await state.clear()
        return show(message, _nobody(area), _invite_first())
    draft = await keep_draft(state, Broadcasting, {"area_id": area.id}, text)
    question = ngettext(
        "This is what {n} person in {area} will see. Send it?",
        "This is what {n} people in {area} will see. Send it?",
        count,
    )
    send = ngettext("Send to {n} person", "Send to {n} people", count)
    return [
        SendMessage(chat_id=message.chat.id, text=notice_text(area.name, text)),
        SendMessage(
            chat_id=message.chat.id,
            text=question.format(n=count, area=area.name),
            reply_markup=InlineKeyboardMarkup(
                inline_keyboard=[
                    [button(send.format(n=count), DraftTap(act="send", draft=draft))],
                    change_row(DraftTap, draft),
                ]
            ),
        ),
    ]


@router.message(StateFilter(Broadcasting))
async def refuse_media(message: Message) -> Page:
    return show(message, _("Only text for now. Please write it as a message."), _drop_only())


@router.callback_query(DraftTap.filter(F.act == "send"))
async def send(
    tap: CallbackQuery,
    callback_data: DraftTap,
    tx: Tx,
    who: Who,
    now: datetime,
    state: FSMContext,
) -> Page:
    data = await find_draft(state, Broadcasting, callback_data.draft)
    if data is None:
        return remark_gone(tap)
    await state.clear()
    area = await access_area_by_id(tx, who.person_id, data["area_id"])
    if area is None:
        return show(tap, _("That area isn't yours to look after."), menu_only())
    if await count_audience(tx, area) == 0:
        return show(tap, _nobody(area), _invite_first())
    planned = await plan_broadcast(
        tx, area=area, text=data["text"], language=None, by=who.person_id, now=now
    )
    told = ngettext(
        "On its way to {n} person in {area}. Where it is night, it waits for the morning; who had "
        "enough messages this week gets it with the next one.",
        "On its way to {n} people in {area}. Where it is night, it waits for the morning; who had "
        "enough messages this week gets it with the next one.",
        planned.count,
    )
    return show(
        tap,
        told.format(n=planned.count, area=area.name),
        InlineKeyboardMarkup(
            inline_keyboard=[
                [button(_("How is it going?"), OutcomeTap(broadcast_id=planned.id))],
                stop_row(planned.id),
                menu_row(),
            ]
        ),
    )


@router.callback_query(DraftTap.filter(F.act == "edit"))
async def edit(tap: CallbackQuery, callback_data: DraftTap, state: FSMContext) -> Page:
    return await write_again(tap, state, Broadcasting, callback_data.draft, _drop_only())


@router.callback_query(DraftTap.filter(F.act == "cancel"))
async def cancel(tap: CallbackQuery, callback_data: DraftTap, state: FSMContext) -> Page:
    return await drop(tap, state, Broadcasting, callback_data.draft)

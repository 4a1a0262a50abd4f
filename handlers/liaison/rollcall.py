"""Beginning a roll call: whom, in which place, with which words; seen, counted, then asked."""

from datetime import datetime
from typing import Any

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.methods import AnswerCallbackQuery, SendMessage
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.liaison.areas import choose_area, only_area
from handlers.liaison.callbacks import AreaTap, CallDraftTap, PlaceTap, TaskTap
from handlers.liaison.keyboards import Rows, button, menu_only, menu_row, task_button
from handlers.liaison.previews import (
    change_row,
    check_length,
    drop,
    find_draft,
    keep_draft,
    remark_gone,
    write_again,
)
from handlers.liaison.rollcall_live import show_count
from handlers.liaison.show import Page, chat_of, remark, show
from handlers.liaison.states import Calling
from handlers.liaison.words import Asks
from handlers.rollcall_keyboards import CallTap
from handlers.rollcall_words import question_words, usual_words, where_words, whom_words
from handlers.say import clock_time
from storage.database import Tx
from storage.outbox.contents import Told
from storage.people.areas import AreaInfo
from storage.people.destinations import EVERYWHERE, Destination
from storage.people.duties import access_area_by_id
from storage.people.who import Who
from storage.rhythm.rollcall_access import count_asked_already, list_rollcalls
from storage.rhythm.rollcall_figures import count_places
from storage.rhythm.rollcalls import AT_ONCE, CALMLY, count_to_ask, plan_rollcall

router = Router(name="liaison.rollcall")
LONGEST = 3000
"""UTF-16 units; with the words around it below what a message takes."""
PLACES = 8
_RUNNING = 5


@router.message(StateFilter(None), Asks("rollcall"))
@router.callback_query(TaskTap.filter(F.task == "rollcall"))
async def start(event: Message | CallbackQuery, tx: Tx, who: Who) -> Page:
    """What runs comes first: a second one would ask the same people twice."""
    running = await list_rollcalls(tx, who.person_id, only_open=True, limit=_RUNNING)
    if not running:
        return await _choose_area(event, tx, who)
    rows: Rows = [
        [
            button(
                _("{whom}, {time}").format(
                    whom=whom_words(call.area_name, call.where),
                    time=clock_time(call.at, who.timezone),
                ),
                CallTap(rollcall_id=call.id, act="count"),
            )
        ]
        for call in running
    ]
    rows += [[task_button("rollcall_new", _("Begin another"))], menu_row()]
    text = ngettext("{n} roll call is running:", "{n} roll calls are running:", len(running))
    return show(event, text.format(n=len(running)), InlineKeyboardMarkup(inline_keyboard=rows))


@router.callback_query(TaskTap.filter(F.task == "rollcall_new"))
async def begin(tap: CallbackQuery, tx: Tx, who: Who) -> Page:
    return await _choose_area(tap, tx, who)


async def _choose_area(event: Message | CallbackQuery, tx: Tx, who: Who) -> Page:
    area = await only_area(tx, who)
    if area is None:
        return await choose_area(event, tx, who, "rollcall")
    return await _ask_where(event, tx, area, EVERYWHERE)


@router.callback_query(AreaTap.filter(F.task == "rollcall"))
async def begin_for_area(tap: CallbackQuery, callback_data: AreaTap, tx: Tx, who: Who) -> Page:
    area = await access_area_by_id(tx, who.person_id, callback_data.area_id)
    if area is None:
        return remark(tap, _("That area isn't yours to look after."))
    return await _ask_where(tap, tx, area, EVERYWHERE)


@router.callback_query(PlaceTap.filter())
async def choose_place(
    tap: CallbackQuery, callback_data: PlaceTap, tx: Tx, who: Who, state: FSMContext
) -> Page:
    area = await access_area_by_id(tx, who.person_id, callback_data.area_id)
    if area is None:
        return remark(tap, _("That area isn't yours to look after."))
    if callback_data.act == "open":
        return await _ask_where(tap, tx, area, _of(callback_data))
    return await _ask_words(tap, tx, state, area, _of(callback_data))


async def _ask_where(
    event: Message | CallbackQuery, tx: Tx, area: AreaInfo, within: Destination
) -> Page:
    """The whole of the area, or of a place; and the finer places its people are in now."""
    count = await count_to_ask(tx, area, within)
    if count == 0:
        return show(event, _nobody(area, within), menu_only())
    all_of_them = (
        _("Everyone of {whom} ({n})") if within == EVERYWHERE else _("All of them: {whom} ({n})")
    ).format(whom=whom_words(area.name, within), n=count)
    rows: Rows = [[button(all_of_them, _place(area, within, "take"))]]
    for place, n in await count_places(tx, area, within, PLACES):
        act = "take" if place.city else "open"
        label = _("{place} ({n})").format(place=where_words(place), n=n)
        rows.append([button(label, _place(area, place, act))])
    if within != EVERYWHERE:
        wider = Destination(within.country if within.province else None)
        rows.append([button(_("Back"), _place(area, wider, "open"))])
    rows.append(menu_row())
    text = _("Whom shall we ask whether they are safe? All, or those who are in one place now:")
    return show(event, text, InlineKeyboardMarkup(inline_keyboard=rows))


def _of(tap: PlaceTap) -> Destination:
    return Destination(tap.country, tap.province, tap.city)


def _place(area: AreaInfo, where: Destination, act: str) -> PlaceTap:
    return PlaceTap(
        act=act,
        area_id=area.id,
        country=where.country,
        province=where.province,
        city=where.city,
    )


def _nobody(area: AreaInfo, where: Destination) -> str:
    return _("There is nobody to ask there now: {whom}.").format(whom=whom_words(area.name, where))


async def _ask_words(
    tap: CallbackQuery, tx: Tx, state: FSMContext, area: AreaInfo, where: Destination
) -> Page:
    count = await count_to_ask(tx, area, where)
    if count == 0:
        return show(tap, _nobody(area, where), menu_only())
    await state.set_state(Calling.writing)
    await state.set_data(_as_data(area, where))
    text = ngettext(
        "{whom}, {n} person. Write what has happened and what you want to know, or use the usual"
        " words: “{words}”",
        "{whom}, {n} people. Write what has happened and what you want to know, or use the usual"
        " words: “{words}”",
        count,
    ).format(whom=whom_words(area.name, where), n=count, words=usual_words())
    return show(tap, text, _writing_keyboard())


def _writing_keyboard() -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [button(_("The usual words"), CallDraftTap(act="usual"))],
            [button(_("Drop it"), CallDraftTap(act="cancel"))],
        ]
    )


def _as_data(area: AreaInfo, where: Destination) -> dict[str, Any]:
    return {
        "area_id": area.id,
        "country": where.country,
        "province": where.province,
        "city": where.city,
    }


def _where(data: dict[str, Any]) -> Destination:
    return Destination(data.get("country"), data.get("province"), data.get("city"))


@router.callback_query(CallDraftTap.filter(F.act == "usual"))
async def take_usual_words(tap: CallbackQuery, tx: Tx, who: Who, state: FSMContext) -> Page:
    if await state.get_state() != Calling.writing.state:
        return remark_gone(tap)
    return [
        AnswerCallbackQuery(callback_query_id=tap.id),
        *await _preview(tap, tx, who, state, ""),
    ]


@router.message(StateFilter(Calling), F.text.strip())
async def take_text(message: Message, tx: Tx, who: Who, state: FSMContext) -> Page:
    """A text that comes while a preview stands takes the place of the one in it."""
    text = (message.text or "").strip()
    if too_long := check_length(text, LONGEST):
        return show(message, too_long, _writing_keyboard())
    return await _preview(message, tx, who, state, text)


@router.message(StateFilter(Calling))
async def refuse_media(message: Message) -> Page:
    text = _("Only text for now. Please write it as a message.")
    return show(message, text, _writing_keyboard())


async def _preview(
    event: Message | CallbackQuery, tx: Tx, who: Who, state: FSMContext, text: str
) -> Page:
    """What they will see; the number of those who will; and the two ways to ask."""
    data = await state.get_data()
    chat_id, where = chat_of(event), _where(data)
    area = await access_area_by_id(tx, who.person_id, int(data.get("area_id", 0)))
    count = 0 if area is None else await count_to_ask(tx, area, where)
    if area is None or count == 0:
        await state.clear()
        gone = _("That area isn't yours to look after.") if area is None else _nobody(area, where)
        return [SendMessage(chat_id=chat_id, text=gone, reply_markup=menu_only())]
    draft = await keep_draft(state, Calling, _as_data(area, where), text)
    lines = [
        ngettext(
            "This is what {n} person will see. Ask at once, at night too? Or only where it is day?",
            "This is what {n} people will see. Ask at once, at night too? Or only where it is day?",
            count,
        ).format(n=count)
    ]
    if asked := await count_asked_already(tx, area, where):
        lines.append(
            ngettext(
                "{n} of them is being asked by another roll call; one answer counts for both.",
                "{n} of them are being asked by another roll call; one answer counts for both.",
                asked,
            ).format(n=asked)
        )
    urgent = ngettext("Ask {n} person at once", "Ask {n} people at once", count)
    rows: Rows = [
        [button(urgent.format(n=count), CallDraftTap(act="urgent", draft=draft))],
        [button(_("Not at night"), CallDraftTap(act="calm", draft=draft))],
        change_row(CallDraftTap, draft),
    ]
    return [
        SendMessage(chat_id=chat_id, text=question_words(Told(text, area.name, where))),
        SendMessage(
            chat_id=chat_id,
            text="\n".join(lines),
            reply_markup=InlineKeyboardMarkup(inline_keyboard=rows),
        ),
    ]


@router.callback_query(CallDraftTap.filter(F.act.in_({"urgent", "calm"})))
async def ask(
    tap: CallbackQuery,
    callback_data: CallDraftTap,
    tx: Tx,
    who: Who,
    now: datetime,
    state: FSMContext,
) -> Page:
    """The preview's message becomes the one whose figures change."""
    data = await find_draft(state, Calling, callback_data.draft)
    if data is None:
        return remark_gone(tap)
    await state.clear()
    area = await access_area_by_id(tx, who.person_id, data["area_id"])
    if area is None:
        return show(tap, _("That area isn't yours to look after."), menu_only())
    where = _where(data)
    if await count_to_ask(tx, area, where) == 0:
        return show(tap, _nobody(area, where), menu_only())
    planned = await plan_rollcall(
        tx,
        area=area,
        text=data["text"],
        by=who.person_id,
        now=now,
        where=where,
        manner=AT_ONCE if callback_data.act == "urgent" else CALMLY,
    )
    return await show_count(tap, tx, who, now, planned.id)


@router.callback_query(CallDraftTap.filter(F.act == "edit"))
async def edit(tap: CallbackQuery, callback_data: CallDraftTap, state: FSMContext) -> Page:
    return await write_again(tap, state, Calling, callback_data.draft, _writing_keyboard())


@router.callback_query(CallDraftTap.filter(F.act == "cancel"))
async def cancel(tap: CallbackQuery, callback_data: CallDraftTap, state: FSMContext) -> Page:
    return await drop(tap, state, Calling, callback_data.draft)

"""Pausing, coming back, and leaving: as easy as coming in."""

from datetime import datetime, timedelta

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message, ReplyKeyboardRemove
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import DataTap
from handlers.keyboards import button
from handlers.say import Says, day, replace, say, toast
from handlers.words import Said
from handlers.worker.access import known
from handlers.worker.typed import TakesWords
from storage.database import Tx
from storage.people.erasure import erase_person
from storage.people.status import set_status
from storage.people.who import Who
from storage.register.contacts import record_heard
from storage.talk.dialogs import Conversation

router = Router(name="leave")
router.message.filter(known)
router.callback_query.filter(known)
router.message.middleware(TakesWords())
router.callback_query.middleware(TakesWords())
_PAUSES = {"7": timedelta(days=7), "14": timedelta(days=14), "30": timedelta(days=30)}


def _tap(act: str, value: str = "") -> str:
    return DataTap(act=act, value=value).pack()


def _pause_choice() -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [button(_("One week"), _tap("pause", "7"))],
            [button(_("Two weeks"), _tap("pause", "14"))],
            [button(_("A month"), _tap("pause", "30"))],
            [button(_("Until I say so"), _tap("pause", "open"))],
            [button(_("Back"), _tap("page"))],
        ]
    )


@router.message(Said(frozenset({"暂停", "pause", "/pause"}), "Pause"))
async def ask_pause(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    await state.clear()
    await record_heard(tx, who, now, kind="message", outcome="pause")
    return say(message.chat.id, _("How long shall we leave you in peace?"), _pause_choice())


@router.callback_query(DataTap.filter((F.act == "pause") & (F.value == "")))
async def tap_pause(tap: CallbackQuery) -> Says:
    return [toast(tap), replace(tap, _("How long shall we leave you in peace?"), _pause_choice())]


@router.callback_query(DataTap.filter((F.act == "pause") & F.value.in_({*_PAUSES, "open"})))
async def tap_choose_pause(
    tap: CallbackQuery, callback_data: DataTap, tx: Tx, who: Who, now: datetime
) -> Says:
    span = _PAUSES.get(callback_data.value)
    until = now + span if span else None
    await record_heard(tx, who, now, kind="status", outcome="paused")
    await set_status(tx, who, "paused", now, until=until)
    said = (
        _("Good. Nothing from us until {day}.").format(day=day(until, who.timezone))
        if until
        else _("Good. Nothing from us until you say so.")
    )
    markup = InlineKeyboardMarkup(inline_keyboard=[[button(_("End the pause"), _tap("resume"))]])
    return [toast(tap), replace(tap, said, markup)]


@router.callback_query(DataTap.filter(F.act == "resume"))
async def tap_resume(tap: CallbackQuery, tx: Tx, who: Who, now: datetime) -> Says:
    await set_status(tx, who, "away", now)
    await record_heard(tx, who, now, kind="status", outcome="away")
    return [toast(tap), replace(tap, _("Good to have you back."))]


@router.message(
    Said(
        frozenset({"离开", "退出登记", "删除", "leave", "erase", "unsubscribe", "/leave", "退订"}),
        always=True,
    )
)
async def ask_leave(message: Message, state: FSMContext) -> Says:
    if "kin" not in await state.get_data():
        await state.clear()
    return say(message.chat.id, _ask(), _leave_choice())


def _ask() -> str:
    return _(
        "Shall we erase everything we hold about you? It costs nothing, "
        "and you can come back any time."
    )


def _leave_choice() -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [button(_("Yes, erase everything"), _tap("erase"))],
            [button(_("Pause instead"), _tap("pause"))],
            [button(_("Stay"), _tap("page"))],
        ]
    )


@router.callback_query(DataTap.filter(F.act == "leave"))
async def tap_leave(tap: CallbackQuery) -> Says:
    return [toast(tap), replace(tap, _ask(), _leave_choice())]


@router.callback_query(DataTap.filter(F.act == "erase"))
async def tap_erase(
    tap: CallbackQuery,
    tx: Tx,
    who: Who,
    conversation: Conversation,
    state: FSMContext,
    now: datetime,
) -> Says:
    """From here on nothing about the person is written, this conversation included."""
    await state.clear()
    await erase_person(tx, who, now)
    conversation.known = False
    return [
        toast(tap),
        replace(tap, _("Erased.")),
        say(
            tap.from_user.id,
            _("It's all gone. You're welcome back any time, with a link from your village.")
            if who.is_worker or who.is_officer
            else _("It's all gone. You're welcome back any time, with a new link."),
            ReplyKeyboardRemove(),
        ),
    ]

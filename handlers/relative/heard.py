"""Word that a relative gives by themselves: I've heard from them, all is well."""

from datetime import datetime

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import KinTap
from handlers.relative.answer import told, words
from handlers.relative.menu import fine_button, relative_menu
from handlers.relative.words import HEARD, as_kin_answer
from handlers.say import Says, replace, say, toast
from handlers.words import Said
from handlers.worker.access import known
from storage.database import Tx
from storage.family.ties import spoken_for
from storage.family.words import vouch_unasked
from storage.people.who import Who

router = Router(name="relative.heard")
router.message.filter(known)
router.callback_query.filter(known)


async def _page(tx: Tx, who: Who) -> tuple[str, InlineKeyboardMarkup | None]:
    about = await spoken_for(tx, who.person_id)
    if not about:
        return _("You are not asked about anyone now."), None
    rows = [[fine_button(one.name, one.kin_id)] for one in about]
    return _("Good. Who is fine?"), InlineKeyboardMarkup(inline_keyboard=rows)


@router.message(Said(HEARD, "I've heard from my family"))
async def show(message: Message, tx: Tx, who: Who, state: FSMContext) -> Says:
    await state.clear()
    return say(message.chat.id, *await _page(tx, who))


@router.callback_query(KinTap.filter(F.act == "heard"))
async def tap_show(tap: CallbackQuery, tx: Tx, who: Who) -> Says:
    return [toast(tap), replace(tap, *await _page(tx, who))]


@router.callback_query(KinTap.filter(F.act == "fine"))
async def tap_fine(
    tap: CallbackQuery, callback_data: KinTap, tx: Tx, who: Who, now: datetime
) -> Says:
    said = await vouch_unasked(tx, who, callback_data.kin_id, now)
    text, markup = told(said, who, now)
    if said.what == "foreign":
        return toast(tap, text)
    return [toast(tap), replace(tap, text, markup)]


def _is_fine(message: Message) -> bool:
    return as_kin_answer(message.text or "") == "fine"


@words.message(StateFilter(None), F.func(_is_fine))
async def say_fine(message: Message, tx: Tx, who: Who) -> Says:
    """Nothing is asked now: whom they mean is one tap more, for it counts as word of someone."""
    return say(message.chat.id, *await _page(tx, who))


@words.message(StateFilter(None), F.text, F.func(lambda m: as_kin_answer(m.text) is not None))
async def say_other(message: Message, who: Who) -> Says:
    text, keyboard = relative_menu(who)
    nothing = _("There is no question open now.")
    return say(message.chat.id, f"{nothing} {text}", keyboard)

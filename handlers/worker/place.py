"""Where someone is now: words, a shared location rounded to the city, or nothing."""

import re
from datetime import datetime

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.methods import SendMessage
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import PlaceTap
from handlers.keyboards import own_menu, place_or_message, place_skip
from handlers.say import Says, replace, say, take_buttons_off, toast
from handlers.words import SKIP, Said
from handlers.worker.access import worker
from handlers.worker.clock import ask_clock, is_unclear
from handlers.worker.fallback import pass_on, passed_on
from handlers.worker.media import IS_MEDIA
from handlers.worker.states import Enrolling, Telling
from handlers.worker.typed import TakesWords
from storage.database import Tx
from storage.people.held import held_about
from storage.people.places import Place, find_place, nearest_place, place_name
from storage.people.status import set_place, set_status
from storage.people.who import Who
from storage.register.contacts import record_heard
from storage.talk.cases import open_case

router = Router(name="place")
router.message.filter(worker)
router.callback_query.filter(worker)
router.message.middleware(TakesWords())
_LONGEST = 40
_NO_PLACE = re.compile(r"[。！？!?，,；;]|我|救命|\b(i|me|my|help)\b", re.IGNORECASE)
"""What somebody writes who means something else, in words that no list of places knows."""
_asked = StateFilter(Enrolling.place, Telling.place)


def ask_place() -> str:
    return _("Where are you now? A city or a country is enough.")


def in_words(place: Place | None, typed: str | None) -> str:
    if place is None:
        return typed or ""
    language = get_i18n().current_locale
    return place_name(place.country, place.province, place.city, language) or ""


@router.callback_query(PlaceTap.filter(F.choice == "skip"))
async def tap_skip(tap: CallbackQuery, state: FSMContext) -> Says:
    await state.clear()
    return [toast(tap), replace(tap, _("All right, we leave the place open."))]


@router.message(_asked, Said(SKIP, "Skip"))
async def skip(message: Message, who: Who, state: FSMContext) -> Says:
    return await _done(message, who, state, _("All right, we leave the place open."))


@router.message(F.location)
async def share(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    """A location is rounded at once; its coordinates go nowhere."""
    assert message.location is not None
    place = nearest_place(message.location.latitude, message.location.longitude)
    if place is None:
        await record_heard(tx, who, now, kind="message", outcome="place")
        return say(message.chat.id, _("I can't tell the place from that. Please write the city."))
    return await _keep(message, tx, who, state, now, place, None)


@router.message(_asked, F.text, ~F.text.startswith("/"))
async def tell(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    """A place, known or not; what reads like anything else goes to the liaison."""
    text = " ".join((message.text or "").split())
    place = find_place(text)
    if len(text) > _LONGEST or (place is None and _NO_PLACE.search(text)):
        await state.clear()
        return await pass_on(message, tx, who, now)
    return await _keep(message, tx, who, state, now, place, text)


@router.callback_query(PlaceTap.filter(F.choice == "message"))
async def tap_message(tap: CallbackQuery, tx: Tx, who: Who, now: datetime) -> Says:
    """The words just noted as a place were none: they go to the liaison, and the place is open."""
    words = (await held_about(tx, who.person_id)).place
    if words is None:
        return [toast(tap), *take_buttons_off(tap)]
    await set_place(tx, who, None, None)
    opened = await open_case(
        tx, who=who, text=words, media=None, file_id=None, urgent=False, kind="question", now=now
    )
    return [toast(tap), replace(tap, passed_on(opened, None))]


@router.message(_asked, ~F.text, ~IS_MEDIA)
async def ask_again(message: Message) -> Says:
    return say(message.chat.id, _("Please write the city or the country, or skip."), place_skip())


async def _keep(
    message: Message,
    tx: Tx,
    who: Who,
    state: FSMContext,
    now: datetime,
    place: Place | None,
    typed: str | None,
) -> Says:
    await set_place(tx, who, place, typed)
    if who.status in {"moving", "home"}:
        await set_status(tx, who, "away", now)
    await record_heard(tx, who, now, kind="status", outcome="moved")
    said = _("Noted: {place}. No finer than that.").format(place=in_words(place, typed))
    done = await _done(message, who, state, said)
    if place is not None:
        if not is_unclear(place):
            return done
        text, clocks = ask_clock(place, get_i18n().current_locale, now)
        return [done, say(message.chat.id, text, clocks)]
    unsure = _("I don't know this place, but your liaison may.")
    return [done, say(message.chat.id, unsure, place_or_message())]


async def _done(message: Message, who: Who, state: FSMContext, said: str) -> SendMessage:
    standing = await state.get_state()
    enrolling = standing == Enrolling.place.state
    # Who shares where they are while they call for help has still to say what has happened.
    if standing != Telling.help.state:
        await state.clear()
    if enrolling:
        said += "\n\n" + _(
            "That's all, {name}. About once a week we ask how you are; one tap answers. "
            "Below is everything you can do here."
        ).format(name=who.name)
    return say(message.chat.id, said, own_menu(who))

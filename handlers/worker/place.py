"""Where someone is now: words, a shared location rounded to the city, or nothing."""

from datetime import datetime

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import PlaceTap
from handlers.keyboards import place_skip, worker_menu
from handlers.say import Says, replace, say, toast
from handlers.words import SKIP, Said
from handlers.worker.access import worker
from handlers.worker.states import Enrolling, Telling
from storage.contacts import record_heard
from storage.database import Tx
from storage.people import Who
from storage.places import Place, find_place, nearest_place, place_name
from storage.status import set_place, set_status

router = Router(name="place")
router.message.filter(worker)
router.callback_query.filter(worker)
_LONGEST = 60
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
    text = " ".join((message.text or "").split())
    if len(text) > _LONGEST:
        return say(message.chat.id, _("Just the city or the country, please."), place_skip())
    return await _keep(message, tx, who, state, now, find_place(text), text)


@router.message(_asked, ~F.text)
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
    return await _done(message, who, state, said)


async def _done(message: Message, who: Who, state: FSMContext, said: str) -> Says:
    enrolling = await state.get_state() == Enrolling.place.state
    await state.clear()
    if enrolling:
        said += "\n\n" + _(
            "That's all, {name}. About once a week we ask how you are; one tap answers. "
            "Below is everything you can do here."
        ).format(name=who.name)
    return say(message.chat.id, said, worker_menu(officer=who.is_officer))

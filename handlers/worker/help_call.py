"""A call for help: how urgent, then in the person's own words."""

from datetime import datetime
from typing import Any

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import get_i18n, ngettext
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import HelpTap
from handlers.keyboards import urgency_choice
from handlers.say import Says, replace, say, toast
from handlers.words import Said
from handlers.worker.access import worker
from handlers.worker.emergency import emergency_numbers
from handlers.worker.media import media_of
from handlers.worker.states import Telling
from storage.database import Tx
from storage.people.places import place_name
from storage.people.who import Who
from storage.register.contacts import record_heard
from storage.talk.cases import CaseOpened, open_case

router = Router(name="help_call")
router.message.filter(worker)
router.callback_query.filter(worker)


def ask_urgency() -> str:
    return _("We're here. How urgent is it?")


@router.message(Said(frozenset({"/sos"}), "Help"))
async def ask(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    await state.clear()
    await record_heard(tx, who, now, kind="help", outcome="asked")
    return say(message.chat.id, ask_urgency(), urgency_choice())


@router.callback_query(HelpTap.filter(F.urgency == "back"))
async def tap_back(tap: CallbackQuery, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    await state.clear()
    await record_heard(tx, who, now, kind="status", outcome="ok")
    return [toast(tap), replace(tap, _("Good. We're here whenever you need us."))]


@router.callback_query(HelpTap.filter(F.urgency == "urgent"))
async def tap_urgent(
    tap: CallbackQuery, tx: Tx, who: Who, state: FSMContext, now: datetime
) -> Says:
    """The officers hear at once; words can follow."""
    opened = await open_case(
        tx, who=who, text=None, media=None, file_id=None, urgent=True, kind="help", now=now
    )
    await record_heard(tx, who, now, kind="help", outcome="urgent")
    await state.set_state(Telling.help)
    await state.set_data({"urgent": True})
    lines = [told(opened, urgent=True), emergency_line(who)]
    lines.append(_("Write here what has happened, or send a voice message."))
    return [toast(tap), replace(tap, "\n\n".join(lines))]


@router.callback_query(HelpTap.filter(F.urgency == "calm"))
async def tap_calm(tap: CallbackQuery, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    await record_heard(tx, who, now, kind="help", outcome="calm")
    await state.set_state(Telling.help)
    await state.set_data({"urgent": False})
    return [
        toast(tap),
        replace(tap, _("Tell us in your own words, or send a voice message or a photo.")),
    ]


@router.message(StateFilter(Telling.help))
async def tell(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    media, file_id = media_of(message)
    text = message.text or message.caption
    if text is None and media is None:
        return say(message.chat.id, _("Please write it, or send a voice message or a photo."))
    urgent = bool((await state.get_data()).get("urgent"))
    opened = await open_case(
        tx,
        who=who,
        text=text,
        media=media,
        file_id=file_id,
        urgent=urgent,
        kind="help",
        now=now,
    )
    await record_heard(tx, who, now, kind="help", outcome="told")
    await state.clear()
    return say(message.chat.id, told(opened, urgent=urgent))


def told(opened: CaseOpened, *, urgent: bool) -> str:
    """Who has it now; honest where there is no one."""
    if opened.officers == 0:
        return _(
            "We've kept your message, but no liaison is here yet to read it. "
            "If it can't wait, please call someone you trust."
        )
    if urgent:
        return ngettext(
            "We've told {n} person who looks after your village, right now.",
            "We've told {n} people who look after your village, right now.",
            opened.officers,
        ).format(n=opened.officers)
    if opened.officer_name:
        return _("Passed on to {name}, who will answer you here.").format(name=opened.officer_name)
    return _("Passed on to your liaison, who will answer you here.")


def emergency_line(who: Who) -> str:
    """The emergency numbers of the country the person is in."""
    country = who.country or "CN"
    name = place_name(country, None, None, get_i18n().current_locale) or country
    numbers = emergency_numbers(country)
    if set(numbers) == {"all"}:
        return _("In danger? Emergency number in {country}: {number}").format(
            country=name, number=numbers["all"]
        )
    return _("In danger? In {country}: police {police}, ambulance {ambulance}, fire {fire}").format(
        country=name, **_three(numbers)
    )


def _three(numbers: dict[str, str]) -> dict[str, Any]:
    return {
        kind: numbers.get(kind, numbers.get("all", "112"))
        for kind in ("police", "ambulance", "fire")
    }

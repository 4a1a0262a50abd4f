"""A call for help: how urgent, by a tap or in words, and what has happened."""

from datetime import datetime

from aiogram import F, Router
from aiogram.filters import Filter, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.callbacks import HelpTap
from handlers.keyboards import urgency_choice
from handlers.say import Says, replace, say, toast
from handlers.words import Said
from handlers.worker.access import worker
from handlers.worker.emergency import emergency_line, emergency_words
from handlers.worker.media import media_of
from handlers.worker.states import Enrolling, Telling
from handlers.worker.urgency import how_urgent, names_danger, says_nothing
from storage.database import Tx
from storage.people.places import find_place
from storage.people.who import Who
from storage.register.contacts import record_heard
from storage.talk.cases import CaseOpened, open_case

router = Router(name="help_call")
router.message.filter(worker)
router.callback_query.filter(worker)
_ASKED = "urgency"
_OPEN_TO_CRIES = (
    None,
    Telling.name.state,
    Telling.place.state,
    Telling.topic_day.state,
    Enrolling.place.state,
)


def ask_urgency() -> str:
    return _("We're here. How urgent is it?")


async def wait_for_urgency(state: FSMContext, who: Who, said: int | None = None) -> None:
    """Have words answer the question like a tap; ``said``: the message with what it is about.

    An officer's other words go on doing what they do for an officer.
    """
    said = await _said(state) if said is None else said
    await state.set_state(None if who.is_officer else Telling.urgency)
    await state.set_data({_ASKED: True} | ({} if said is None else {"said": said}))


async def _said(state: FSMContext) -> int | None:
    """The message with what the call is about, if that was written before."""
    data = await state.get_data()
    return data.get("said") if _ASKED in data else None


async def _wait_for_words(state: FSMContext, *, urgent: bool) -> None:
    await state.set_state(Telling.help)
    await state.set_data({"urgent": urgent})


async def take_back(tx: Tx, who: Who, state: FSMContext, now: datetime, words: str | None) -> None:
    """End the question how urgent it is; whoever has words already hears that all is well."""
    if _ASKED not in await state.get_data():
        return
    if await _said(state) is not None:
        await _keep(tx, who, now, words or _("I'm fine after all"))
    await state.clear()


async def _keep(
    tx: Tx,
    who: Who,
    now: datetime,
    text: str | None,
    media: tuple[str | None, str | None] = (None, None),
    *,
    urgent: bool = False,
    about: int | None = None,
) -> CaseOpened:
    kind, file_id = media
    return await open_case(
        tx,
        who=who,
        text=text,
        media=kind,
        file_id=file_id,
        urgent=urgent,
        kind="help",
        now=now,
        about=about,
    )


@router.message(Said(frozenset({"/sos"}), "Help", always=True))
async def ask(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    await wait_for_urgency(state, who)
    await record_heard(tx, who, now, kind="help", outcome="asked")
    return say(message.chat.id, ask_urgency(), urgency_choice())


@router.callback_query(HelpTap.filter(F.urgency == "back"))
async def tap_back(tap: CallbackQuery, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    await take_back(tx, who, state, now, None)
    await state.clear()
    await record_heard(tx, who, now, kind="status", outcome="ok")
    return [toast(tap), replace(tap, _back())]


def _back() -> str:
    return _("Good. We're here whenever you need us.")


@router.callback_query(HelpTap.filter(F.urgency == "urgent"))
async def tap_urgent(
    tap: CallbackQuery, tx: Tx, who: Who, state: FSMContext, now: datetime
) -> Says:
    return [toast(tap), replace(tap, await _alarm(tx, who, state, now))]


async def _alarm(
    tx: Tx,
    who: Who,
    state: FSMContext,
    now: datetime,
    text: str | None = None,
    media: tuple[str | None, str | None] = (None, None),
) -> str:
    """The officers hear at once; words can follow."""
    said = await _said(state)
    opened = await _keep(tx, who, now, text, media, urgent=True, about=said)
    await record_heard(tx, who, now, kind="help", outcome="urgent")
    await _wait_for_words(state, urgent=True)
    worded = said is not None or opened.message_id is not None
    return "\n\n".join(
        (told(opened, urgent=True), await emergency_words(tx, who), _what_next(who, worded=worded))
    )


def _what_next(who: Who, *, worded: bool) -> str:
    if who.country is None:
        if worded:
            return _("Where are you? Write the country and the city here.")
        return _("Write here what has happened and where you are, or send a voice message.")
    if worded:
        return _("If there is more to say, write it here, or send a voice message.")
    return _("Write here what has happened, or send a voice message.")


@router.callback_query(HelpTap.filter(F.urgency == "calm"))
async def tap_calm(tap: CallbackQuery, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    return [toast(tap), replace(tap, await _calm(tx, who, state, now))]


async def _calm(tx: Tx, who: Who, state: FSMContext, now: datetime) -> str:
    worded = await _said(state) is not None
    await record_heard(tx, who, now, kind="help", outcome="calm")
    await _wait_for_words(state, urgent=False)
    if worded:
        return _("Good, then it waits for an answer. If there is more to say, write it here.")
    return _("Tell us in your own words, or send a voice message or a photo.")


class AskedHowUrgent(Filter):
    """Words while the question stands; of an officer, only those that answer it."""

    async def __call__(
        self, message: Message, state: FSMContext, raw_state: str | None = None
    ) -> bool:
        if raw_state == Telling.urgency.state:
            return True
        if raw_state is not None or _ASKED not in await state.get_data():
            return False
        return how_urgent(message.text or message.caption or "") is not None


@router.message(AskedHowUrgent(), ~F.text.startswith("/"), ~F.location)
async def say_urgency(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    """Words count like the tap; what says nothing of how urgent it is says what it is about."""
    chat, media = message.chat.id, media_of(message)
    text = message.text or message.caption
    if media[0] is None and (text is None or not text.strip()):
        return say(chat, ask_urgency(), urgency_choice())
    words = text or ""
    urgency = how_urgent(words)
    bare = media[0] is None and says_nothing(words)
    if urgency == "urgent":
        return say(chat, await _alarm(tx, who, state, now, None if bare else text, media))
    if urgency == "back" and media[0] is None:
        await take_back(tx, who, state, now, text)
        await record_heard(tx, who, now, kind="status", outcome="ok")
        return say(chat, _back())
    if bare:
        if urgency == "calm":
            return say(chat, await _calm(tx, who, state, now))
        await record_heard(tx, who, now, kind="help", outcome="asked")
        return say(chat, ask_urgency(), urgency_choice())
    if urgency == "calm":
        opened = await _keep(tx, who, now, text, media)
        await record_heard(tx, who, now, kind="help", outcome="calm")
        await state.clear()
        return say(chat, told(opened, urgent=opened.urgent))
    return await _keep_and_ask(message, tx, who, state, now)


class Cry(Filter):
    """Words out of the blue that name what cannot wait."""

    async def __call__(self, message: Message, raw_state: str | None = None) -> bool:
        text = message.text or message.caption
        if text is None or raw_state not in _OPEN_TO_CRIES or text.startswith("/"):
            return False
        return names_danger(text)


@router.message(Cry())
async def hear_cry(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    await state.clear()
    return await _keep_and_ask(message, tx, who, state, now)


async def _keep_and_ask(
    message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime
) -> Says:
    """The words go to the officers at once, before anyone says how urgent they are."""
    before = await _said(state)
    opened = await _keep(tx, who, now, message.text or message.caption, media_of(message))
    await record_heard(tx, who, now, kind="help", outcome="told")
    if opened.urgent:
        await _wait_for_words(state, urgent=True)
        lines = [told(opened, urgent=True), await emergency_words(tx, who)]
        return say(message.chat.id, "\n\n".join(lines))
    await wait_for_urgency(state, who, opened.message_id if before is None else before)
    lines = [told(opened, urgent=False), ask_urgency()]
    return say(message.chat.id, "\n\n".join(lines), urgency_choice())


@router.message(StateFilter(Telling.help), ~F.location)
async def tell(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    media = media_of(message)
    text = message.text or message.caption
    if text is None and media[0] is None:
        return say(message.chat.id, _("Please write it, or send a voice message or a photo."))
    urgent = bool((await state.get_data()).get("urgent"))
    opened = await _keep(tx, who, now, text, media, urgent=urgent)
    await record_heard(tx, who, now, kind="help", outcome="told")
    await state.clear()
    lines = [told(opened, urgent=urgent)]
    named = find_place(text) if urgent and who.country is None and text else None
    if named is not None:
        lines.append(emergency_line(named.country))
    return say(message.chat.id, "\n\n".join(lines))


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

"""Coming in through an invite link: language, consent, name, place, done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiogram import F, Router
from aiogram.filters import CommandObject, CommandStart, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.methods import TelegramMethod
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import EnrolTap
from handlers.keyboards import consent_choice, language_choice, place_choice
from handlers.liaison.menu import officer_menu
from handlers.relative.states import Accepting
from handlers.say import LANGUAGES, Says, in_both, language_name, replace, say, toast
from handlers.words import AGREE, DECLINE, Said, plain
from handlers.worker.access import known, not_known
from handlers.worker.invited import read_invite, why_not
from handlers.worker.names import check_name, name_refused
from handlers.worker.states import Enrolling
from storage.database import Tx
from storage.family.ties import Spoken, join_family
from storage.people.enrolment import (
    DUTY,
    PURPOSE,
    RELATIVE,
    Address,
    enrol,
    give_consent,
    rename,
    take_role,
)
from storage.people.invites import BadInvite, InviteInfo, use_invite
from storage.people.who import Who, load_who
from storage.register.contacts import record_heard
from storage.talk.dialogs import Conversation

router = Router(name="enrol")
newcomer = Router(name="newcomer")
_PURPOSES: Final = {"worker": PURPOSE, "officer": DUTY, "relative": RELATIVE}


newcomer.message.filter(not_known)
newcomer.callback_query.filter(not_known)
router.message.filter(known)
router.callback_query.filter(known)


@newcomer.message(CommandStart(deep_link=True))
async def open_link(
    message: Message, command: CommandObject, tx: Tx, state: FSMContext, now: datetime
) -> Says:
    """First contact: nothing is stored, the invite travels in the buttons."""
    token = (command.args or "").strip()
    try:
        invited = await read_invite(tx, token, now)
    except BadInvite as bad:
        return say(message.chat.id, why_not(bad, token))
    await state.set_state(Enrolling.language)
    await state.set_data({"token": token})
    return say(
        message.chat.id,
        f"{invited.greeting()}\n\n{in_both('Which language do you like to read?')}",
        language_choice(token),
    )


@newcomer.callback_query(EnrolTap.filter(F.step == "lang"))
async def tap_language(
    tap: CallbackQuery, callback_data: EnrolTap, tx: Tx, state: FSMContext, now: datetime
) -> Says:
    text, markup = await _ask_consent(tx, state, callback_data.token, callback_data.language, now)
    return [toast(tap), replace(tap, text, markup)]


@newcomer.message(StateFilter(Enrolling.language), F.text)
async def say_language(message: Message, tx: Tx, state: FSMContext, now: datetime) -> Says:
    """A language written instead of tapped; anything else asks again."""
    token = str((await state.get_data()).get("token", ""))
    word = plain(message.text or "")
    for number, language in enumerate(LANGUAGES, start=1):
        if word in {language, str(number), plain(language_name(language))} or (
            language == "zh" and word in {"汉语", "普通话", "中国话", "chinese"}
        ):
            text, markup = await _ask_consent(tx, state, token, language, now)
            return say(message.chat.id, text, markup)
    return say(
        message.chat.id, in_both("Which language do you like to read?"), language_choice(token)
    )


async def _ask_consent(
    tx: Tx, state: FSMContext, token: str, language: str, now: datetime, *, more: bool = False
) -> tuple[str, InlineKeyboardMarkup | None]:
    if language not in LANGUAGES:
        language = LANGUAGES[0]
    with get_i18n().use_locale(language):
        try:
            invited = await read_invite(tx, token, now)
        except BadInvite as bad:
            return why_not(bad, token), None
        await state.set_state(Enrolling.consent)
        await state.set_data({"token": token, "language": language})
        text = invited.consent_words(more=more)
        there_is_more = invited.invite.kind == "worker" and not more
        return text, consent_choice(language, token, more=there_is_more)


@newcomer.callback_query(EnrolTap.filter(F.step == "more"))
async def tap_more(
    tap: CallbackQuery, callback_data: EnrolTap, tx: Tx, state: FSMContext, now: datetime
) -> Says:
    text, markup = await _ask_consent(
        tx, state, callback_data.token, callback_data.language, now, more=True
    )
    return [toast(tap), replace(tap, text, markup)]


@newcomer.callback_query(EnrolTap.filter(F.step == "decline"))
async def tap_decline(tap: CallbackQuery, callback_data: EnrolTap, state: FSMContext) -> Says:
    await state.clear()
    return [toast(tap), replace(tap, _declined(callback_data.language))]


@newcomer.message(StateFilter(Enrolling.consent), Said(DECLINE, "Decline", always=True))
async def say_decline(message: Message, state: FSMContext) -> Says:
    language = str((await state.get_data()).get("language", LANGUAGES[0]))
    await state.clear()
    return say(message.chat.id, _declined(language))


def _declined(language: str) -> str:
    with get_i18n().use_locale(language if language in LANGUAGES else LANGUAGES[0]):
        return _("That's fine. Nothing was kept. The link stays good if you change your mind.")


@dataclass(frozen=True, slots=True)
class _Agreed:
    text: str
    speech: Sequence[TelegramMethod[Any]] = ()


@newcomer.callback_query(EnrolTap.filter(F.step == "agree"))
async def tap_agree(
    tap: CallbackQuery,
    callback_data: EnrolTap,
    tx: Tx,
    state: FSMContext,
    conversation: Conversation,
    address: Address,
    now: datetime,
) -> Says:
    agreed = await _agree(
        tx, state, conversation, address, callback_data.token, callback_data.language, now
    )
    return [toast(tap), replace(tap, agreed.text), *agreed.speech]


@newcomer.message(StateFilter(Enrolling.consent), Said(AGREE, "Agree", always=True))
async def say_agree(
    message: Message,
    tx: Tx,
    state: FSMContext,
    conversation: Conversation,
    address: Address,
    now: datetime,
) -> Says:
    data = await state.get_data()
    agreed = await _agree(
        tx,
        state,
        conversation,
        address,
        str(data.get("token", "")),
        str(data.get("language", LANGUAGES[0])),
        now,
    )
    return [say(message.chat.id, agreed.text), *agreed.speech]


async def _agree(
    tx: Tx,
    state: FSMContext,
    conversation: Conversation,
    address: Address,
    token: str,
    language: str,
    now: datetime,
) -> _Agreed:
    language = language if language in LANGUAGES else LANGUAGES[0]
    with get_i18n().use_locale(language):
        try:
            invited = await read_invite(tx, token, now)
            invite = invited.invite
            if not await use_invite(tx, invite.id):
                raise BadInvite("used")
        except BadInvite as bad:
            return _Agreed(why_not(bad, token))
        person_id = await give_consent(
            tx, address, language=language, now=now, purpose=_PURPOSES[invite.kind]
        )
        conversation.known = True
        if invited.inviter is not None:
            return await _join_family(tx, state, address, person_id, invited.inviter, now)
        if invite.kind == "officer":
            return await _join_officer(tx, state, address, person_id, invite, now)
        await state.set_state(Enrolling.name)
        await state.set_data({"area": invite.area_id})
        return _Agreed(
            _("Thank you. Now we know each other."),
            [say(address.chat_id, _("What shall we call you?"))],
        )


async def _join_family(
    tx: Tx, state: FSMContext, address: Address, person_id: int, inviter: Spoken, now: datetime
) -> _Agreed:
    kin_id = await join_family(tx, person_id, inviter, now)
    await state.set_state(Accepting.name)
    await state.set_data({"kin": kin_id})
    return _Agreed(
        _("Thank you. Now we know each other."),
        [
            say(
                address.chat_id,
                _("What shall we call you? {name} will see it.").format(name=inviter.name),
            )
        ],
    )


async def _join_officer(
    tx: Tx, state: FSMContext, address: Address, person_id: int, invite: InviteInfo, now: datetime
) -> _Agreed:
    if invite.name:
        await rename(tx, person_id, invite.name)
    await take_role(tx, person_id, invite.area_id or 0, invite.role or "liaison", now)
    await state.clear()
    who = await load_who(tx, address.bot_id, address.chat_id)
    assert who is not None
    text, keyboard = officer_menu(who)
    return _Agreed(_("Thank you. You're in."), [say(address.chat_id, text, keyboard)])


@newcomer.message(StateFilter(Enrolling.consent))
async def ask_consent_again(message: Message, tx: Tx, state: FSMContext, now: datetime) -> Says:
    data = await state.get_data()
    text, markup = await _ask_consent(
        tx, state, str(data.get("token", "")), str(data.get("language", "")), now
    )
    return say(message.chat.id, text, markup)


@router.message(StateFilter(Enrolling.name))
async def tell_name(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    """With the name the person is on the register."""
    if not message.text:
        return say(message.chat.id, _("Please write your name, as people at home call you."))
    name = check_name(message.text)
    if name is None:
        return say(message.chat.id, name_refused(message.text))
    await rename(tx, who.person_id, name)
    area_id = (await state.get_data()).get("area")
    if area_id is not None:
        await enrol(tx, who.person_id, int(area_id), now)
        enrolled = await load_who(tx, who.bot_id, who.chat_id)
        if enrolled is not None:
            await record_heard(tx, enrolled, now, kind="message", outcome="enrolled")
    await state.set_state(Enrolling.place)
    await state.set_data({})
    return say(
        message.chat.id,
        _("Hello {name}. Where are you now? A city or a country is enough.").format(name=name),
        place_choice(),
    )


@newcomer.message()
@newcomer.callback_query()
async def ask_for_link(event: Message | CallbackQuery, state: FSMContext) -> Says:
    """Someone without a link, or with a button from before they left: nothing is kept."""
    await state.clear()
    text = in_both("Welcome. To join, open the invite link or QR code from your village's liaison.")
    if isinstance(event, CallbackQuery):
        return [toast(event), say(event.from_user.id, text)]
    return say(event.chat.id, text)

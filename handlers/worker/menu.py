"""The menu, the way back, and a link opened by someone already known."""

from datetime import datetime

from aiogram import F, Router
from aiogram.filters import CommandObject, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import MoveTap
from handlers.keyboards import duty_choice, join_choice, move_choice, own_menu
from handlers.liaison.menu import officer_menu
from handlers.relative.menu import relative_menu
from handlers.say import Markup, Says, replace, say, toast
from handlers.words import BACK, MENU, Said
from handlers.worker.access import known
from handlers.worker.consent import officer_consent, worker_consent
from handlers.worker.invited import why_not
from handlers.worker.states import Enrolling
from storage.database import Tx
from storage.people.areas import get_area
from storage.people.enrolment import DUTY, PURPOSE, enrol, has_consent, record_consent, take_role
from storage.people.invites import BadInvite, InviteInfo, check_invite, use_invite
from storage.people.who import Who, load_who
from storage.register.contacts import record_heard

router = Router(name="menu")
router.message.filter(known)
router.callback_query.filter(known)


def main_menu(who: Who) -> tuple[str, Markup]:
    """The first page of whoever this is."""
    if who.is_worker:
        return _("What would you like to do?"), own_menu(who)
    return officer_menu(who) if who.is_officer else relative_menu(who)


@router.message(CommandStart(deep_link=True))
async def open_link(
    message: Message,
    command: CommandObject,
    tx: Tx,
    who: Who,
    state: FSMContext,
    now: datetime,
) -> Says:
    """Someone known opened an invite: an officer's adds a role, a village's may move them."""
    token = (command.args or "").strip()
    try:
        invite = await check_invite(tx, token, now)
    except BadInvite as bad:
        return say(message.chat.id, why_not(bad))
    if invite.kind == "officer":
        area = await get_area(tx, invite.area_id or 0)
        return say(message.chat.id, officer_consent(area.name), duty_choice(token))
    if invite.kind == "device":
        return say(message.chat.id, _("This link opens the web chat on another phone."))
    return await _offer_village(message, tx, who, state, invite, token, now)


async def _offer_village(
    message: Message,
    tx: Tx,
    who: Who,
    state: FSMContext,
    invite: InviteInfo,
    token: str,
    now: datetime,
) -> Says:
    area = await get_area(tx, invite.area_id or 0)
    if who.is_officer and not who.is_worker:
        text, keyboard = officer_menu(who)
        return [
            say(
                message.chat.id,
                _(
                    "This link is for people of {area} who work away. You are here as a liaison; "
                    "pass it on to them."
                ).format(area=area.name),
            ),
            say(message.chat.id, text, keyboard),
        ]
    if who.area_id is None and not await has_consent(tx, who.person_id, PURPOSE):
        return say(message.chat.id, worker_consent(area.name), join_choice(token))
    if who.area_id is None:
        # Consent was given, the name never told: the link goes on where it stopped.
        await state.set_state(Enrolling.name)
        await state.set_data({"area": area.id})
        return say(message.chat.id, _("What shall we call you?"))
    await record_heard(tx, who, now, kind="message", outcome="link")
    if who.area_id == area.id:
        return say(
            message.chat.id,
            _("You're already in, {name}. Nothing more to do.").format(name=who.name),
            own_menu(who),
        )
    return say(
        message.chat.id,
        _("You are with {here}. Change to {there}?").format(here=who.area_name, there=area.name),
        move_choice(token),
    )


@router.callback_query(MoveTap.filter(F.choice == "move"))
async def tap_move(
    tap: CallbackQuery, callback_data: MoveTap, tx: Tx, who: Who, now: datetime
) -> Says:
    try:
        invite = await check_invite(tx, callback_data.token, now)
        if invite.kind != "worker" or invite.area_id is None:
            raise BadInvite("unknown")
        if invite.area_id != who.area_id:
            if not await use_invite(tx, invite.id):
                raise BadInvite("used")
            await enrol(tx, who.person_id, invite.area_id, now)
    except BadInvite as bad:
        return [toast(tap), replace(tap, why_not(bad))]
    area = await get_area(tx, invite.area_id)
    return [toast(tap), replace(tap, _("Done. You are with {area} now.").format(area=area.name))]


@router.callback_query(MoveTap.filter(F.choice == "serve"))
async def tap_serve(
    tap: CallbackQuery,
    callback_data: MoveTap,
    tx: Tx,
    who: Who,
    state: FSMContext,
    now: datetime,
) -> Says:
    """Someone known agreed to look after an area: a purpose of its own."""
    try:
        invite = await check_invite(tx, callback_data.token, now)
        if invite.kind != "officer" or not await use_invite(tx, invite.id):
            raise BadInvite("unknown")
    except BadInvite as bad:
        return [toast(tap), replace(tap, why_not(bad))]
    await state.clear()
    await record_consent(tx, who.person_id, purpose=DUTY, given=True, channel=who.channel, now=now)
    await take_role(tx, who.person_id, invite.area_id or 0, invite.role or "liaison", now)
    renewed = await load_who(tx, who.bot_id, who.chat_id)
    text, keyboard = officer_menu(renewed or who)
    return [
        toast(tap),
        replace(tap, _("Thank you. You're in.")),
        say(tap.from_user.id, text, keyboard),
    ]


@router.callback_query(MoveTap.filter(F.choice == "stay"))
async def tap_stay(tap: CallbackQuery) -> Says:
    return [toast(tap), replace(tap, _("All right, nothing has changed."))]


@router.message(Said(MENU | BACK | {"/start"}, "My own page", always=True))
async def show(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    """Always works, from everywhere; a name still owed is asked for again."""
    if who.area_id is None and not who.is_officer:
        data = await state.get_data()
        if "area" in data or "kin" in data:
            return say(
                message.chat.id,
                _(
                    "One thing first: what shall we call you? "
                    'If you changed your mind, write "leave", and nothing is kept.'
                ),
            )
    await state.clear()
    await record_heard(tx, who, now, kind="message", outcome="menu")
    text, keyboard = main_menu(who)
    return say(message.chat.id, text, keyboard)

"""What a relative agrees to, and the link as someone opens it whom we know already."""

from datetime import datetime

from aiogram import F, Router
from aiogram.filters import CommandObject, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import KinLinkTap
from handlers.keyboards import button
from handlers.relative.menu import called
from handlers.say import Says, replace, say, toast
from handlers.worker.access import known
from handlers.worker.invited import Invited, read_invite, why_not
from handlers.worker.menu import main_menu
from storage.database import Tx
from storage.family.ties import Spoken, find_tie, join_family, tell_agreed
from storage.people.enrolment import RELATIVE, record_consent
from storage.people.invites import BadInvite, use_invite
from storage.people.who import Who, load_who
from storage.register.contacts import record_heard

router = Router(name="relative.consent")
router.message.filter(known)
router.callback_query.filter(known)


async def _not_for(tx: Tx, who: Who, inviter: Spoken) -> str | None:
    """Why this link is not for whoever opened it."""
    if inviter.worker_id == who.person_id:
        return _("This link is for someone at home. Pass it on to them; it does nothing for you.")
    if await find_tie(tx, inviter.worker_id, who.person_id) is not None:
        return _("You agreed to this already, so there is nothing more to do. Thank you.")
    return None


@router.message(CommandStart(deep_link=True, magic=F.args.startswith("r")))
async def open_link(
    message: Message, command: CommandObject, tx: Tx, who: Who, now: datetime
) -> Says:
    """Someone known opened a relative's link: only the consent for this is missing."""
    token = (command.args or "").strip()
    try:
        invited, inviter = await _read(tx, token, now)
    except BadInvite as bad:
        return say(message.chat.id, why_not(bad, token))
    await record_heard(tx, who, now, kind="message", outcome="link")
    refusal = await _not_for(tx, who, inviter)
    if refusal is not None:
        return say(message.chat.id, refusal)
    rows = [
        [button(label, KinLinkTap(choice=choice, token=token).pack())]
        for label, choice in ((_("Agree"), "agree"), (_("Decline"), "decline"))
    ]
    markup = InlineKeyboardMarkup(inline_keyboard=rows)
    return say(message.chat.id, invited.consent_words(), markup)


async def _read(tx: Tx, token: str, now: datetime) -> tuple[Invited, Spoken]:
    invited = await read_invite(tx, token, now)
    if invited.inviter is None:
        raise BadInvite("unknown")
    return invited, invited.inviter


@router.callback_query(KinLinkTap.filter(F.choice == "agree"))
async def tap_agree(
    tap: CallbackQuery,
    callback_data: KinLinkTap,
    tx: Tx,
    who: Who,
    state: FSMContext,
    now: datetime,
) -> Says:
    """A purpose of its own, for someone who agreed to another one before."""
    token = callback_data.token
    try:
        invited, inviter = await _read(tx, token, now)
        refusal = await _not_for(tx, who, inviter)
        if refusal is not None:
            return [toast(tap), replace(tap, refusal)]
        if not await use_invite(tx, invited.invite.id):
            raise BadInvite("used")
    except BadInvite as bad:
        return [toast(tap), replace(tap, why_not(bad, token))]
    await state.clear()
    await record_consent(
        tx, who.person_id, purpose=RELATIVE, given=True, channel=who.channel, now=now
    )
    kin_id = await join_family(tx, who.person_id, inviter, now)
    await tell_agreed(tx, kin_id, now)
    renewed = await load_who(tx, who.bot_id, who.chat_id)
    text, keyboard = main_menu(renewed or who)
    return [
        toast(tap),
        replace(tap, agreed_words(inviter.name)),
        say(tap.from_user.id, text, keyboard),
    ]


def agreed_words(name: str) -> str:
    return _(
        "Thank you. When we would like to know about {name}, we ask you here; "
        "and when you hear from them, one tap tells us."
    ).format(name=called(name))


@router.callback_query(KinLinkTap.filter(F.choice == "decline"))
async def tap_decline(tap: CallbackQuery) -> Says:
    return [toast(tap), replace(tap, _("All right, nothing has changed."))]

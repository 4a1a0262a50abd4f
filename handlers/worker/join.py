"""Someone known only as family comes onto a village's register, too."""

from datetime import datetime

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import MoveTap
from handlers.keyboards import place_choice
from handlers.say import Says, replace, say, toast
from handlers.worker.access import known
from handlers.worker.invited import why_not
from handlers.worker.states import Enrolling
from storage.database import Tx
from storage.people.enrolment import PURPOSE, enrol, record_consent
from storage.people.invites import BadInvite, check_invite, use_invite
from storage.people.who import Who, load_who
from storage.register.contacts import record_heard

router = Router(name="join")
router.callback_query.filter(known)


@router.callback_query(MoveTap.filter(F.choice == "join"))
async def tap_join(
    tap: CallbackQuery,
    callback_data: MoveTap,
    tx: Tx,
    who: Who,
    state: FSMContext,
    now: datetime,
) -> Says:
    """They agreed to a worker's purpose; what is known of them already is not asked again."""
    try:
        invite = await check_invite(tx, callback_data.token, now)
        if invite.kind != "worker" or invite.area_id is None or who.is_worker:
            raise BadInvite("unknown")
        if not await use_invite(tx, invite.id):
            raise BadInvite("used")
    except BadInvite as bad:
        return [toast(tap), replace(tap, why_not(bad))]
    await record_consent(
        tx, who.person_id, purpose=PURPOSE, given=True, channel=who.channel, now=now
    )
    if not who.name:
        await state.set_state(Enrolling.name)
        await state.set_data({"area": invite.area_id})
        asked = say(tap.from_user.id, _("What shall we call you?"))
        return [toast(tap), replace(tap, _("Thank you. Now we know each other.")), asked]
    await enrol(tx, who.person_id, invite.area_id, now)
    enrolled = await load_who(tx, who.bot_id, who.chat_id)
    if enrolled is not None:
        await record_heard(tx, enrolled, now, kind="message", outcome="enrolled")
    await state.set_state(Enrolling.place)
    await state.set_data({})
    where = _("Hello {name}. Where are you now? A city or a country is enough.")
    return [
        toast(tap),
        replace(tap, _("Thank you. Now we know each other.")),
        say(tap.from_user.id, where.format(name=who.name), place_choice()),
    ]

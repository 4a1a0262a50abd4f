"""The name of someone who has just agreed to speak for a worker."""

from datetime import datetime

from aiogram import Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, ReplyKeyboardRemove
from aiogram.utils.i18n import gettext as _

from handlers.relative.consent import agreed_words
from handlers.relative.menu import relative_menu
from handlers.relative.states import Accepting
from handlers.say import Says, say
from handlers.worker.access import known
from handlers.worker.names import check_name, name_refused
from storage.database import Tx
from storage.family.ties import spoken_for, tell_agreed
from storage.people.enrolment import rename
from storage.people.erasure import erase_person
from storage.people.who import Who
from storage.talk.dialogs import Conversation

router = Router(name="relative.naming")
router.message.filter(known)


@router.message(StateFilter(Accepting.name))
async def tell_name(
    message: Message,
    tx: Tx,
    who: Who,
    state: FSMContext,
    conversation: Conversation,
    now: datetime,
) -> Says:
    """With the name it is done, and the worker hears of it."""
    kin_id = int((await state.get_data()).get("kin", 0))
    about = await spoken_for(tx, who.person_id, kin_id)
    if not about:
        return await _no_longer_needed(message, tx, who, state, conversation, now)
    name = check_name(message.text or "")
    if name is None:
        return say(message.chat.id, name_refused(message.text or ""))
    await rename(tx, who.person_id, name)
    await tell_agreed(tx, kin_id, now)
    await state.clear()
    return say(message.chat.id, agreed_words(about[0].name), relative_menu(who)[1])


async def _no_longer_needed(
    message: Message,
    tx: Tx,
    who: Who,
    state: FSMContext,
    conversation: Conversation,
    now: datetime,
) -> Says:
    """The worker ended it meanwhile: there is nothing to keep a chat for."""
    await state.clear()
    if not (who.is_relative or who.is_worker or who.is_officer):
        await erase_person(tx, who, now)
        conversation.known = False
    return say(
        message.chat.id,
        _("This is not needed any more, so nothing of yours was kept. Thank you all the same."),
        ReplyKeyboardRemove(),
    )

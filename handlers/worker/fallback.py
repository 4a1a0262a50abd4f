"""What was not understood: passed to the liaison as a case, never dropped."""

from datetime import datetime

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.methods import SendMessage
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from handlers.say import Says, say, toast
from handlers.worker.access import worker
from handlers.worker.help_call import told
from handlers.worker.media import IS_MEDIA, media_of
from handlers.worker.menu import main_menu
from storage.database import Tx
from storage.people.who import Who
from storage.register.contacts import record_heard
from storage.talk.cases import CaseOpened, open_case

router = Router(name="fallback")


@router.message(worker, F.text | IS_MEDIA)
async def not_understood(message: Message, tx: Tx, who: Who, now: datetime) -> Says:
    return await pass_on(message, tx, who, now)


async def pass_on(message: Message, tx: Tx, who: Who, now: datetime) -> SendMessage:
    """Open a case with what was sent, and say who has it."""
    media, file_id = media_of(message)
    await record_heard(tx, who, now, kind="message", outcome="case")
    opened = await open_case(
        tx,
        who=who,
        text=message.text or message.caption,
        media=media,
        file_id=file_id,
        urgent=False,
        kind="media" if media else "question",
        now=now,
    )
    return say(message.chat.id, passed_on(opened, media))


def passed_on(opened: CaseOpened, media: str | None) -> str:
    """Who has it now, and why it was passed on."""
    if opened.officers == 0:
        return _(
            "We've kept this, but no liaison is here yet to read it. "
            "You'll be answered once there is."
        )
    if opened.urgent and opened.added:
        return told(opened, urgent=True)
    if media == "voice":
        said = _(
            "I can't listen to voice messages myself, so I passed it on to {name}, who will answer."
        )
    elif media is not None:
        said = _("I passed it on to {name}, who will look at it and answer.")
    else:
        said = _("I didn't get that, so I passed it on to {name}, who will answer.")
    return said.format(name=opened.officer_name or _("your liaison"))


@router.message(worker, F.sticker | F.animation | F.dice)
async def see_sticker(message: Message, tx: Tx, who: Who, now: datetime) -> Says:
    await record_heard(tx, who, now, kind="message", outcome="sticker")
    text, keyboard = main_menu(who)
    glad = _("Nice to hear from you.")
    return say(message.chat.id, f"{glad} {text}", keyboard)


@router.edited_message(worker, F.text | F.caption)
async def see_edit(message: Message) -> Says:
    return say(
        message.chat.id,
        _("I only read a message the way it first came. Please send it again, as you meant it."),
    )


@router.message(worker)
async def cannot_read(message: Message, tx: Tx, who: Who, now: datetime) -> Says:
    await record_heard(tx, who, now, kind="message", outcome="other")
    return say(
        message.chat.id, _("I can't read this kind of message. Words, voice and photos work.")
    )


@router.message()
async def ask_name_still(message: Message, who: Who | None = None) -> Says:
    """Agreed, but never gave a name, and the dialog is gone: the link helps."""
    if who is None or who.is_officer:
        return None
    return say(message.chat.id, _("Please open your village's invite link once more to finish."))


@router.callback_query()
async def old_button(tap: CallbackQuery, state: FSMContext) -> Says:
    """A forged button, or one from an older version: nothing happens, and it says so."""
    del state
    return toast(tap, _('This button no longer does anything. "Menu" shows what you can do.'))

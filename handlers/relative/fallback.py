"""What a relative writes that is no answer: passed on to the worker's liaison, never dropped."""

from dataclasses import replace
from datetime import datetime

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.types import Message
from aiogram.utils.i18n import gettext as _

from handlers.relative.access import only_family, relative
from handlers.relative.menu import relative_menu
from handlers.say import Says, say
from handlers.worker.fallback import passed_on
from handlers.worker.media import IS_MEDIA, media_of
from storage.database import Tx
from storage.family.ties import spoken_for
from storage.people.who import Who
from storage.talk.cases import open_case

router = Router(name="relative.fallback")
router.message.filter(only_family)
router.edited_message.filter(only_family)


@router.message(StateFilter(None), relative, F.text | IS_MEDIA)
async def not_understood(message: Message, tx: Tx, who: Who, now: datetime) -> Says:
    """To the liaison of the one they speak for; of several, the one they joined last."""
    media, file_id = media_of(message)
    about = (await spoken_for(tx, who.person_id))[-1]
    opened = await open_case(
        tx,
        who=replace(who, area_id=about.area_id),
        text=message.text or message.caption,
        media=media,
        file_id=file_id,
        urgent=False,
        kind="media" if media else "question",
        now=now,
    )
    return say(message.chat.id, passed_on(opened, media), relative_menu(who)[1])


@router.edited_message(F.text | F.caption)
async def see_edit(message: Message) -> Says:
    return say(
        message.chat.id,
        _("I only read a message the way it first came. Please send it again, as you meant it."),
    )


@router.message(StateFilter(None))
async def other(message: Message, who: Who) -> Says:
    return say(message.chat.id, *relative_menu(who))

"""What an officer writes that is no task and no reply: kindly, what they can do."""

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.types import Message
from aiogram.utils.i18n import gettext as _

from handlers.liaison.menu import officer_menu
from handlers.liaison.show import Page
from handlers.say import say
from storage.people.who import Who

router = Router(name="liaison.fallback")


async def _no_worker(_message: Message, who: Who | None = None) -> bool:
    # A worker's words are passed on, also those of a worker who is an officer.
    return who is not None and who.is_officer and not who.is_worker


@router.message(StateFilter(None), _no_worker)
async def explain(message: Message, who: Who) -> Page:
    text, keyboard = officer_menu(who)
    hint = _("To answer someone, reply to their message. For anything else, tap a button.")
    return [say(message.chat.id, f"{hint}\n\n{text}", keyboard)]


@router.edited_message(F.chat.type == "private", _no_worker)
async def see_edit(message: Message) -> Page:
    return [
        say(
            message.chat.id,
            _(
                "I only read a message the way it first came. "
                "Please send it again, as you meant it."
            ),
        )
    ]

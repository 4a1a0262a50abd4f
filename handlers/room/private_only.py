"""A group is no place for anyone's data: whoever speaks to the bot there is asked to come over."""

from aiogram import F, Router
from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.filters import JOIN_TRANSITION, ChatMemberUpdatedFilter
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message
from aiogram.utils.i18n import gettext as _

from handlers.say import Says, in_both, say, toast

router = Router(name="private_only")
_GROUPS = (ChatType.GROUP, ChatType.SUPERGROUP)


# Functions, where everything passes: aiogram sends an ``F`` to a thread and back.
async def _in_group(event: Message | ChatMemberUpdated) -> bool:
    return event.chat.type in _GROUPS


async def _under_group(tap: CallbackQuery) -> bool:
    return tap.message is not None and tap.message.chat.type in _GROUPS


router.message.filter(_in_group)
router.edited_message.filter(_in_group)
router.callback_query.filter(_under_group)
router.my_chat_member.filter(_in_group)


@router.my_chat_member(ChatMemberUpdatedFilter(JOIN_TRANSITION))
async def greet(event: ChatMemberUpdated) -> Says:
    if event.new_chat_member.status not in {
        ChatMemberStatus.MEMBER,
        ChatMemberStatus.ADMINISTRATOR,
    }:
        return None
    return say(
        event.chat.id,
        in_both("Hello. I don't read along here. To tell me something, write to me in private."),
    )


@router.message(F.text.startswith("/") | F.reply_to_message.from_user.is_bot)
async def ask_over(message: Message) -> Says:
    return say(
        message.chat.id,
        in_both("Here everyone can read along. Please write to me in private."),
    )


@router.message()
@router.edited_message()
async def leave_be(_message: Message) -> Says:
    """Room talk is not for us, and not kept."""
    return None


@router.callback_query()
async def tap(event: CallbackQuery) -> Says:
    return toast(event, _("Please write to me in private."))

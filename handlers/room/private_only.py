"""A group is no place for anyone's data: whoever speaks to the bot there is asked to come over."""

from aiogram import F, Router
from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.filters import JOIN_TRANSITION, ChatMemberUpdatedFilter
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message
from aiogram.utils.i18n import gettext as _

from handlers.say import Says, in_both, say, toast

router = Router(name="private_only")
_GROUPS = (ChatType.GROUP, ChatType.SUPERGROUP)
router.message.filter(F.chat.type.in_(_GROUPS))
router.edited_message.filter(F.chat.type.in_(_GROUPS))
router.callback_query.filter(F.message.chat.type.in_(_GROUPS))
router.my_chat_member.filter(F.chat.type.in_(_GROUPS))


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

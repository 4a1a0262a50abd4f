"""The bot was blocked, or let in again: what Telegram says at once of an account."""

from datetime import datetime

from aiogram import F, Router
from aiogram.enums import ChatType
from aiogram.filters import IS_MEMBER, IS_NOT_MEMBER, ChatMemberUpdatedFilter
from aiogram.types import ChatMemberUpdated

from handlers.worker.access import known
from storage.database import Tx
from storage.people.who import Who, mark_account

router = Router(name="reach")
router.my_chat_member.filter(F.chat.type == ChatType.PRIVATE, known)


@router.my_chat_member(ChatMemberUpdatedFilter(IS_MEMBER >> IS_NOT_MEMBER))
async def blocked(_event: ChatMemberUpdated, tx: Tx, who: Who, now: datetime) -> None:
    await mark_account(tx, who.account_id, "blocked", now)


@router.my_chat_member(ChatMemberUpdatedFilter(IS_NOT_MEMBER >> IS_MEMBER))
async def back(_event: ChatMemberUpdated, tx: Tx, who: Who, now: datetime) -> None:
    await mark_account(tx, who.account_id, "reachable", now)

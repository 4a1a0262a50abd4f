"""What a liaison does in the chat, on a phone, busy."""

from aiogram import F, Router

from handlers.liaison import (
    areas,
    broadcast,
    calls,
    console_link,
    fallback,
    habits,
    inbox,
    invite,
    menu,
    outcome,
    overasked,
    rollcall,
    rollcall_live,
    silent,
    tasks,
    today,
)
from handlers.liaison.access import IsOfficer, LeaveDraft, OwnWord

router = Router(name="liaison")
router.message.filter(IsOfficer(), F.chat.type == "private")
router.callback_query.filter(IsOfficer())
router.message.middleware(OwnWord())
router.callback_query.middleware(OwnWord())
router.callback_query.middleware(LeaveDraft())
# Replies to a case come before a draft: who answers someone in between means that someone.
router.include_routers(
    menu.router,
    inbox.router,
    broadcast.router,
    rollcall.router,
    rollcall_live.router,
    outcome.router,
    today.router,
    silent.router,
    tasks.router,
    habits.router,
    overasked.router,
    calls.router,
    areas.router,
    invite.router,
    console_link.router,
    fallback.router,
)

"""A second device: a link that lets this browser open a person's conversation.

The page asks before it attaches: whoever is sent such a link would otherwise write, unknowing,
in the sender's conversation.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiogram.utils.i18n import gettext as _
from aiohttp import web

from bot.channels.web.channel import WebChannel
from bot.channels.web.doors import Doors, read_json
from bot.channels.web.refusals import Refusal
from bot.channels.web.session import BOT_ID
from bot.channels.web.visitors import Visitor
from storage.database import Tx
from storage.people.invites import BadInvite, InviteInfo, check_invite, use_invite
from storage.people.who import person_name
from storage.talk.conversation import add_device, chat_of_person, open_chat


async def chat_behind(tx: Tx, token: str, now: datetime) -> tuple[InviteInfo, int]:
    """The invite, and the chat of the person who made it. Raises :class:`BadInvite`."""
    invite = await check_invite(tx, token, now)
    if invite.kind == "device" and invite.person_id is not None:
        chat_id = await chat_of_person(tx, BOT_ID, invite.person_id)
        if chat_id is not None:
            return invite, chat_id
    raise BadInvite("unknown")


async def describe_device(doors: Doors, request: web.Request) -> dict[str, Any]:
    """POST /chat/device: whose conversation the link opens; uses nothing up.

    ``{"name"}``, empty when none is held; ``{"here": true}`` when this browser has it open.
    Raises :class:`Refusal`.
    """
    channel = doors.channel
    payload = await read_json(request, channel.public_url)
    doors.check_address(request)
    visitor = await doors.visitor(request, str(payload.get("chat")))
    try:
        async with channel.db.read() as tx:
            invite, chat_id = await chat_behind(tx, str(payload.get("token")), channel.clock())
            assert invite.person_id is not None  # chat_behind has looked
            name = await person_name(tx, invite.person_id)
    except BadInvite as bad:
        raise Refusal(410, _why(bad)) from None
    if _is_here(visitor, chat_id):
        return {"here": True}
    return {"name": name}


async def attach_device(channel: WebChannel, visitor: Visitor, token: str) -> dict[str, Any]:
    """Give this browser the conversation of the person who made the link.

    Raises :class:`Refusal` 410 when the link no longer lets anyone in, 409 when the seat holds
    another's conversation: it may be their only way in.
    """
    now = channel.clock()
    try:
        async with channel.db.write() as tx:
            invite, chat_id = await chat_behind(tx, token, now)
            if _is_here(visitor, chat_id):
                return {"ok": True}  # opened again on the device that has it: no use is taken
            if not await use_invite(tx, invite.id):
                raise BadInvite("used")
            await open_chat(tx, chat_id, now)
            await add_device(tx, chat_id, visitor.cookie_key, now)
    except BadInvite as bad:
        raise Refusal(410, _why(bad)) from None
    channel.conversations.memory.forget_devices([visitor.cookie_key])
    channel.live.close(visitor.chat_id)
    return {"ok": True, "moved": True}


def _is_here(visitor: Visitor, chat_id: int) -> bool:
    """Whether the visitor's seat holds this conversation. Raises :class:`Refusal` if another."""
    if visitor.standing is not None and visitor.chat_id != chat_id:
        raise Refusal(
            409,
            lambda: _(
                "This browser can't hold one more conversation. "
                "Please open the link in another browser."
            ),
        )
    return visitor.standing is not None


def _why(bad: BadInvite) -> Callable[[], str]:
    if bad.why == "expired":
        return lambda: _("This link has expired. Please ask for a new one.")
    if bad.why == "used":
        return lambda: _("This link has already been used. Please ask for a new one.")
    return lambda: _("This link doesn't open anything. Please check it, or ask for a new one.")

"""POST /chat/send: what the person wrote, tapped, or where they are."""

import math
import re
from typing import Any, Final

from aiogram.utils.i18n import gettext as _
from aiohttp import web

from bot.channels.web.bubbles import quote
from bot.channels.web.buttons import holds_button
from bot.channels.web.devices import attach_device
from bot.channels.web.doors import BOT_USER, Doors, clean, malformed, read_json
from bot.channels.web.refusals import Refusal
from bot.channels.web.texts import MAX_TEXT, Unfit, fit_text
from bot.channels.web.update import tap_update
from bot.channels.web.visitors import Visitor
from bot.channels.web.words import pick_language

_START: Final = re.compile(r"/start(?:[ \n]+(\S{0,64}))?\Z")
_DEVICE: Final = re.compile(r"d[A-Za-z0-9_-]{21}\Z")


async def send(doors: Doors, request: web.Request) -> dict[str, Any]:
    """Answers after the commit. Raises :class:`Refusal`."""
    payload = await read_json(request, doors.channel.public_url)
    client_id, tag = str(payload.get("client_id")), str(payload.get("chat"))
    admitted = await doors.admit(request, client_id=client_id, tag=tag)
    async with doors.turn(request, admitted, tag) as visitor:
        if isinstance(payload.get("text"), str):
            return await _send_text(doors, request, visitor, client_id, payload)
        if isinstance(payload.get("tap"), dict):
            return await _send_tap(doors, request, visitor, client_id, payload["tap"])
        if isinstance(payload.get("location"), dict):
            return await _send_place(doors, request, visitor, client_id, payload["location"])
    raise malformed()


async def _send_text(
    doors: Doors, request: web.Request, visitor: Visitor, client_id: str, payload: dict[str, Any]
) -> dict[str, Any]:
    try:
        text = fit_text(clean(payload["text"]), None, MAX_TEXT, "message is too long")["text"]
    except Unfit:
        raise Refusal(400, lambda: _("That is too long. Please send it in parts.")) from None
    if not text:
        raise malformed()
    start = _START.match(text)
    if start is not None:
        token = start[1] or ""
        if _DEVICE.match(token):
            return await attach_device(doors.channel, visitor, token)
        # The command carries the invite's token: it is taken in, but neither shown nor kept.
        return await doors.say(request, visitor, client_id, None, text=text)
    body: dict[str, Any] = {"text": text}
    replied = None
    if isinstance(payload.get("reply_to"), int):
        replied = await doors.channel.conversations.find(visitor.chat_id, payload["reply_to"])
        if replied is not None:
            body["reply"] = quote(replied)
    return await doors.say(request, visitor, client_id, body, replied=replied)


async def _send_tap(
    doors: Doors, request: web.Request, visitor: Visitor, client_id: str, tap: dict[str, Any]
) -> dict[str, Any]:
    message_id, data = tap.get("message_id"), tap.get("data")
    if not isinstance(message_id, int) or not isinstance(data, str):
        raise malformed()
    bubble = await doors.channel.conversations.find(visitor.chat_id, message_id)
    if bubble is None or bubble.body is None or not holds_button(bubble.body, data):
        # Also the second of two taps, when the first has already changed the message.
        return {"ok": True, "stale": True}
    update = tap_update(
        visitor.chat_id,
        client_id,
        bubble,
        BOT_USER,
        language=pick_language(request.headers.get("Accept-Language")),
        data=data,
    )
    return await doors.take(visitor, client_id, update)


async def _send_place(
    doors: Doors, request: web.Request, visitor: Visitor, client_id: str, place: dict[str, Any]
) -> dict[str, Any]:
    latitude, longitude = _degrees(place.get("latitude"), 90), _degrees(place.get("longitude"), 180)
    location = {"latitude": latitude, "longitude": longitude}
    return await doors.say(request, visitor, client_id, {"kind": "location"}, location=location)


def _degrees(value: Any, most: int) -> float:
    """A coordinate, rounded to a tenth of a degree (about 10 km): whereabouts are coarse."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise malformed()
    if not math.isfinite(value) or abs(value) > most:
        raise malformed()
    return round(float(value), 1)

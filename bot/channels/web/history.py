"""GET /chat/history?before=ID: the page of messages before the oldest one shown."""

from typing import Any

from aiohttp import web

from bot.channels.web.bubbles import for_page
from bot.channels.web.conversations import PAGE
from bot.channels.web.doors import Doors, malformed


async def read_history(doors: Doors, request: web.Request) -> dict[str, Any]:
    """``{more, messages}``, oldest first. Raises :class:`Refusal`."""
    before = request.query.get("before", "")
    if not before.isdecimal() or len(before) > 10:
        raise malformed()
    visitor = await doors.visitor(request, request.query.get("chat", ""))
    bubbles = await doors.channel.conversations.before(visitor.chat_id, int(before))
    return {"more": len(bubbles) == PAGE, "messages": [for_page(bubble) for bubble in bubbles]}

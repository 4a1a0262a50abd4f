"""GET /chat/events: what is said, as it is said, for as long as the page is open."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.channels.web.bubbles import for_page
from bot.channels.web.channel import WebChannel
from bot.channels.web.conversations import Mark, News
from bot.channels.web.live import Page
from bot.channels.web.visitors import Visitor
from storage.talk.room import find_room

HEARTBEAT_SECONDS: Final = 15.0
OnOpen = Callable[[int], Awaitable[None]]
_log = logging.getLogger(__name__)


async def stream_events(
    channel: WebChannel, on_open: OnOpen | None, request: web.Request
) -> web.StreamResponse:
    """Server-sent events; ``Last-Event-ID`` or ``?since=`` resumes after a revision.

    ``news``: ``{reset, more, messages}``; ``room``; ``typing``; ``toast``; ``moved``: this
    browser holds another conversation now; ``beat``: nothing happened.
    """
    visitor = await channel.visitors.find(request)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    await response.prepare(request)
    since = request.headers.get("Last-Event-ID") or request.query.get("since", "")
    # A page whose line ends for any of these connects again, with the last revision it has.
    with contextlib.suppress(ConnectionError, DBAPIError, PoolTimeout, OSError):
        if visitor is None or visitor.tag != request.query.get("chat"):
            await _write(response, "moved", {})
            return response
        opened = _tell_opened(on_open, visitor.chat_id)
        try:
            with channel.live.open(visitor.chat_id) as page:
                await _follow(channel, page, visitor, Mark.parse(since), response)
        finally:
            if opened is not None and not opened.done():
                opened.cancel()
    return response


async def _follow(
    channel: WebChannel, page: Page, visitor: Visitor, mark: Mark, response: web.StreamResponse
) -> None:
    room: dict[str, Any] | None = None
    await _write(response, "beat", {})
    while not page.closed:
        heard = room is None
        while (news := await channel.conversations.news(page.chat_id, mark)) is not None:
            mark, heard = news.mark, True
            await _write(response, "news", _for_page(news), mark)
        # Whatever was said may have been a joining, a leaving, or another language.
        if heard and (now_room := await describe_room(channel, visitor.chat_id)) != room:
            room = now_room
            await _write(response, "room", room)
        while page.passing:
            await _write(response, *page.passing.popleft())
        if not await page.woken(HEARTBEAT_SECONDS):
            await _write(response, "beat", {})


async def describe_room(channel: WebChannel, chat_id: int) -> dict[str, Any]:
    """``{name, language, demo}``; name and language are null for someone not known."""
    async with channel.db.read() as tx:
        room = await find_room(tx, channel.bot.id, chat_id)
    if room is None:
        return {"name": None, "language": None, "demo": channel.demo}
    return {
        "name": room.name or None,
        "language": room.language,
        "demo": channel.demo or room.is_demo,
    }


def _for_page(news: News) -> dict[str, Any]:
    return {
        "reset": news.reset,
        "more": news.more,
        "messages": [for_page(bubble) for bubble in news.bubbles],
        "keyboard": for_page(news.keyboard) if news.keyboard else None,
    }


async def _write(
    response: web.StreamResponse, event: str, data: dict[str, Any], mark: Mark | None = None
) -> None:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    number = f"id: {mark}\n" if mark else ""
    await response.write(f"event: {event}\n{number}data: {text}\n\n".encode())


def _tell_opened(on_open: OnOpen | None, chat_id: int) -> asyncio.Task[None] | None:
    if on_open is None:
        return None

    async def tell() -> None:
        try:
            await on_open(chat_id)
        except Exception:  # noqa: BLE001  # a page opens whatever its opening sets off
            _log.exception("what happens when a chat page opens has failed")

    return asyncio.create_task(tell())

"""The web chat's addresses."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.channels.web.assets import Assets
from bot.channels.web.channel import WebChannel
from bot.channels.web.devices import describe_device
from bot.channels.web.doors import Doors, Take, away
from bot.channels.web.events import OnOpen, stream_events
from bot.channels.web.files import serve_file
from bot.channels.web.history import read_history
from bot.channels.web.page import STATIC, ChatPage
from bot.channels.web.refusals import Refusal, answer
from bot.channels.web.send import send
from bot.channels.web.upload import upload

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def web_routes(
    channel: WebChannel,
    *,
    take: Take,
    unavailable: type[Exception],
    on_open: OnOpen | None = None,
) -> list[web.AbstractRouteDef]:
    """``take`` is ``Intake.take``; ``unavailable`` what it raises when nothing happened.

    ``on_open(chat_id)`` is called each time a page's event stream opens.
    """
    doors = Doors(channel, take, unavailable)
    assets = Assets(STATIC, "/chat/static/")
    page = ChatPage(channel, assets)

    def speaking(door: Callable[[Doors, web.Request], Awaitable[dict[str, Any]]]) -> _Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                found = await door(doors, request)
            except Refusal as refusal:
                return answer(refusal, channel, request)
            except (DBAPIError, PoolTimeout, OSError):
                return answer(away(), channel, request)
            return web.json_response(found, headers={"Cache-Control": "no-store"})

        return handle

    async def speaking_page(request: web.Request) -> web.StreamResponse:
        try:
            return await page.show(request)
        except (DBAPIError, PoolTimeout, OSError):
            return page.show_away(request)

    async def to_page(request: web.Request) -> web.StreamResponse:
        query = f"?{request.query_string}" if request.query_string else ""
        raise web.HTTPFound(f"/chat/{query}")

    async def events(request: web.Request) -> web.StreamResponse:
        return await stream_events(channel, on_open, request)

    async def file(request: web.Request) -> web.StreamResponse:
        return await serve_file(channel, request)

    async def static(request: web.Request) -> web.StreamResponse:
        return assets.serve(request)

    return [
        web.get("/chat", to_page),
        web.get("/chat/", speaking_page),
        web.get("/chat/strings", page.tell_words),
        web.get("/chat/static/{build}/{name}", static),
        web.get("/chat/events", events, allow_head=False),
        web.get("/chat/history", speaking(read_history)),
        web.get("/chat/file/{ref}", file),
        web.post("/chat/send", speaking(send)),
        web.post("/chat/device", speaking(describe_device)),
        web.post("/chat/upload", speaking(upload)),
    ]

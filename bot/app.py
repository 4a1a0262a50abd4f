"""The aiohttp application: every address the service answers at."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohttp import web

LARGEST_BODY: Final = 11 * 1024 * 1024
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(routes: Sequence[web.AbstractRouteDef], console: web.Application) -> web.Application:
    """``/chat/``, ``/telegram/webhook``, ``/healthz`` …, and the console under ``/console/``."""
    app = web.Application(client_max_size=LARGEST_BODY)
    app.add_routes(routes)
    app.router.add_get("/", _to_chat)
    app.add_subapp("/console/", console)
    app.on_response_prepare.append(_guard)
    return app


async def _to_chat(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/chat/")


async def _guard(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers["Server"] = "kinroom"

"""GET /chat/: the page, with its words and what its scripts need to begin."""

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.channels.web.assets import Assets
from bot.channels.web.channel import WebChannel
from bot.channels.web.events import describe_room
from bot.channels.web.seats import choose_seat
from bot.channels.web.upload import MAX_UPLOAD
from bot.channels.web.visitors import seat_of
from bot.channels.web.words import page_words, pick_language
from locales.catalogs import LANGUAGES

STATIC: Final = Path(__file__).parent / "static"
_SECURITY: Final = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob: data:",
            "media-src 'self' blob:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), geolocation=(self), camera=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class ChatPage:
    """Renders the page. The token of ``?start=`` is left to the page's script: a link preview
    that fetches the address uses nothing up.
    """

    def __init__(self, channel: WebChannel, assets: Assets) -> None:
        self._channel = channel
        self._assets = assets
        environment = Environment(
            loader=FileSystemLoader(STATIC), autoescape=True, undefined=StrictUndefined
        )
        self._template = environment.get_template("chat.html")

    async def show(self, request: web.Request) -> web.Response:
        visitors = self._channel.visitors
        seat = seat_of(request)
        invite = request.query.get("start", "")
        if invite:
            better = await choose_seat(self._channel, request, invite)
            if better != seat:
                query = urlencode({"seat": better, "start": invite})
                raise web.HTTPFound(f"/chat/?{query}")
        visitor = await visitors.find(request, seat)
        token = visitors.token_of(request, seat)
        if visitor is None:
            token, visitor = await visitors.welcome()
        room = await describe_room(self._channel, visitor.chat_id)
        language = _language(request, room["language"])
        words = page_words(self._channel.i18n, language)
        setup = {
            "chat": visitor.tag,
            "seat": seat,
            "language": language,
            "room": room,
            "max_upload": MAX_UPLOAD,
            "words": words,
        }
        page = self._template.render(
            language="zh-CN" if language == "zh" else language,
            words=words,
            name=room["name"] or words["room"],
            demo=room["demo"],
            setup=_script_safe(setup),
            asset=self._assets.address,
        )
        response = self._assets.packed(request, page.encode(), "text/html")
        response.headers.update(_SECURITY)
        visitors.set_cookie(response, token, seat)
        return response

    def show_away(self, request: web.Request) -> web.Response:
        """The database is out of reach: one sentence, and the browser tries again by itself."""
        words = page_words(self._channel.i18n, _language(request, None))
        headers = {**_SECURITY, "Refresh": "10"}
        return web.Response(status=503, text=words["away"], headers=headers)

    async def tell_words(self, request: web.Request) -> web.Response:
        """GET /chat/strings?lang=: the page's words in another language."""
        language = _language(request, None)
        words = page_words(self._channel.i18n, language)
        return web.json_response({"language": language, "words": words})


def _language(request: web.Request, known: str | None) -> str:
    for wanted in (request.query.get("lang"), known):
        if wanted in LANGUAGES:
            return wanted
    return pick_language(request.headers.get("Accept-Language"))


def _script_safe(setup: dict[str, Any]) -> str:
    # Inside <script type="application/json"> only these could end the element early.
    text = json.dumps(setup, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

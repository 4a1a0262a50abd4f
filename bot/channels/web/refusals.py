"""What a request that cannot be served gets: a status, and a sentence the page shows."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from aiogram.utils.i18n import gettext as _
from aiohttp import web

from bot.channels.web.channel import WebChannel
from bot.channels.web.words import pick_language, say


class Refusal(Exception):
    """``status`` and a sentence; ``extra`` tells the page's script what to do."""

    def __init__(self, status: int, sentence: Callable[[], str], **extra: Any) -> None:
        super().__init__(status)
        self.status = status
        self.sentence = sentence
        self.extra = extra


def answer(refusal: Refusal, channel: WebChannel, request: web.Request) -> web.Response:
    """``{"error": sentence, ...}`` in the browser's language."""
    language = pick_language(request.headers.get("Accept-Language"))
    error = say(channel.i18n, language, refusal.sentence)
    headers = {"Cache-Control": "no-store"}
    if "wait" in refusal.extra:
        headers["Retry-After"] = str(refusal.extra["wait"])
    return web.Response(
        status=refusal.status,
        text=json.dumps({"error": error, **refusal.extra}),
        content_type="application/json",
        headers=headers,
    )


def check_origin(request: web.Request, public_url: str) -> None:
    """Only our own pages may write. Raises :class:`Refusal` 403.

    ``Sec-Fetch-Site`` is the browser's own word; older browsers send ``Origin`` only.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        allowed = site == "same-origin"
    else:
        host = urlsplit(request.headers.get("Origin", "")).netloc
        allowed = bool(host) and host in {request.host, urlsplit(public_url).netloc}
    if not allowed:
        raise Refusal(403, lambda: _("Please write from the chat page itself."))

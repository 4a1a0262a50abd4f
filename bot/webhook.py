"""Updates posted by Telegram; 200 is said only after the commit."""

import hmac
import json
from typing import Final

import structlog
from aiogram import Bot
from aiohttp import web

from bot.intake import Intake, IntakeUnavailable
from bot.polling import parse_update

log: Final = structlog.get_logger(__name__)
PATH: Final = "/telegram/webhook"
_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"


def webhook_route(bot: Bot, intake: Intake, secret: str) -> web.RouteDef:
    """``POST /telegram/webhook``. 401 without the secret, 400 for what is no update, 503 while
    the database is away: Telegram then sends it again.
    """
    expected = secret.encode()

    async def receive(request: web.Request) -> web.Response:
        given = request.headers.get(_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, expected):
            return web.Response(status=401)
        try:
            raw = json.loads(await request.read())
        except ValueError:
            return web.Response(status=400)
        if not isinstance(raw, dict) or not isinstance(raw.get("update_id"), int):
            return web.Response(status=400)
        update = parse_update(bot, raw)
        if update is not None:
            try:
                await intake.take(bot, update)
            except IntakeUnavailable as away:
                log.warning(
                    "the database cannot be reached; Telegram will send the update again",
                    reason=type(away.__cause__).__name__,
                )
                return web.Response(status=503, headers={"Retry-After": "5"})
        return web.Response()

    return web.post(PATH, receive)

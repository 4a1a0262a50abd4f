"""How a bot gets its updates: by asking, or by webhook."""

from __future__ import annotations

import re

from .errors import Json, bad_request, conflict
from .request import Handler, Request
from .updates import MAX_TIMEOUT
from .webhook import Webhook


async def get_updates(request: Request) -> list[Json]:
    """Unlike Telegram, a poll that repeats an offset is not slowed down."""
    bot = request.bot
    if bot.webhook is not None:
        raise conflict(
            "can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first"
        )
    bot.updates.allow(request.get("allowed_updates"))
    limit = min(max(request.get("limit", 100), 1), 100)
    timeout = min(max(request.get("timeout", 0), 0), MAX_TIMEOUT)
    return await bot.updates.fetch(request.get("offset", 0), limit, timeout)


async def set_webhook(request: Request) -> bool:
    """Takes plain http too, as a local Bot API server does."""
    request.check_supported("certificate")
    url = request.get("url")
    if not url:
        return await delete_webhook(request)
    secret = request.get("secret_token", "")
    if len(secret) > 256:
        raise bad_request("secret token is too long")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
        raise bad_request("secret token contains unallowed characters")
    if not re.fullmatch(r"https?://[^/\s]+\S*", url):
        raise bad_request("invalid webhook URL specified")
    connections = request.get("max_connections", 40)
    if not 1 <= connections <= 100:
        raise bad_request("max_connections must be 1–100")
    bot = request.bot
    bot.updates.allow(request.get("allowed_updates"))
    if bot.webhook is not None:
        await bot.webhook.stop()
    if request.get("drop_pending_updates"):
        bot.updates.pending.clear()
    bot.updates.take_over(conflict("terminated by setWebhook request"))
    bot.webhook = Webhook(request.server, bot, url, secret, connections)
    bot.webhook.start()
    return True


async def delete_webhook(request: Request) -> bool:
    bot = request.bot
    if bot.webhook is not None:
        await bot.webhook.stop()
        bot.webhook = None
    if request.get("drop_pending_updates"):
        bot.updates.pending.clear()
    return True


def get_webhook_info(request: Request) -> Json:
    bot = request.bot
    info: Json = {
        "url": "",
        "has_custom_certificate": False,
        "pending_update_count": len(bot.updates.pending),
    }
    if bot.webhook is not None:
        info.update(bot.webhook.json())
    if bot.updates.allowed:
        info["allowed_updates"] = bot.updates.allowed
    return info


METHODS: dict[str, Handler] = {
    "getUpdates": get_updates,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
}

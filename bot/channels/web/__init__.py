"""The built-in web chat: an aiogram session, and the pages people write from."""

from bot.channels.web.channel import ABILITIES, WebChannel
from bot.channels.web.routes import web_routes
from bot.channels.web.session import BOT_ID, TOKEN, WebSession

__all__ = ["ABILITIES", "BOT_ID", "TOKEN", "WebChannel", "WebSession", "web_routes"]

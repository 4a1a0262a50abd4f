"""The liaison's console: server-rendered pages behind a one-time link from the chat."""

from handlers.console.app import console_app
from handlers.console.live import LiveFeed

__all__ = ["LiveFeed", "console_app"]

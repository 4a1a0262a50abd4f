"""What the page sends, as the Bot API's Update."""

import hashlib
import re
from typing import Any, Final

from aiogram.types import Update

from bot.channels.web.bubbles import for_bot, user
from storage.talk.conversation import Bubble

_QUERY: Final = re.compile(r"web-(\d{1,16})-\d{1,20}\Z")


def update_id(chat_id: int, client_id: str) -> int:
    """62 bits of the page's own random id, so that the same message has one effect.

    Bound to the chat: nobody can use up an id for another.
    """
    digest = hashlib.sha256(f"{chat_id}/{client_id}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 2 or 1


def message_update(
    chat_id: int,
    client_id: str,
    bubble: Bubble,
    bot_user: dict[str, Any],
    *,
    language: str | None,
    text: str | None = None,
    location: dict[str, float] | None = None,
    replied: Bubble | None = None,
) -> Update:
    """The person wrote. ``text`` and ``location`` are what the bubble does not keep."""
    message = for_bot(bubble, chat_id, bot_user) | {"from": user(chat_id, language)}
    if text is not None:
        message["text"] = text
    if location is not None:
        message["location"] = location
    words = message.get("text", "")
    if words.startswith("/"):
        command = words.split(maxsplit=1)[0]
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(command)}]
    if replied is not None:
        quoted = for_bot(replied, chat_id, bot_user)
        quoted.pop("reply_to_message", None)
        message["reply_to_message"] = quoted
    return Update.model_validate({"update_id": update_id(chat_id, client_id), "message": message})


def tap_update(
    chat_id: int,
    client_id: str,
    bubble: Bubble,
    bot_user: dict[str, Any],
    *,
    language: str | None,
    data: str,
) -> Update:
    """The person tapped a button under ``bubble``."""
    number = update_id(chat_id, client_id)
    query = {
        "id": f"web-{chat_id}-{number}",
        "from": user(chat_id, language),
        "chat_instance": str(chat_id),
        "message": for_bot(bubble, chat_id, bot_user),
        "data": data,
    }
    return Update.model_validate({"update_id": number, "callback_query": query})


def chat_of_query(query_id: str) -> int | None:
    """The chat a callback query came from; ``None`` for an id not made here."""
    found = _QUERY.match(query_id)
    return int(found[1]) if found else None

"""A bubble in its three shapes: the stored body, what the page gets, and aiogram's Message.

A body has ``text`` and may have ``entities``; ``me`` when the person wrote it, with the page's
``client`` id; ``kind`` (``photo voice document``) with ``file``, or ``kind`` ``location``, whose
coordinates are kept nowhere;
``inline``, ``keyboard`` or ``force`` (see ``buttons.py``); ``reply`` to ``{id, text}``;
``edited`` (unix time).
"""

from typing import TYPE_CHECKING, Any

from aiogram.types import Message

from bot.channels.web.buttons import inline_markup
from storage.talk.conversation import Bubble, StoredFile

if TYPE_CHECKING:
    from aiogram import Bot

_SNIPPET = 80


def for_page(bubble: Bubble) -> dict[str, Any]:
    """What the browser is told of a bubble; callback data included, nothing else of the bot's."""
    if bubble.body is None:
        return {"id": bubble.message_id, "gone": True}
    return {"id": bubble.message_id, "at": int(bubble.at.timestamp()), **bubble.body}


def for_bot(bubble: Bubble, chat_id: int, bot_user: dict[str, Any]) -> dict[str, Any]:
    """The Bot API's Message as JSON."""
    body = bubble.body or {}
    message: dict[str, Any] = {
        "message_id": bubble.message_id,
        "date": int(bubble.at.timestamp()),
        "chat": {"id": chat_id, "type": "private"},
        "from": user(chat_id) if body.get("me") else bot_user,
    }
    kind: str = body.get("kind", "text")
    words, marks = ("caption", "caption_entities") if "file" in body else ("text", "entities")
    if body.get("text"):
        message[words] = body["text"]
    if "entities" in body:
        message[marks] = body["entities"]
    if "file" in body:
        message[kind] = _media(kind, body["file"])
    markup = inline_markup(body)
    if markup:
        message["reply_markup"] = markup
    if "reply" in body:
        message["reply_to_message"] = {
            "message_id": body["reply"]["id"],
            "date": 0,
            "chat": message["chat"],
            "text": body["reply"]["text"],
        }
    if "edited" in body:
        message["edit_date"] = body["edited"]
    return message


def user(chat_id: int, language: str | None = None) -> dict[str, Any]:
    """The person as the Bot API's User. The web chat knows no name before it is asked."""
    found = {"id": chat_id, "is_bot": False, "first_name": ""}
    return found | {"language_code": language} if language else found


def as_message(bot: "Bot", bubble: Bubble, chat_id: int, bot_user: dict[str, Any]) -> Message:
    return Message.model_validate(for_bot(bubble, chat_id, bot_user), context={"bot": bot})


def file_entry(file: StoredFile, **details: int) -> dict[str, Any]:
    """A body's ``file``; ``details`` are width, height, duration where known."""
    entry = {"ref": file.ref, "name": file.name, "mime": file.mime, "size": len(file.content)}
    return entry | {name: value for name, value in details.items() if value}


def quote(bubble: Bubble) -> dict[str, Any]:
    """A body's ``reply``."""
    text = (bubble.body or {}).get("text", "")
    return {"id": bubble.message_id, "text": text[:_SNIPPET]}


def _media(kind: str, file: dict[str, Any]) -> Any:
    entry = {
        "file_id": file["ref"],
        "file_unique_id": file["ref"][:16],
        "file_size": file["size"],
    }
    if kind == "photo":
        return [entry | {"width": file.get("width", 0), "height": file.get("height", 0)}]
    entry["mime_type"] = file["mime"]
    if kind == "voice":
        return entry | {"duration": file.get("duration", 0)}
    return entry | {"file_name": file["name"]}

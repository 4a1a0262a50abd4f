"""One call as a method sees it, and the checks that many methods share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .chat import Chat
from .errors import ApiError, Json, bad_request
from .html import parse_html
from .message import Message
from .text import check_entities, clean, find, units

if TYPE_CHECKING:
    from .account import BotAccount
    from .server import BotApi


MAX_SOURCE = 1 << 15  # bytes of text before parsing


@dataclass(frozen=True)
class Request:
    """`params` are checked against the schema."""

    server: BotApi
    bot: BotAccount
    method: str
    params: Json

    def get(self, name: str, default: Any = None) -> Any:
        return self.params.get(name, default)

    def check_supported(self, *names: str) -> None:
        """501 for parameters whose effect this server does not have."""
        for name in names:
            if self.params.get(name) not in (None, False):
                raise not_supported(f'parameter "{name}" of {self.method}')


Handler = Callable[[Request], Any] | Callable[[Request], Awaitable[Any]]


def not_supported(what: str) -> ApiError:
    """501: the real Bot API has it, this server does not."""
    return ApiError(501, f"Not Implemented: the test server does not support {what}")


def access_chat(request: Request, name: str = "chat_id") -> Chat:
    """The chat that the bot names. Raises ApiError 400 if it cannot know it."""
    chat_id = request.get(name)
    server, bot = request.server, request.bot
    if chat_id is None:
        raise bad_request("chat_id is empty")
    group = server.groups.get(chat_id)
    if group is not None and bot.id in group.status:
        return group
    user = server.users.get(chat_id)
    if user is not None:
        chat = server.private_chat(user, bot)
        # A bot knows whoever wrote to it, and whoever it met in a group.
        met = (g for g in server.groups.values() if {user.id, bot.id} <= g.status.keys())
        if chat.started or any(met):
            return chat
    raise bad_request("chat not found")


def access_message(request: Request, purpose: str, chat: Chat, name: str = "message_id") -> Message:
    """A message that still stands. Raises ApiError 400 `message to … not found`."""
    message = chat.find(request.get(name))
    if message is None:
        raise bad_request(f"message {purpose} not found")
    return message


def read_text(request: Request, name: str, limit: int) -> Json:
    """The text or caption with its entities, as fields of a Message; {} if there is none.

    Raises ApiError 400 for bad markup, or more than `limit` UTF-16 units after parsing.
    """
    source: str = request.get(name, "")
    if len(source.encode()) > MAX_SOURCE:
        raise bad_request("text is too long")
    mode = (request.get("parse_mode") or "none").lower()
    key = "entities" if name == "text" else "caption_entities"
    if mode == "html":
        text, entities = parse_html(source)
    elif mode in {"markdown", "markdownv2"}:
        raise bad_request(f"the test server does not support parse_mode {mode}; use HTML")
    elif mode == "none":
        text, entities = source, check_entities(source, request.get(key, []))
    else:
        raise bad_request("unsupported parse_mode")
    text, entities = clean(text, [_named(request.server, entity) for entity in entities])
    if not text:
        return {}
    if units(text) > limit:
        raise bad_request(f"message {'' if name == 'text' else 'caption '}is too long")
    entities = find(text, [e for e in entities if e["type"] != "text_mention" or e["user"]])
    return {name: text, **({key: entities} if entities else {})}


def _named(server: BotApi, entity: Json) -> Json:
    """A mention by id carries the person, where the server knows them."""
    if entity["type"] != "text_mention":
        return entity
    user_id = entity.pop("user_id", None) or entity.get("user", {}).get("id")
    user = server.users.get(user_id)
    return {**entity, "user": user.json() if user else None}

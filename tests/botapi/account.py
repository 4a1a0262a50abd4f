"""A bot's account: its token, its updates, its settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import Json
from .updates import UpdateQueue

if TYPE_CHECKING:
    from .chat import Chat, PrivateChat
    from .server import BotApi
    from .user import User
    from .webhook import Webhook


@dataclass(eq=False)
class BotAccount:
    """`privacy=False` lets the bot read every message of its groups."""

    server: BotApi = field(repr=False)
    token: str = field(repr=False)
    username: str
    first_name: str
    privacy: bool = True
    language_code: str | None = field(default=None, init=False)
    is_bot: bool = field(default=True, init=False)
    updates: UpdateQueue = field(default_factory=UpdateQueue, repr=False)
    webhook: Webhook | None = field(default=None, repr=False)
    # (setting, scope, language) -> value, as the setMy… methods left it
    settings: dict[tuple[str, str, str], Any] = field(default_factory=dict, repr=False)

    @property
    def id(self) -> int:
        return int(self.token.split(":")[0])

    def json(self) -> Json:
        """The Bot API's User, as it stands in messages."""
        return {
            "id": self.id,
            "is_bot": True,
            "first_name": self.first_name,
            "username": self.username,
        }

    def me(self) -> Json:
        """The Bot API's User, as getMe returns it."""
        return {
            **self.json(),
            "can_join_groups": True,
            "can_read_all_group_messages": not self.privacy,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def push(self, kind: str, payload: Json) -> None:
        """Queue an update, unless `allowed_updates` leaves its kind out."""
        self.updates.push(kind, payload)

    def push_member(self, chat: Chat, by: User | BotAccount, before: str, after: str) -> None:
        """Tell the bot that its own standing in `chat` changed."""
        states = []
        for status in (before, after):
            state: Json = {"user": self.json(), "status": status}
            if status == "kicked":
                state["until_date"] = 0
            states.append(state)
        if hasattr(chat, "member_json"):
            states = [chat.member_json(self, status) for status in (before, after)]
        self.push(
            "my_chat_member",
            {
                "chat": chat.json(),
                "from": by.json(),
                "date": self.server.unix_time(),
                "old_chat_member": states[0],
                "new_chat_member": states[1],
            },
        )

    def chat_with(self, user: User) -> PrivateChat:
        return self.server.private_chat(user, self)

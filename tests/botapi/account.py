"""A bot's account: its token, its updates, its settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import Json
from .updates import UpdateQueue

if TYPE_CHECKING:
    from .server import BotApi
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
    updates: UpdateQueue = field(init=False, repr=False)
    webhook: Webhook | None = field(default=None, repr=False)
    # (setting, scope, language) -> value, as the setMy… methods left it
    settings: dict[tuple[str, str, str], Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.updates = UpdateQueue(self.server.changes)

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

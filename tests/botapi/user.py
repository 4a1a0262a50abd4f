"""A person with a Telegram account."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .conversation import PrivateConversation
from .errors import Json

if TYPE_CHECKING:
    from .account import BotAccount
    from .server import BotApi


@dataclass(eq=False)
class User:
    """`open(bot)` gives this person's side of the chat with a bot."""

    server: BotApi = field(repr=False)
    id: int
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None
    deleted: bool = False
    is_bot: bool = field(default=False, init=False)
    _conversations: dict[int, PrivateConversation] = field(default_factory=dict, repr=False)

    def json(self) -> Json:
        """The Bot API's User."""
        more = {
            "last_name": self.last_name,
            "username": self.username,
            "language_code": self.language_code,
        }
        known = {key: value for key, value in more.items() if value is not None}
        return {"id": self.id, "is_bot": False, "first_name": self.first_name, **known}

    def open(self, bot: BotAccount) -> PrivateConversation:
        """This side of the chat with `bot`, always the same. The bot is told nothing yet."""
        chat = self.server.private_chat(self, bot)
        return self._conversations.setdefault(bot.id, PrivateConversation(self, chat))

    def delete_account(self) -> None:
        """From now on bots hear `Forbidden: user is deactivated`."""
        self.deleted = True

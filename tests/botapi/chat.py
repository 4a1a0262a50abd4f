"""A chat: its messages, and who may read and write in it."""

from __future__ import annotations

import itertools
import random
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from .changes import Changes
from .errors import Json, forbidden
from .keyboard import reply_buttons
from .message import Message

if TYPE_CHECKING:
    from .account import BotAccount
    from .server import BotApi
    from .user import User


class Chat(ABC):
    """What private chats and groups have in common. Ids of messages count per chat."""

    def __init__(self, server: BotApi, chat_id: int) -> None:
        self.server = server
        self.id = chat_id
        self.instance = str(random.getrandbits(63))
        self.history: dict[int, Message] = {}
        self.changes = Changes()
        self.keyboard: list[list[str]] | None = None
        self.actions: list[str] = []
        self._ids = itertools.count(1)

    @abstractmethod
    def json(self) -> Json:
        """The Bot API's Chat."""

    @abstractmethod
    def check_write(self, bot: BotAccount) -> None:
        """Raises ApiError if `bot` may not write here."""

    @abstractmethod
    def readers(self, message: Message) -> list[BotAccount]:
        """The bots that get `message` from Telegram."""

    def full_json(self) -> Json:
        """The Bot API's ChatFullInfo."""
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
        accepted = dict.fromkeys((*gifts, "gifts_from_channels"), False)
        more = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": accepted}
        return {**self.json(), **more}

    def member_json(self, member: User | BotAccount, status: str | None = None) -> Json:
        """The Bot API's ChatMember."""
        found: Json = {"user": member.json(), "status": status or "member"}
        if status == "kicked":
            found["until_date"] = 0
        return found

    def change_json(
        self, member: User | BotAccount, by: User | BotAccount, before: str, after: str
    ) -> Json:
        """The Bot API's ChatMemberUpdated."""
        return {
            "chat": self.json(),
            "from": by.json(),
            "date": self.server.unix_time(),
            "old_chat_member": self.member_json(member, before),
            "new_chat_member": self.member_json(member, after),
        }

    def post(self, sender: User | BotAccount, content: Json, markup: Json | None = None) -> Message:
        """Put a message into the chat and hand it to the bots that may read it."""
        raw: Json = {
            "message_id": next(self._ids),
            "from": sender.json(),
            "chat": self.json(),
            "date": self.server.unix_time(),
            **content,
        }
        message = Message(self, sender, raw)
        if markup is not None:
            if "inline_keyboard" in markup:
                raw["reply_markup"] = markup
            else:
                message.locked = True
                self.keyboard = reply_buttons(markup)
        self.history[message.message_id] = message
        if not sender.is_bot:
            self.hand_out("message", message)
        self.changes.notify()
        return message

    def hand_out(self, kind: str, message: Message) -> None:
        """An update of `kind` (`message`, `edited_message`) to all bots that read it."""
        for bot in self.readers(message):
            bot.push(kind, message.json())

    def find(self, message_id: Any) -> Message | None:
        message = self.history.get(message_id)
        return None if message is None or message.deleted else message

    def messages(self) -> list[Message]:
        """What stands in the chat now, oldest first."""
        return [message for message in self.history.values() if not message.deleted]


class PrivateChat(Chat):
    """One person and one bot. Its id is the person's."""

    def __init__(self, server: BotApi, user: User, bot: BotAccount) -> None:
        super().__init__(server, user.id)
        self.user = user
        self.bot = bot
        self.started = False
        self.blocked = False

    def json(self) -> Json:
        person = self.user.json()
        for key in ("is_bot", "language_code"):
            person.pop(key, None)
        return {**person, "type": "private"}

    def check_write(self, bot: BotAccount) -> None:
        if self.user.deleted:
            raise forbidden("user is deactivated")
        if not self.started:
            raise forbidden("bot can't initiate conversation with a user")
        if self.blocked:
            raise forbidden("bot was blocked by the user")

    def readers(self, message: Message) -> list[BotAccount]:
        return [self.bot]

    def set_blocked(self, blocked: bool) -> None:
        """Block or unblock the bot; it hears of it by `my_chat_member`."""
        if blocked == self.blocked:
            return
        self.blocked = blocked
        before, after = ("member", "kicked") if blocked else ("kicked", "member")
        self.bot.push("my_chat_member", self.change_json(self.bot, self.user, before, after))

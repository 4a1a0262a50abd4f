"""A group, and the supergroup that it may become."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .chat import Chat
from .conversation import Conversation
from .errors import Json, bad_request, forbidden
from .message import Message
from .text import cut

if TYPE_CHECKING:
    from .account import BotAccount
    from .server import BotApi
    from .user import User

_RIGHTS = (
    "can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages",
    "can_manage_video_chats", "can_restrict_members", "can_promote_members", "can_change_info",
    "can_invite_users", "can_post_stories", "can_edit_stories", "can_delete_stories",
    "can_send_welcome_messages",
)  # fmt: skip


class Group(Chat):
    """`type` is `group` until `migrate`, which makes a new chat of type `supergroup`."""

    def __init__(self, server: BotApi, chat_id: int, title: str, owner: User) -> None:
        super().__init__(server, chat_id)
        self.title = title
        self.type = "group"
        # member id -> status: creator, administrator, member, left, kicked
        self.status: dict[int, str] = {owner.id: "creator"}
        self.people: dict[int, User | BotAccount] = {owner.id: owner}
        self.successor: Group | None = None
        self._conversations: dict[int, Conversation] = {}

    def json(self) -> Json:
        return {"id": self.id, "type": self.type, "title": self.title}

    def full_json(self) -> Json:
        rights = (
            "send_messages", "send_audios", "send_documents", "send_photos", "send_videos",
            "send_video_notes", "send_voice_notes", "send_polls", "send_other_messages",
            "add_web_page_previews", "change_info", "invite_users", "pin_messages",
        )  # fmt: skip
        return {**super().full_json(), "permissions": {f"can_{right}": True for right in rights}}

    @property
    def owner(self) -> User | BotAccount:
        return self.people[next(iter(self.status))]

    def is_member(self, member: User | BotAccount) -> bool:
        return self.status.get(member.id, "left") not in {"left", "kicked"}

    def check_write(self, bot: BotAccount) -> None:
        if self.successor is not None:
            text = "group chat was upgraded to a supergroup chat"
            raise bad_request(text, migrate_to_chat_id=self.successor.id)
        if self.status.get(bot.id) == "kicked":
            raise forbidden(f"bot was kicked from the {self.type} chat")
        if not self.is_member(bot):
            raise forbidden(f"bot is not a member of the {self.type} chat")

    def readers(self, message: Message) -> list[BotAccount]:
        bots = [self.server.bots[i] for i in self.people if i in self.server.bots]
        return [bot for bot in bots if self.is_member(bot) and self._may_read(bot, message)]

    def _may_read(self, bot: BotAccount, message: Message) -> bool:
        """Privacy mode: commands, replies to the bot, mentions of it, and service messages."""
        if not bot.privacy or self.status[bot.id] == "administrator":
            return True
        raw = message.raw
        if not {"text", "caption"} & raw.keys():
            media = {"photo", "voice", "document", "sticker", "location", "contact"}
            if not media & raw.keys():
                return True
        if raw.get("reply_to_message", {}).get("from", {}).get("id") == bot.id:
            return True
        name = f"@{bot.username}".lower()
        for entity in message.entities:
            word = cut(message.text, entity["offset"], entity["length"]).lower()
            if entity["type"] == "mention" and word == name:
                return True
        command = re.match(r"/\w+(@\w+)?", message.text)
        return bool(command) and (command.group(1) or name).lower() == name  # type: ignore[union-attr]

    def add(self, member: User | BotAccount, by: User | None = None) -> None:
        """Add a person or a bot. The bot hears of it by `my_chat_member` and a message."""
        adder = by or self.owner
        before = self.status.get(member.id, "left")
        self.people[member.id] = member
        self.set_status(member, "member", adder, before)
        self.post(adder, {"new_chat_members": [member.json()]})

    def remove(self, member: User | BotAccount, by: User | None = None) -> None:
        """Kick. A bot that is kicked hears `my_chat_member`, and nothing more."""
        self.set_status(member, "kicked", by or self.owner)
        self.post(by or self.owner, {"left_chat_member": member.json()})

    def leave(self, member: User | BotAccount) -> None:
        """Leave by oneself."""
        self.set_status(member, "left", member)
        self.post(member, {"left_chat_member": member.json()})

    def promote(self, member: User | BotAccount, by: User | None = None) -> None:
        """Make an administrator; privacy mode no longer holds for a bot that is one."""
        self.set_status(member, "administrator", by or self.owner)

    def set_status(
        self, member: User | BotAccount, status: str, by: User | BotAccount, before: str = ""
    ) -> None:
        """Change a member's status and tell the bots whom it concerns."""
        before = before or self.status.get(member.id, "left")
        self.status[member.id] = status
        change = self.change_json(member, by, before, status)
        for bot in [b for b in self.server.bots.values() if b.id in self.status]:
            if bot.id == member.id:
                bot.push("my_chat_member", change)
            elif self.status[bot.id] == "administrator":
                bot.push("chat_member", change)
        self.changes.notify()

    def member_json(self, member: User | BotAccount, status: str | None = None) -> Json:
        """The Bot API's ChatMember."""
        found = super().member_json(member, status or self.status.get(member.id, "left"))
        if found["status"] == "administrator":
            found.update(dict.fromkeys(_RIGHTS, False), can_manage_chat=True)
        elif found["status"] == "creator":
            found["is_anonymous"] = False
        return found

    def migrate(self) -> Group:
        """Become a supergroup with a new id; both chats get their service message."""
        new = self.server.supergroup(self)
        by = self.owner
        self.post(by, {"migrate_to_chat_id": new.id})
        new.post(by, {"migrate_from_chat_id": self.id})
        self.successor = new
        return new

    def open(self, user: User) -> Conversation:
        """The group as one member sees it."""
        return self._conversations.setdefault(user.id, Conversation(user, self))

"""One message of a chat, as the people in it see it now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import Json
from .keyboard import inline_buttons

if TYPE_CHECKING:
    from .account import BotAccount
    from .chat import Chat
    from .user import User


@dataclass(eq=False)
class Message:
    """`raw` is the Bot API's Message; an edit changes it in place."""

    chat: Chat
    sender: User | BotAccount
    raw: Json
    # A message that came with a reply keyboard can no longer be edited.
    locked: bool = False
    deleted: bool = False
    reactions: dict[int, list[Json]] = field(default_factory=dict)  # by who reacted

    @property
    def message_id(self) -> int:
        number: int = self.raw["message_id"]
        return number

    @property
    def text(self) -> str:
        """The text, or the caption of a file, or nothing."""
        text: str = self.raw.get("text") or self.raw.get("caption") or ""
        return text

    @property
    def entities(self) -> list[Json]:
        entities: list[Json] = self.raw.get("entities") or self.raw.get("caption_entities") or []
        return entities

    @property
    def buttons(self) -> list[list[Json]]:
        """Rows of inline buttons under the message."""
        return inline_buttons(self.raw.get("reply_markup"))

    @property
    def labels(self) -> list[str]:
        """The words on all inline buttons, in order."""
        return [button["text"] for row in self.buttons for button in row]

    @property
    def from_bot(self) -> bool:
        return self.sender.is_bot

    @property
    def edited(self) -> bool:
        return "edit_date" in self.raw

    def button(self, wanted: str) -> Json:
        """The inline button with these words or this callback data; else LookupError.

        Exact words first, then callback data, then words that contain `wanted` in one
        button only.
        """
        buttons = [button for row in self.buttons for button in row]
        for key in ("text", "callback_data"):
            for button in buttons:
                if button.get(key) == wanted:
                    return button
        close = [button for button in buttons if wanted in button["text"]]
        if len(close) != 1:
            raise LookupError(f"no button {wanted!r} among {self.labels} under {self.text!r}")
        return close[0]

    def json(self) -> Json:
        """A copy, as it goes out to a bot."""
        return {key: _copy(value) for key, value in self.raw.items()}

    def quoted(self) -> Json:
        """A copy, as it stands inside another message: without the one it replies to."""
        quoted = self.json()
        for key in ("reply_to_message", "pinned_message"):
            quoted.pop(key, None)
        return quoted

    def __repr__(self) -> str:
        who = self.sender.username or self.sender.first_name
        return f"<{self.message_id} {who}: {self.text!r} {self.labels}>"


def _copy(value: Any) -> Any:
    """A copy of a JSON value; much faster than `copy.deepcopy`, which looks for cycles."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value

"""What the server was asked, and what came of it: the oracle of the fault tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import Json

if TYPE_CHECKING:
    from .account import BotAccount


@dataclass(eq=False)
class Call:
    """One request. `outcome` is one of

    `pending` (not answered yet), `ok`, `refused` (`code` and `description` say why),
    `cut` (connection closed before any effect), `lost` (closed after the effect),
    `garbled` (answered with something that is no Bot API answer).
    """

    at: float  # seconds, monotonic
    wall: float  # seconds, unix time
    method: str
    bot: BotAccount
    params: Json
    via: str = "http"  # or "webhook": asked in the answer to a webhook's POST
    outcome: str = "pending"
    effect: bool = False
    code: int = 0
    description: str = ""
    result: Any = field(default=None, repr=False)
    answered_at: float = 0.0  # seconds, monotonic

    @property
    def chat_id(self) -> int | None:
        chat_id = self.params.get("chat_id")
        return chat_id if isinstance(chat_id, int) else None


class Log(list[Call]):
    """All calls in the order they came."""

    def of(self, *methods: str, chat_id: int | None = None) -> list[Call]:
        """Calls of these methods (all, if none is named), of one chat or of all."""
        return [
            call
            for call in self
            if (not methods or call.method in methods) and chat_id in {None, call.chat_id}
        ]

    def accepted(self, *methods: str, chat_id: int | None = None) -> list[Call]:
        """Those that took effect, also where the bot never learnt it."""
        return [call for call in self.of(*methods, chat_id=chat_id) if call.effect]

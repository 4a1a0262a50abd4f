"""What the server was asked, and what came of it: the oracle of the fault tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import Json

if TYPE_CHECKING:
    from .account import BotAccount


@dataclass(eq=False, slots=True)
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
    """All calls in the order they came; `counts` of them by method, outcome and code.

    With `light`, a call keeps of its parameters and its result only what an oracle needs, once
    it is answered: a hundred thousand calls take some 60 MB."""

    def __init__(self) -> None:
        super().__init__()
        self.light = False
        self.counts: Counter[tuple[str, str, int]] = Counter()

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

    def answered(self, call: Call) -> None:
        """Count a call that is over."""
        self.counts[call.method, call.outcome, call.code] += 1

    def lighten(self, call: Call) -> None:
        """Keep of an answered call only what an oracle needs, if the log is to be `light`."""
        if not self.light:
            return
        call.params = {name: call.params[name] for name in _KEPT if name in call.params}
        result = call.result
        call.result = result.get("message_id") if isinstance(result, dict) else None


_KEPT = ("chat_id", "text", "message_id", "callback_query_id", "reply_markup")

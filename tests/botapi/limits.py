"""Telegram's limits, enforced: who sends faster is answered 429 with `retry_after`.

Nothing is limited until a figure is set. The words are Telegram's for every limit alike: the
answer does not say whether the chat or the whole bot was too fast.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass, field

from .errors import too_many_requests
from .faults import SPARED
from .log import Call

_POSTS = ("send", "copy", "forward")


@dataclass(eq=False)
class Limits:
    """`bot_rate`: messages of one bot in any second, times `bot_slack`; those that
    `allow_paid_broadcast` are let through up to `paid_rate`. `chat_rate`: messages a
    second to one person, `chat_burst` of them at once. `group_minute`: messages in any minute to
    one group. Replies count like all others; edits and answers to taps do not.

    `refused` counts, by `bot`, `chat`, `group`, and `flood` for a wait set by `hold_…`.
    """

    bot_rate: float | None = None
    bot_slack: float = 1.1
    paid_rate: float = 1000.0
    chat_rate: float | None = None
    chat_burst: int = 5
    group_minute: int | None = None
    refused: Counter[str] = field(default_factory=Counter)
    _second: dict[int, deque[float]] = field(default_factory=dict, repr=False)
    _minute: dict[tuple[int, int], deque[float]] = field(default_factory=dict, repr=False)
    _free_at: dict[tuple[int, int], float] = field(default_factory=dict, repr=False)
    _held_bots: dict[int, float] = field(default_factory=dict, repr=False)
    _held_chats: dict[int, float] = field(default_factory=dict, repr=False)

    def as_telegram(self, rate: float = 30.0) -> None:
        """30 a second, one a second to a person with short bursts, 20 a minute to a group."""
        self.bot_rate, self.chat_rate, self.chat_burst, self.group_minute = rate, 1.0, 5, 20

    def hold_bot(self, bot_id: int, until: float) -> None:
        """A global flood wait, until this moment (seconds, monotonic)."""
        self._held_bots[bot_id] = until

    def hold_chat(self, chat_id: int, until: float) -> None:
        """A flood wait of one chat, until this moment (seconds, monotonic)."""
        self._held_chats[chat_id] = until

    def check(self, call: Call) -> None:
        """Count `call`. Raises ApiError 429 if it comes too soon; then it does not count."""
        if call.method in SPARED:
            return
        chat_id, bot_id = call.chat_id, call.bot.id
        held = self._held_bots.get(bot_id, 0.0)
        if chat_id is not None:
            held = max(held, self._held_chats.get(chat_id, 0.0))
        self._wait("flood", held - call.at)
        if chat_id is None or not call.method.startswith(_POSTS) or call.method.endswith("Action"):
            return
        chat = (bot_id, chat_id)
        if chat_id < 0:
            self._wait("group", self._group_wait(chat, call.at))
        else:
            self._wait("chat", self._chat_wait(chat, call.at))
        paid = bool(call.params.get("allow_paid_broadcast"))
        self._wait("bot", self._bot_wait(bot_id, call.at, paid=paid))
        self._take(chat, call.at)

    def _group_wait(self, chat: tuple[int, int], now: float) -> float:
        if self.group_minute is None:
            return 0.0
        sent = self._minute.get(chat, deque())
        return sent[0] + 60 - now if len(sent) >= self.group_minute else 0.0

    def _chat_wait(self, chat: tuple[int, int], now: float) -> float:
        if self.chat_rate is None:
            return 0.0
        saved = (self.chat_burst - 1) / self.chat_rate
        return self._free_at.get(chat, 0.0) - saved - now

    def _bot_wait(self, bot_id: int, now: float, *, paid: bool) -> float:
        if self.bot_rate is None:
            return 0.0
        rate = max(self.bot_rate, self.paid_rate) if paid else self.bot_rate
        sent = self._second.setdefault(bot_id, deque())
        while sent and sent[0] <= now - 1:
            sent.popleft()
        return sent[0] + 1 - now if len(sent) >= rate * self.bot_slack else 0.0

    def _take(self, chat: tuple[int, int], now: float) -> None:
        bot_id, chat_id = chat
        if self.bot_rate is not None:
            self._second.setdefault(bot_id, deque()).append(now)
        if chat_id < 0 and self.group_minute is not None:
            self._minute.setdefault(chat, deque(maxlen=self.group_minute)).append(now)
        elif chat_id > 0 and self.chat_rate is not None:
            self._free_at[chat] = max(now, self._free_at.get(chat, 0.0)) + 1 / self.chat_rate

    def _wait(self, kind: str, seconds: float) -> None:
        if seconds > 1e-9:
            self.refused[kind] += 1
            raise too_many_requests(max(1, math.ceil(seconds)))

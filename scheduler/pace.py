"""Pace: how fast a bot's lane may go, and each chat of it. Arithmetic only; times in seconds."""

import math
from dataclasses import dataclass, field
from typing import Final

_SHARE_AT_ONCE: Final = 0.1
"""A lane may send a tenth of a second's messages at once: no second holds more than 1.1 × rate."""
_WORTH_A_CLAIM: Final = 0.6
"""How full the lane's bucket is before a claim: fewer transactions, and room to be late."""

PRIVATE: Final = (1.0, 3.0)
"""Messages a second to one person, and how many at once."""
GROUP: Final = (15 / 60, 5.0)
"""The same for a group: no minute holds more than 20."""

_STRIKES: Final = 3
_LONGEST_REST: Final = 15.0


@dataclass(slots=True)
class Bucket:
    """``rate`` tokens a second, at most ``capacity`` saved up; full at first."""

    rate: float
    capacity: float
    tokens: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = self.capacity

    def level(self, now: float) -> float:
        """Tokens at ``now``; a clock set back adds none."""
        if now > self.at:
            self.tokens = min(self.capacity, self.tokens + (now - self.at) * self.rate)
        self.at = now
        return self.tokens

    def wait(self, now: float, amount: float = 1) -> float:
        """Seconds until ``amount`` may be taken; more than the capacity waits for a full bucket."""
        missing = min(amount, self.capacity) - self.level(now)
        # Rounding must not leave someone waiting for a billionth of a token.
        return missing / self.rate if missing > 1e-9 else 0.0

    def take(self, now: float, amount: float = 1) -> None:
        """Take ``amount``; the level may fall below zero."""
        self.level(now)
        self.tokens -= amount


@dataclass(slots=True)
class _Chat:
    bucket: Bucket
    held_until: float = 0.0


class Lane:
    """One bot's way out: its rate, its chats, and what holds it up.

    ``rate`` in messages a second, 0 for no limit on the lane or its chats. It is for what the
    outbox sends: replies in a conversation do not wait for it (design §3). :meth:`spoke` lets
    them weigh on it all the same, so that bulk makes room.

    A 429 does not say whether the chat or the whole bot was too fast. It holds its chat; when
    three different chats are told so in a row, and nothing sent since the first of them got
    through, it is the bot, and the lane waits until the last of the times given is over.
    """

    def __init__(self, bot_id: int, rate: float) -> None:
        self.bot_id = bot_id
        self.rate = rate
        limited = rate > 0 and math.isfinite(rate)
        self._bucket = Bucket(rate, max(1.0, rate * _SHARE_AT_ONCE)) if limited else None
        self._chats: dict[int, _Chat] = {}
        self._strikes: dict[int, float] = {}
        self._first_strike = 0.0
        self._troubles = 0
        self.held_until = 0.0
        self.stopped: str | None = None
        self.in_flight = 0

    def wait(self, now: float) -> float:
        """Seconds until a claim for this lane is worth while; infinite once it is stopped."""
        if self.stopped is not None:
            return math.inf
        held = max(0.0, self.held_until - now)
        if self._bucket is None:
            return held
        worth = max(1.0, self._bucket.capacity * _WORTH_A_CLAIM)
        return max(held, self._bucket.wait(now, worth))

    def room(self, now: float, most: int) -> int:
        """How many messages may leave at ``now``, at most ``most``."""
        if self.wait(now) > 0:
            return 0
        if self._bucket is None:
            return most
        return min(most, max(1, int(self._bucket.level(now) + 1e-9)))

    def chat_wait(self, now: float, chat_id: int, amount: int) -> float:
        """Seconds until ``amount`` messages may go to this chat."""
        chat = self._chats.get(chat_id)
        if chat is None:
            return 0.0
        wait = chat.bucket.wait(now, amount) if self._bucket is not None else 0.0
        return max(wait, chat.held_until - now, 0.0)

    def spoke(self, now: float, chat_id: int, amount: int = 1) -> None:
        """Count messages that leave now for this chat."""
        if self._bucket is None:
            return
        self._bucket.take(now, amount)
        self._chat(chat_id).bucket.take(now, amount)

    def _chat(self, chat_id: int) -> _Chat:
        if chat_id not in self._chats:
            self._chats[chat_id] = _Chat(Bucket(*(GROUP if chat_id < 0 else PRIVATE)))
        return self._chats[chat_id]

    def forget_idle(self, now: float) -> None:
        """Drop chats that have nothing to wait for."""
        self._chats = {
            chat_id: chat
            for chat_id, chat in self._chats.items()
            if chat.held_until > now or chat.bucket.level(now) < chat.bucket.capacity
        }

    def got_through(self, started: float) -> None:
        """A message that left at ``started`` was accepted."""
        self._troubles = 0
        if self._strikes and started >= self._first_strike:
            self._strikes.clear()

    def throttled(self, now: float, chat_id: int, retry_after: float) -> float:
        """Take a 429; returns until when the message waits."""
        until = now + retry_after
        chat = self._chat(chat_id)
        chat.held_until = max(chat.held_until, until)
        self._strikes = {known: end for known, end in self._strikes.items() if end > now}
        if not self._strikes:
            self._first_strike = now
        self._strikes[chat_id] = until
        if len(self._strikes) >= _STRIKES:
            self.held_until = max(self.held_until, *self._strikes.values())
            for known in self._strikes:
                self._chats[known].held_until = 0.0  # it was not their doing
            self._strikes.clear()
            return self.held_until
        return until

    def unsent(self, now: float) -> float:
        """No connection could be made: the lane rests, longer each time; returns until when."""
        if self.held_until <= now:  # what was in flight together counts once
            self._troubles += 1
            rest = min(_LONGEST_REST, 0.5 * 2.0 ** (self._troubles - 1))
            self.held_until = now + rest
        return self.held_until


def back_off(attempts: int) -> float:
    """Seconds until the next attempt after the ``attempts``-th one: 2, 4, 8 … at most 300."""
    return float(min(300, 2 ** min(attempts, 9)))

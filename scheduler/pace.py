"""Pace: how fast a bot's lane may go, and each chat of it. Arithmetic only; times in seconds."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from scheduler.strikes import Strikes

_OF_THE_RATE: Final = 0.995
"""What is asked of the rate: what is counted at the other end never comes quite evenly."""
_SLACK: Final = (1.5, 0.07)
"""How late a lane may be and still catch up: this many messages, or so many seconds but one
message."""
_IN_A_SECOND: Final = 1.05
"""How much of the rate, or one message more than it, may leave in any second: what catches up
stays this far below what is refused, as messages still come closer together on their way."""
_AHEAD: Final = 0.1
"""How long before the last slot is over new ones are reserved, and for how long they last: what
is claimed is in flight to all the world, so there should be little of it that has not left."""
_LASTS: Final = 0.15
_MOST_OWED: Final = 1.0
_TOO_LATE: Final = 1 / 30
"""Seconds: processes that have slots in turn, so late, stay a message below what is refused."""
_IN_FLIGHT_FOR: Final = 0.35
"""For how long, in seconds, what was claimed is reckoned to be waiting or on its way, and the most
of it that a lane has at once, however fast: what was in flight when a process dies is uncertain."""
_MOST: Final = 640
AT_ONCE: Final = 128
"""Of these, how many are on their way: the others are at hand while the next claim is made."""

_WORTH_A_CLAIM: Final = 192
"""How much of a full lane is waited for: the rest goes on leaving while the next claim is made."""

PRIVATE: Final = (1.0, 3.0)
"""Messages a second to one person, and how many at once."""
GROUP: Final = (15 / 60, 5.0)
"""The same for a group: no minute holds more than 20."""

_LONGEST_REST: Final = 15.0
FURTHEST: Final = 5.0 + _AHEAD + _LASTS
"""Seconds ahead that no lane is ever reserved."""


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

    A claim reserves slots, a message's time apart, from ``free_at`` on (:meth:`reserve`, or with
    other processes through :mod:`storage.outbox.lanes` and :meth:`reserved`). Each message leaves
    at its slot, and when that was missed, no faster than the rate and the slack allow, and no more
    in any second than the rate and a twentieth (:meth:`leaves_at`, :meth:`left`): a stall never
    becomes a burst. With other processes at work (``with_others``) a slot that was missed is not
    made up for at all (:meth:`missed`): what one is late with would come on top of what the others
    are in time with.

    Until ``held_until`` nothing leaves; until ``refused_until`` because the channel said so to the
    whole bot. ``departed`` counts the messages that have left, ``in_flight`` those claimed and not
    over; ``most`` is the most of those, and ``full`` says that the last claim took it to that.
    """

    def __init__(self, bot_id: int, rate: float, most: int = 128) -> None:
        self.bot_id = bot_id
        self.rate = rate
        self.limited = rate > 0 and math.isfinite(rate)
        self.gap = 1 / (rate * _OF_THE_RATE) if self.limited else 0.0
        self.slack = 0.0
        self.share_slack(between=1)
        self.most = min(_MOST, max(most, int(rate * _IN_FLIGHT_FOR))) if self.limited else most
        self.free_at = -math.inf
        self.owed = 0
        self._next = -math.inf
        most_in_a_second = max(int(rate * _IN_A_SECOND), int(rate) + 1) if self.limited else 1
        self._left_at: deque[float] = deque(maxlen=most_in_a_second)
        self.with_others = False
        self._chats: dict[int, _Chat] = {}
        self.strikes = Strikes()
        self._troubles = 0
        self.held_until = 0.0
        self.refused_until = 0.0
        self.stopped: str | None = None
        self.in_flight = 0
        self.at_once = min(AT_ONCE, self.most)
        self._at_hand = max(self.most // 2, self.most - _WORTH_A_CLAIM)
        self.full = False
        self.departed = 0

    def share_slack(self, between: int) -> None:
        """Catch up no more than one process alone would, between so many."""
        messages, seconds = _SLACK
        alone = max(messages * self.gap, seconds - self.gap) if self.limited else 0.0
        self.slack = alone / between

    def wait(self, now: float) -> float:
        """Seconds until a claim for this lane is worth while.

        Infinite when only an answer that it waits for can change it, or nothing can.
        """
        if self.stopped is not None or (self.strikes.in_doubt and self.in_flight):
            return math.inf
        held = self.held_for(now)
        if self.full and self.in_flight > self._at_hand:
            return math.inf
        if not self.limited:
            return held
        return max(held, self.free_at - _AHEAD - now, 0.0)

    def room(self, now: float) -> int:
        """How many messages to claim at ``now``."""
        if self.wait(now) > 0:
            return 0
        most = self.most - self.in_flight
        if self.strikes.in_doubt:
            return min(1, most)
        worth = most
        if self.limited:
            last = now + _AHEAD + _LASTS
            worth = max(1, int((last - self._start(now)) / self.gap))
        # Then a part of it is waited for, or each that is over would be a claim of its own.
        self.full = worth >= most
        return min(most, worth)

    def _start(self, now: float) -> float:
        return max(self.free_at, now - self.slack)

    def held_for(self, now: float) -> float:
        """Seconds for which nothing may leave."""
        return max(0.0, self.held_until - now)

    def reserve(self, now: float, amount: int) -> float:
        """Take ``amount`` slots; when the first is."""
        start = self._start(now)
        self.free_at = start + amount * self.gap
        self.owed = 0
        return start

    def reserved(self, start: float, amount: int) -> None:
        """Slots were taken from what all processes share, what was owed among them."""
        self.free_at = start + amount * self.gap
        self.owed = 0

    def leaves_at(self, slot: float) -> float:
        """When a message with this slot may leave."""
        full = len(self._left_at) == self._left_at.maxlen
        second = self._left_at[0] + 1 if full else -math.inf
        return max(slot, self._next - self.slack, second, self.held_until)

    def missed(self, now: float, slot: float) -> bool:
        """Whether it is too late for what was to leave in this slot: it wants another."""
        return self.with_others and now - slot > _TOO_LATE

    def left(self, now: float, slot: float, amount: int = 1) -> None:
        """Messages leave now, from the outbox, in a slot that may be past."""
        self.departed += amount
        if not self.limited:
            return
        self._next = max(self._next, now) + amount * self.gap
        self._left_at.extend([now] * amount)
        if now - slot > self.slack:
            # Its time is gone, and may be followed by another process's: it takes the next one.
            self.owed += amount

    def chat_wait(self, now: float, chat_id: int, amount: int) -> float:
        """Seconds until ``amount`` messages may go to this chat."""
        chat = self._chats.get(chat_id)
        if chat is None:
            return 0.0
        wait = chat.bucket.wait(now, amount) if self.limited else 0.0
        return max(wait, chat.held_until - now, 0.0)

    def chat_held(self, now: float, chat_id: int) -> float:
        """Seconds for which the channel wants nothing sent to this chat."""
        chat = self._chats.get(chat_id)
        return 0.0 if chat is None else max(0.0, chat.held_until - now)

    def chat_takes(self, now: float, chat_id: int, amount: int = 1) -> None:
        """Count messages for this chat."""
        if self.limited:
            self._chat(chat_id).bucket.take(now, amount)

    def spoke(self, now: float, chat_id: int, amount: int = 1) -> None:
        """A reply in a conversation left by itself."""
        self.chat_takes(now, chat_id, amount)
        if not self.limited:
            return
        self._left_at.extend([now] * amount)
        # Those who talk without end do not silence the outbox for longer than this.
        latest = now + _MOST_OWED
        self.free_at = min(max(self.free_at, now) + amount * self.gap, max(latest, self.free_at))
        self._next = min(max(self._next, now) + amount * self.gap, max(latest, self._next))
        self.owed = min(self.owed + amount, max(1, int(_MOST_OWED / self.gap)))

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
        self.strikes.passed(started)

    def throttled(self, now: float, chat_id: int, retry_after: float, started: float) -> float:
        """Take a 429 for what left at ``started``; returns until when the message waits."""
        until = now + retry_after
        chat = self._chat(chat_id)
        chat.held_until = max(chat.held_until, until)
        bot_held_until = self.strikes.refused(now, chat_id, started, until)
        if bot_held_until is None:
            return until
        self.refused_until = max(self.refused_until, bot_held_until)
        self.held_until = max(self.held_until, bot_held_until)
        return self.held_until

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

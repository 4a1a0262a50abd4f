"""Strikes: whether a 429 was meant for a chat or for the whole bot, which Telegram does not say."""

import math
from typing import Final

_DOUBT: Final = 3
_SURE: Final = 5


class Strikes:
    """The chats that were refused in a row, in the order in which their messages left.

    A bot that is refused is refused everything: what left after a refused message and got through
    shows that only its chat was meant. So the row is of those after the last that got through,
    however the answers overtake each other; a chat counts once. Two are two busy chats. From the
    third on there is doubt, and messages leave one at a time: either one gets through, which costs
    its way there and back, or the fifth is refused, and it is the bot. To be held wrongly then
    takes five throttled chats one after the other (one in 100,000 where every tenth is), while a
    bot that is refused loses five requests, or those that were on their way already.
    """

    def __init__(self) -> None:
        self._row: dict[int, tuple[float, float]] = {}
        self._passed = -math.inf

    @property
    def in_doubt(self) -> bool:
        return len(self._row) >= _DOUBT

    def passed(self, started: float) -> None:
        """A message that left at ``started`` was accepted."""
        self._passed = max(self._passed, started)
        if self._row:
            self._row = {chat: it for chat, it in self._row.items() if it[0] > started}

    def refused(self, now: float, chat_id: int, started: float, until: float) -> float | None:
        """Take a 429 for what left at ``started``.

        Returns until when the whole bot is to be held, or ``None`` when not at all.
        """
        self._row = {chat: it for chat, it in self._row.items() if it[1] > now}
        if started <= self._passed:
            return None
        self._row[chat_id] = (started, until)
        if len(self._row) < _SURE:
            return None
        last = max(end for _, end in self._row.values())
        self._row.clear()
        return last

"""Strikes: whether a 429 was meant for a chat or for the whole bot, which Telegram does not say."""

from typing import Final

_DOUBT: Final = 3
_SURE: Final = 5


class Strikes:
    """The chats that were refused in a row, and until when.

    What gets through, having left after the first of them, ends the row: the bot may send.
    A chat counts once. Two in a row are two busy chats. From the third on there is doubt, and
    messages leave one at a time: either one gets through, which costs its way there and back, or
    the fifth is refused, and it is the bot. So what is held wrongly takes five throttled chats one
    after the other (one in 100,000 where every tenth is), while a bot that is refused loses no
    more than five requests beyond those already on their way.
    """

    def __init__(self) -> None:
        self._until: dict[int, float] = {}
        self._first = 0.0

    @property
    def in_doubt(self) -> bool:
        return len(self._until) >= _DOUBT

    def passed(self, started: float) -> None:
        """A message that left at ``started`` was accepted."""
        if self._until and started >= self._first:
            self._until.clear()

    def refused(self, now: float, chat_id: int, until: float) -> float | None:
        """Take a 429; until when the whole bot is to be held, or ``None`` when not at all."""
        self._until = {chat: end for chat, end in self._until.items() if end > now}
        if not self._until:
            self._first = now
        self._until[chat_id] = max(until, self._until.get(chat_id, until))
        if len(self._until) < _SURE:
            return None
        last = max(self._until.values())
        self._until.clear()
        return last

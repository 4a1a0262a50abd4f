"""What people are still to do in the year, in order of time."""

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

MONTH: Final = timedelta(days=30)
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)

Act = tuple[datetime, int, str, tuple[Any, ...]]


class Agenda:
    """Acts up to ``end``; ``at_once`` are the times the program must wake for.

    The others may wait until the program has something to do by itself: nothing else happens
    before that, so they come to the same, each at its own time.
    """

    def __init__(self, end: datetime) -> None:
        self.end = end
        self._coming: list[Act] = []
        self._at_once: list[datetime] = []

    @property
    def at_once(self) -> datetime | None:
        return self._at_once[0] if self._at_once else None

    def do(self, at: datetime, number: int, what: str, *more: Any, at_once: bool = False) -> None:
        if at < self.end:
            heapq.heappush(self._coming, (at, number, what, more))
            if at_once:
                heapq.heappush(self._at_once, at)

    def take(self, now: datetime) -> Iterator[Act]:
        """All that came up to ``now``, and what is added to it meanwhile."""
        while self._at_once and self._at_once[0] <= now:
            heapq.heappop(self._at_once)
        while self._coming and self._coming[0][0] <= now:
            yield heapq.heappop(self._coming)

    def is_waiting(self, now: datetime) -> bool:
        return bool(self._coming) and self._coming[0][0] <= now


def second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def quarter(at: datetime) -> datetime:
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)

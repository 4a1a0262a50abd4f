"""How fast a conversation and an address may write."""

from collections import OrderedDict
from typing import Final

_KEPT: Final = 20_000


class Buckets:
    """``burst`` at once and ``rate`` a second for each key; the longest unused are forgotten."""

    def __init__(self, *, burst: float, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, key: str, now: float, cost: float = 1) -> float:
        """Take ``cost``, and 0; or take nothing, and the seconds until it will be there.

        ``now`` is in seconds of any clock that does not go back.
        """
        level, at = self._levels.pop(key, (self._burst, now))
        level = min(self._burst, level + (now - at) * self._rate)
        short = cost - level
        self._levels[key] = (level if short > 0 else level - cost, now)
        if len(self._levels) > _KEPT:
            self._levels.popitem(last=False)
        return short / self._rate if short > 0 else 0

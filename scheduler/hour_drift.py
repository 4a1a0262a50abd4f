"""Learning when of the day someone usually answers."""

from typing import Final

_DAY: Final = 24 * 60
_SHARE: Final = 0.25
_MOST: Final = 30


def drift(usual: int, answered: int, earliest: int, latest: int) -> int:
    """Where the hour of asking goes after an answer; all in minutes after local midnight.

    A quarter of the way towards the time of the answer, but no more than half an hour at once: one
    odd evening must not turn a morning person's rhythm round, and after some weeks a new shift at
    the factory has. It stays within the allowed hours, ``earliest`` to ``latest`` (which may be the
    same); an answer outside them pulls towards the nearer end, round the clock.
    """
    usual = min(max(usual, earliest), latest)
    step = (_pulled_in(answered, earliest, latest) - usual) * _SHARE
    step = min(max(step, -_MOST), _MOST)
    # At least a minute, or the last stretch would never be gone.
    if step:
        step = max(step, 1) if step > 0 else min(step, -1)
    return usual + round(step)


def _pulled_in(minute: int, earliest: int, latest: int) -> int:
    if earliest <= minute <= latest:
        return minute
    to_earliest = (earliest - minute) % _DAY
    to_latest = (minute - latest) % _DAY
    return earliest if to_earliest <= to_latest else latest

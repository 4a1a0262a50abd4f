"""How fast messages came out, by the server's log. Times in seconds, monotonic."""

import asyncio
import bisect
import itertools
import time

from tests.drill.ground import Grounds
from tests.drill.oracle import names_of

_WINDOW = 3.0
BACK = 0.95


def sent_at(grounds: Grounds, since: float = 0.0) -> list[float]:
    """When each message that was sent unasked was accepted, in order."""
    log = grounds.api.log
    return [
        call.at
        for call in itertools.islice(log, _first(grounds, since), None)
        if call.effect and call.method == "sendMessage" and names_of(call)
    ]


def _first(grounds: Grounds, since: float) -> int:
    return bisect.bisect_left(grounds.api.log, since, key=lambda call: call.at)


def busiest_second(times: list[float]) -> int:
    """The most that came within any second."""
    return max((n + 1 - bisect.bisect(times, at - 1) for n, at in enumerate(times)), default=0)


async def back_at_pace(grounds: Grounds, since: float, patience: float = 90.0) -> float:
    """Seconds from ``since`` until three seconds begin that hold 0.95 of the allowed rate.

    ``patience`` where they do not come.
    """
    wanted = BACK * grounds.rate * _WINDOW
    while time.monotonic() < since + patience:
        times = sent_at(grounds, since)
        for number, at in enumerate(times):
            if bisect.bisect(times, at + _WINDOW) - number >= wanted:
                return at - since
        await asyncio.sleep(0.25)
    return patience

"""Shares: who goes next when several queues wait for one lane. Arithmetic only."""

from collections.abc import Callable, Collection
from typing import Final, Generic, TypeVar

from storage.outbox.messages import BROADCAST, CHECKIN, REMINDER, URGENT

K = TypeVar("K")

CLASSES: Final = {URGENT: 16.0, CHECKIN: 8.0, REMINDER: 4.0, BROADCAST: 2.0}
"""How much each priority gets of a lane while all of them wait. Shares, not walls: bulk leaves
while check-ins do, and an answer to a call for help waits for neither."""


class Shares(Generic[K]):
    """Weighted fair shares between queues (stride scheduling).

    Each queue has a reading, which grows by ``1 / weight`` with every message it may send; that
    goes next after which the reading is lowest. Who comes back from idling starts at the lowest
    reading of those who wait, so that idling saves nothing up.
    """

    def __init__(self, weight: Callable[[K], float]) -> None:
        self._weight = weight
        self._readings: dict[K, float] = {}
        self._waiting: frozenset[K] = frozenset()
        self._lowest = 0.0

    def plan(self, room: int, waiting: Collection[K], most_queues: int = 8) -> dict[K, int]:
        """How many of ``room`` messages each of the ``waiting`` queues may send.

        At most ``most_queues`` get any; the others' turn comes with the next calls. Of equals
        the one named first in ``waiting`` goes first.
        """
        if room <= 0 or not waiting:
            return {}
        readings = self._readings
        for queue in waiting:
            if queue not in self._waiting:
                readings[queue] = max(readings.get(queue, self._lowest), self._lowest)

        def after(queue: K) -> float:
            return readings[queue] + 1 / self._weight(queue)

        chosen = sorted(waiting, key=after)[:most_queues]
        planned: dict[K, int] = {}
        for _ in range(room):
            queue = min(chosen, key=after)
            readings[queue] = after(queue)
            planned[queue] = planned.get(queue, 0) + 1
        self._waiting = frozenset(waiting)
        self._lowest = max(self._lowest, min(readings[queue] for queue in waiting))
        for queue in [it for it in readings if it not in self._waiting]:
            if readings[queue] <= self._lowest:
                del readings[queue]  # nothing to make up for
        return planned

    def give_back(self, queue: K, unused: int) -> None:
        """It had fewer to send than planned."""
        self._readings[queue] -= unused / self._weight(queue)

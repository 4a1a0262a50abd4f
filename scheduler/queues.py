"""A lane's queues in the outbox: which of them are served next, and where each is read on from."""

import math
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Final

from scheduler.shares import CLASSES, Shares
from storage.database import Tx
from storage.outbox.claims import (
    FRONT,
    Place,
    Queue,
    claim_due,
    find_broadcasts_due,
    find_due,
)

_LOOK: Final = 1.0
"""How often, in seconds, a queue is looked at from its front, and broadcasts are looked for."""
_LOOK_WHEN_TOLD: Final = 0.1
"""How often broadcasts are looked for when every message tells of something new."""
_SHARE_OF_TIME: Final = 0.02
_LATE: Final = timedelta(seconds=3)
"""How long before its commit a message may have got its ``not_before``."""


class Queues:
    """What waits for one lane, in this process's eyes.

    A transaction that is held open anywhere on PostgreSQL keeps the index entries of all that
    has left since, at the front of their queues: a claim that begins there wades through them,
    each time through more. So a claim reads on from where the one before it ended. What is
    written behind its back, by a transaction that took long or a clock that is slow, is found by
    looking from the front again: each second, or more rarely where that takes long.
    """

    def __init__(self, lane: int, seconds: Callable[[], float]) -> None:
        self.lane = lane
        self._seconds = seconds
        self._classes: Shares[int] = Shares(CLASSES.__getitem__)
        self._broadcasts: Shares[Queue] = Shares(lambda _queue: 1.0)
        self._due: list[Queue] = []
        self._read_to: dict[Queue, Place] = {}
        self._furthest: dict[Queue, Place] = {}
        self._look_at = self._look_for_broadcasts_at = self._soonest = -math.inf
        self._looked, self._cost = -math.inf, 0.0

    async def is_due(self, tx: Tx, now: datetime) -> bool:
        """Whether a claim would find something; cheap, and takes no lock."""
        return bool(await self._find(tx, now))

    async def claim(self, tx: Tx, now: datetime, room: int, lease_until: datetime) -> list[int]:
        """Take up to ``room`` due messages, by the shares of those who wait; their ids."""
        waiting = await self._find(tx, now)
        taken: list[int] = []
        while room > len(taken) and waiting:
            planned = self._classes.plan(room - len(taken), sorted(waiting))
            for priority, share in planned.items():
                found = await self._claim(tx, now, waiting[priority], share, lease_until)
                taken += found
                if len(found) < share:
                    self._classes.give_back(priority, share - len(found))
                if not waiting[priority]:
                    del waiting[priority]
        return taken

    def look_from_front(self) -> None:
        """What was claimed last was taken back, perhaps."""
        self._look_at = self._look_for_broadcasts_at = -math.inf

    def look_for_broadcasts(self) -> None:
        """There may be a new one."""
        self._look_for_broadcasts_at = min(self._look_for_broadcasts_at, self._soonest)

    async def _find(self, tx: Tx, now: datetime) -> dict[int, list[Queue]]:
        """The queues that have something due, by priority."""
        began = self._seconds()
        if began >= self._look_at:
            self._read_to.clear()
            self._looked, self._cost, self._look_at = began, 0.0, began + _LOOK
        if began >= self._look_for_broadcasts_at:
            await self._find_broadcasts(tx, now, began)
            began = self._seconds()
        found = await find_due(tx, now, self.lane, self._read_to)
        if not self._read_to.keys() >= self._furthest.keys():
            self._charge(began)
        for queue, place in self._furthest.items():
            if queue not in found and queue not in self._due:
                self._read_to.setdefault(queue, place)  # nothing was behind our back
        waiting: dict[int, list[Queue]] = {}
        for queue in (*found, *self._due):
            waiting.setdefault(queue.priority, []).append(queue)
        return waiting

    async def _find_broadcasts(self, tx: Tx, now: datetime, began: float) -> None:
        self._due = await find_broadcasts_due(tx, now, self.lane)
        for queue in [it for it in self._furthest if it.broadcast_id is not None]:
            if queue not in self._due:
                del self._furthest[queue]
                self._read_to.pop(queue, None)
        rest = (self._seconds() - began) / _SHARE_OF_TIME
        self._look_for_broadcasts_at = began + max(_LOOK, rest)
        self._soonest = began + max(_LOOK_WHEN_TOLD, rest)

    async def _claim(
        self, tx: Tx, now: datetime, queues: list[Queue], room: int, lease_until: datetime
    ) -> list[int]:
        """From the queues of one priority, in equal parts; those found empty are taken off."""
        taken: list[int] = []
        for queue, share in self._broadcasts.plan(room, queues).items():
            began = self._seconds()
            behind = self._read_to.get(queue, FRONT)
            places = await claim_due(tx, now, queue, share, lease_until, behind)
            if behind < self._furthest.get(queue, FRONT):
                self._charge(began)
            self._read_on(queue, places, now)
            if len(places) < share:
                self._broadcasts.give_back(queue, share - len(places))
                queues.remove(queue)
                if queue.broadcast_id is not None:
                    self._due.remove(queue)
            taken += [place[1] for place in places]
        return taken

    def _read_on(self, queue: Queue, places: Collection[Place], now: datetime) -> None:
        # Not into what is so new that something older may still be committed.
        settled = [place for place in places if place[0] < now - _LATE]
        if settled:
            self._read_to[queue] = last = max(settled)
            self._furthest[queue] = max(last, self._furthest.get(queue, FRONT))

    def _charge(self, began: float) -> None:
        """Count what a look from the front costs, and when the next is due for it."""
        self._cost += self._seconds() - began
        self._look_at = self._looked + max(_LOOK, self._cost / _SHARE_OF_TIME)

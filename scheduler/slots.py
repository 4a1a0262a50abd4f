"""Slots: when each of the letters of a claim may leave, between all processes of a token."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from scheduler.attempts import later
from scheduler.pace import FURTHEST, GROUP, PRIVATE, Lane
from scheduler.preparing import Prepared
from scheduler.sending import Leaving
from storage.database import Tx
from storage.outbox.claims import count_recent
from storage.outbox.lanes import hold_lane, reserve_slots

_NOT_ALONE: Final = 60.0
"""For how many seconds after another process was noticed it is reckoned with."""
_CLOSE: Final = 0.002
_FORGETS: Final = 0.9
_LONGEST_LEAD: Final = 2.0


class Slots:
    """Gives the letters of a claim their slots, before it is committed.

    ``shared``: the database keeps the lanes' pace, for several processes; otherwise this process
    is alone and remembers by itself.
    """

    def __init__(self, seconds: Callable[[], float], *, shared: bool) -> None:
        self._seconds = seconds
        self._shared = shared
        self._free_at: dict[int, datetime] = {}
        self._noticed: dict[int, float] = {}
        self._asked_at: float | None = None
        self._lead = 0.0

    async def give(
        self, tx: Tx, prepared: Prepared, lanes: Mapping[int, Lane], now: datetime
    ) -> None:
        """Put the slots into ``prepared``; what may not leave after all is kept.

        The row of a lane is locked until the claim is committed, so this comes last, and the lanes
        in one order.
        """
        leaving, prepared.leaving = prepared.leaving, []
        for bot_id in sorted({it.to.bot_id for it in leaving}):
            lane = lanes[bot_id]
            letters = [it for it in leaving if it.to.bot_id == bot_id]
            if not lane.limited:
                prepared.leaving += letters
                continue
            if self._shared:
                letters = await self._make_room(tx, prepared, letters, lane, now)
            amount = sum(len(it.letter.parts) for it in letters)
            if amount == 0:
                continue
            if self._shared:
                slot = await self._reserve(tx, lane, amount)
            else:
                slot = lane.reserve(self._seconds(), amount)
            held = lane.held_for(self._seconds())
            for it in letters:
                if held > 0:
                    until = now + timedelta(seconds=held)
                    reason = "slowed down by the channel"
                    prepared.keep(it.message, later(it.message, until, reason))
                else:
                    prepared.leaving.append(it._replace(slot=slot))
                    slot += len(it.letter.parts) * lane.gap

    def committed(self) -> None:
        """The claim is, and its letters may leave: the next slots begin no sooner after asking."""
        if self._asked_at is not None:
            took = min(self._seconds() - self._asked_at, _LONGEST_LEAD)
            self._lead = max(took, self._lead * _FORGETS)
            self._asked_at = None

    async def tell_holds(self, tx: Tx, lanes: Mapping[int, Lane]) -> None:
        """Tell the other processes of lanes that the channel wants nothing of."""
        if not self._shared:
            return
        for bot_id in sorted(lanes):
            lane = lanes[bot_id]
            held = lane.refused_until - self._seconds()
            if lane.limited and held > 0:
                await hold_lane(tx, bot_id, held)

    async def _reserve(self, tx: Tx, lane: Lane, amount: int) -> float:
        owed = lane.owed
        lane.with_others = not self._alone(lane.bot_id)
        lane.share_slack(between=2 if lane.with_others else 1)
        # With others a slot must not be over before the claim that it belongs to is committed.
        slack = -self._lead if lane.with_others else lane.slack
        self._asked_at = self._asked_at or self._seconds()
        got = await reserve_slots(
            tx,
            lane.bot_id,
            length=(amount + owed) * lane.gap,
            slack=slack,
            furthest=FURTHEST,
        )
        seconds = self._seconds()
        if got.held_for > 0:
            lane.held_until = max(lane.held_until, seconds + got.held_for)
        known = self._free_at.get(lane.bot_id)
        if known is not None and got.starts_at > known and got.starts_in > _CLOSE - slack:
            self._noticed[lane.bot_id] = seconds
        self._free_at[lane.bot_id] = got.free_at + timedelta(seconds=_CLOSE)
        lane.reserved(seconds + got.starts_in, amount + owed)
        # What was said in conversations has left already: the first slots are theirs.
        return seconds + got.starts_in + owed * lane.gap

    def _alone(self, bot_id: int) -> bool:
        """Whether no other process was noticed lately."""
        noticed = self._noticed.get(bot_id)
        return noticed is None or self._seconds() > noticed + _NOT_ALONE

    async def _make_room(
        self, tx: Tx, prepared: Prepared, letters: list[Leaving], lane: Lane, now: datetime
    ) -> list[Leaving]:
        """Without the letters to chats that another process is busy with."""
        if self._alone(lane.bot_id):
            return letters
        but = [row.id for it in letters for row in it.rows]
        full: set[int] = set()
        for group in (False, True):
            rate, burst = GROUP if group else PRIVATE
            people = {it.message.person_id for it in letters if (it.to.chat_id < 0) == group}
            if people:
                since = now - timedelta(seconds=burst / rate)
                counted = await count_recent(tx, people, but, since)
                full |= {person for person, n in counted.items() if n >= burst}
        for it in letters:
            if it.message.person_id in full:
                until = now + timedelta(seconds=1 / PRIVATE[0])
                prepared.keep(it.message, later(it.message, until, "others came first"))
        return [it for it in letters if it.message.person_id not in full]

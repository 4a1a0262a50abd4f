"""Sending: claimed letters leave at their lane's pace, in order within a chat."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog
from aiogram import Bot

from scheduler.attempts import later, send_letter, sent, settle_decision
from scheduler.letters import Letter
from scheduler.outcomes import Decision, Kind
from scheduler.pace import Lane
from storage.outbox.claims import Address, Claimed
from storage.outbox.outcomes import AccountNews, Outcome

_log = structlog.get_logger(__name__)

_CLOSE_ENOUGH: Final = 0.0005
_WORTH_WAITING: Final = 0.25
"""Seconds for which a claimed message waits for a lane that is held; else it is queued again."""


class Leaving(NamedTuple):
    """A claimed message, its letter, and when it may leave at the earliest, in seconds.

    ``others`` are in the same letter, and share what becomes of it.
    """

    message: Claimed
    to: Address
    letter: Letter
    slot: float
    others: Sequence[Claimed] = ()

    @property
    def rows(self) -> Sequence[Claimed]:
        return (self.message, *self.others)


class Sending:
    """What was claimed: on its way, or waiting for its slot or for the one before it.

    ``over(message, outcome, news)`` is told of each when it is over.
    """

    def __init__(
        self,
        lanes: Mapping[int, Lane],
        bots: Mapping[int, Bot],
        clock: Callable[[], datetime],
        seconds: Callable[[], float],
        over: Callable[[Claimed, Outcome, AccountNews | None], None],
    ) -> None:
        self._lanes = lanes
        self._bots = bots
        self._clock = clock
        self._seconds = seconds
        self._over = over
        self._waiting: dict[int, deque[Leaving]] = {bot_id: deque() for bot_id in lanes}
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._out: set[asyncio.Task[None]] = set()
        self._out_of: dict[int, int] = dict.fromkeys(lanes, 0)
        self._behind: dict[tuple[int, int], deque[Leaving]] = {}
        self._stopping = False

    def __bool__(self) -> bool:
        """Whether anything is on its way."""
        return bool(self._out)

    def hand_over(self, letters: Iterable[Leaving]) -> None:
        """Take what was claimed; call it once the claim is committed."""
        lanes = set()
        for leaving in letters:
            bot_id = leaving.to.bot_id
            self._waiting[bot_id].append(leaving)
            self._lanes[bot_id].in_flight += 1
            lanes.add(bot_id)
        for bot_id in lanes:
            self._release(bot_id)

    def release(self) -> None:
        """Let leave what may by now."""
        for bot_id in self._lanes:
            self._release(bot_id)

    async def settle(self, grace: float | None = None) -> None:
        """Wait for what is on its way. After ``grace`` seconds, give it up as lost."""
        try:
            async with asyncio.timeout(grace):
                while self._out:
                    await asyncio.wait(self._out)
        except TimeoutError:
            late = set(self._out)
            for task in late:
                task.cancel()
            await asyncio.wait(late)

    def stop(self) -> None:
        """Nothing more leaves: what has not is queued again."""
        self._stopping = True
        for bot_id in self._lanes:
            self._release(bot_id)
        for behind in self._behind.values():
            self._take_back(behind)

    def _release(self, bot_id: int) -> None:
        lane, waiting = self._lanes[bot_id], self._waiting[bot_id]
        if (timer := self._timers.pop(bot_id, None)) is not None:
            timer.cancel()
        while waiting:
            now = self._seconds()
            if self._stopping or lane.stopped is not None or lane.held_until > now + _WORTH_WAITING:
                self._take_back(waiting)
                return
            if lane.strikes.in_doubt and self._out_of[bot_id]:
                return  # the answer lets the next one go
            if self._out_of[bot_id] >= lane.at_once:
                return  # so does whichever answer comes first
            chat = (bot_id, waiting[0].to.chat_id)
            if chat in self._behind:
                self._behind[chat].append(waiting.popleft())
                continue
            if lane.chat_held(now, chat[1]) > 0:
                self._take_back(deque([waiting.popleft()]))
                continue
            if lane.missed(now, waiting[0].slot):
                self._take_back(waiting)  # all of them, or those to one chat might change places
                return
            wait = lane.leaves_at(waiting[0].slot) - now
            if wait > _CLOSE_ENOUGH:
                loop = asyncio.get_running_loop()
                self._timers[bot_id] = loop.call_later(wait, self._release, bot_id)
                return
            self._send(waiting.popleft(), now)

    def _take_back(self, waiting: deque[Leaving]) -> None:
        now, seconds = self._clock(), self._seconds()
        while waiting:
            leaving = waiting.popleft()
            lane = self._lanes[leaving.to.bot_id]
            lane.in_flight -= 1
            held = max(lane.held_for(seconds), lane.chat_held(seconds, leaving.to.chat_id))
            until = now + timedelta(seconds=held)
            for row in leaving.rows:
                self._over(row, later(row, until, None), None)

    def _send(self, leaving: Leaving, now: float) -> None:
        bot_id = leaving.to.bot_id
        self._lanes[bot_id].left(now, leaving.slot, len(leaving.letter.parts))
        self._out_of[bot_id] += 1
        self._behind[bot_id, leaving.to.chat_id] = deque()
        task = asyncio.create_task(self._deliver(leaving))
        self._out.add(task)
        task.add_done_callback(self._out.discard)

    async def _deliver(self, leaving: Leaving) -> None:
        rows, to = leaving.rows, leaving.to
        lane = self._lanes[to.bot_id]
        started = self._seconds()
        try:
            result = await send_letter(
                leaving.letter, self._bots[to.bot_id], self._bots, self._seconds
            )
            news = None
            if isinstance(result, Decision):
                if result.kind is Kind.LOST:
                    lost = leaving.message.id
                    _log.warning("a message may be lost", delivery=lost, reason=result.reason)
                outcomes, news = settle_decision(
                    result, rows, to, lane, self._clock(), self._seconds(), started
                )
            else:
                lane.got_through(result.started)
                outcomes = [sent(row, to, result.message_id) for row in rows]
        finally:
            lane.in_flight -= 1
            self._out_of[to.bot_id] -= 1
            behind = self._behind.pop((to.bot_id, to.chat_id))
            if behind:
                self._waiting[to.bot_id].extendleft(reversed(behind))
        for row, outcome in zip(rows, outcomes, strict=True):
            self._over(row, outcome, news)
            news = None
        if self._waiting[to.bot_id]:
            self._release(to.bot_id)

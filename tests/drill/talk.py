"""A conversation while a broadcast runs: from a tap to the reply that Telegram has accepted."""

import asyncio
import time
from functools import partial

from tests.botapi import Message
from tests.drill.crowd import Crowd
from tests.drill.ground import Grounds, Plan, grounds
from tests.drill.promise import Promise, at_most, told
from tests.drill.rate import back_at_pace

ON = ("sqlite", "postgresql")
RATE = 30.0


async def run(plan: Plan) -> list[Promise]:
    taps = int(plan.either(30, 400))
    people = int(taps * 0.1 * RATE + 20 * RATE)
    async with grounds(plan, rate=RATE, workers=people) as ground:
        await ground.worker.start()
        await _tap(ground, 20)  # what is only done once is done
        idle = sorted(await _tap(ground, taps))
        began = time.monotonic()
        await ground.broadcast()
        await back_at_pace(ground, began)
        busy = sorted(await _tap(ground, taps))
        allowed = 2 * _part(idle, 0.99) + 33
        return [
            told("idle: median, ms", _part(idle, 0.5)),
            told("idle: 99 of 100 within, ms", _part(idle, 0.99)),
            told("with a broadcast: median, ms", _part(busy, 0.5)),
            at_most("with a broadcast: 99 of 100 within, ms", _part(busy, 0.99), allowed),
        ]


async def _tap(ground: Grounds, times: int) -> list[float]:
    """Milliseconds from each of so many taps until its receipt stood in the chat."""
    talking = Crowd(ground, list(ground.people.phones.values()))
    found: list[float] = []
    for number in range(times):
        phone = talking.talkers[number % len(talking.talkers)]
        began = time.monotonic()
        message = talking.tap(phone)
        await phone.wait_for(partial(_is_receipt, message))
        found.append((time.monotonic() - began) * 1000)
        await asyncio.sleep(0.1 * ground.chance.random())
    return found


def _is_receipt(tapped: Message, seen: Message) -> bool:
    return seen is tapped and seen.edited


def _part(times: list[float], share: float) -> float:
    return times[min(len(times) - 1, int(share * len(times)))]

"""The service's clock jumps an hour forward and back, or stays slow; a kill in the wrong hour."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from storage.outbox.broadcasts import plan_broadcast
from storage.people.areas import find_area
from tests.drill.ground import Grounds, Plan
from tests.drill.oracle import Oracle, names_of
from tests.drill.promise import Promise, at_least, at_most, none_of
from tests.drill.rate import back_at_pace
from tests.drill.recovery import BACK_WITHIN, endure, note_flying
from tests.populous_county import COUNTY

ON = ("sqlite", "postgresql")
HOUR = 3600.0
_GONE = 2.0
"""Seconds in which what was claimed before has left."""


async def run(plan: Plan) -> list[Promise]:
    return await endure(
        plan,
        {
            "an hour forward": _forward,
            "killed, and an hour back": _killed_and_back,
            "an hour back, and set right": _back_for_a_while,
        },
        stays=_slow,
    )


async def _forward(ground: Grounds) -> None:
    ground.worker.set_clock(HOUR)


async def _killed_and_back(ground: Grounds) -> None:
    """What was leased in the wrong hour must not wait for it."""
    await ground.worker.kill()
    ground.worker.set_clock(0.0)
    await ground.worker.start(ready=False)


async def _back_for_a_while(ground: Grounds) -> None:
    """What was due already is not due for that while: it waits, and goes out once it is right."""
    ground.worker.set_clock(-HOUR)
    await asyncio.sleep(ground.plan.either(2, 10))
    ground.worker.set_clock(0.0)


async def _slow(ground: Grounds, oracle: Oracle) -> list[Promise]:
    """An hour back, and it stays: what is written from now on goes out at once.

    What was written before is due in an hour, as the clock says: it waits for it, whole, and
    leaves when that hour is over, to which the clock is then moved on.
    """
    await note_flying(oracle)
    ground.worker.set_clock(-HOUR)
    await note_flying(oracle)
    await asyncio.sleep(_GONE)
    waited, began = await oracle.waiting(), time.monotonic()
    number = await _broadcast_by_the_slow_clock(ground)
    back = await back_at_pace(ground, began)
    name = f"B{number}"
    until = time.monotonic() + len(ground.people.phones) / ground.rate + BACK_WITHIN
    while len(_names(ground, began, name)) < len(ground.people.phones):
        if time.monotonic() > until:
            break
        await asyncio.sleep(0.5)
    early = [it for it in _names(ground, began) if it != name]
    new = len(_names(ground, began, name))
    still = await oracle.waiting()
    await note_flying(oracle)
    ground.worker.set_clock(0.0)
    return [
        at_most("seconds until new ones go out by a slow clock", back, BACK_WITHIN),
        at_least("  new ones that came out by it", new, len(ground.people.phones)),
        none_of("  older ones that left before their hour", early),
        at_least(f"  older ones that wait, of {waited}", still, waited),
    ]


async def _broadcast_by_the_slow_clock(ground: Grounds) -> int:
    """Its number. The command would take the machine's own time."""
    number = len(ground.broadcasts) + 1
    slow = datetime.now(UTC) - timedelta(seconds=HOUR)
    async with ground.db.write() as tx:
        area = await find_area(tx, COUNTY)
        text = f"明天下午村里开会 〔B{number}〕"
        planned = await plan_broadcast(tx, area=area, text=text, language=None, by=None, now=slow)
    ground.broadcasts[number] = planned.id
    return number


def _names(ground: Grounds, since: float, only: str | None = None) -> list[str]:
    """The name of each message that came out."""
    sends = ground.api.log.of("sendMessage")
    names = [name for call in sends if call.effect and call.at > since for name in names_of(call)]
    return [name for name in names if only is None or name == only]

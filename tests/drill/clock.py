"""The service's clock jumps an hour forward and back; a kill falls into the wrong hour."""

import asyncio

from tests.drill.ground import Grounds, Plan
from tests.drill.promise import Promise
from tests.drill.recovery import endure

ON = ("sqlite", "postgresql")
HOUR = 3600.0


async def run(plan: Plan) -> list[Promise]:
    return await endure(
        plan,
        {
            "an hour forward": _forward,
            "killed, and an hour back": _killed_and_back,
            "an hour back, and set right": _back_for_a_while,
        },
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

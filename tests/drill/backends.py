"""PostgreSQL's backends are ended every second for a while."""

import asyncio

from tests.drill.ground import Grounds, Plan
from tests.drill.promise import Promise
from tests.drill.recovery import endure

ON = ("postgresql",)


async def run(plan: Plan) -> list[Promise]:
    async def end_them(ground: Grounds) -> None:
        for _ in range(int(plan.either(3, 20))):
            await ground.postgres.cut_backends()
            await asyncio.sleep(1.0)

    return await endure(plan, {"backends ended every second": end_them}, longest=22.0)

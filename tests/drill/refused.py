"""Telegram refuses connections for spells, and breaks others before and after it accepted."""

import asyncio
from datetime import UTC, datetime

from tests.botapi import Odds
from tests.drill.ground import Plan, grounds
from tests.drill.oracle import Oracle
from tests.drill.population import ask_to_check_in
from tests.drill.promise import Promise, told

ON = ("sqlite", "postgresql")


async def run(plan: Plan) -> list[Promise]:
    people = int(plan.either(40, 2000))
    async with grounds(plan, rate=plan.either(60, 100), workers=people) as ground:
        oracle = Oracle(ground)
        await ground.worker.start()
        ground.api.odds = Odds(ground.api, plan.seed, {"dropped": 0.01, "lost": 0.01})
        await ground.broadcast()
        await ask_to_check_in(ground.db, "slot-1", datetime.now(UTC))
        spells = 0
        while await oracle.waiting() > people // 4:
            spells += 1
            await oracle.note_caught()
            await ground.api.shut()
            await asyncio.sleep(ground.chance.uniform(0.2, 1.5))
            await ground.api.listen()
            await asyncio.sleep(ground.chance.uniform(1.0, 4.0))
        await oracle.settle()
        return [
            told("spells without a connection", spells),
            told("requests cut before or after their effect", sum(ground.api.odds.struck.values())),
            *(await oracle.judge()),
        ]

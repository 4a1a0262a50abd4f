"""Everything that Telegram may answer, at random: 429, 403, 400, 5xx, slow, dropped, lost."""

from datetime import UTC, datetime

from tests.botapi import Odds
from tests.drill.ground import Plan, grounds
from tests.drill.oracle import Oracle
from tests.drill.population import ask_to_check_in
from tests.drill.promise import Promise, told

ON = ("sqlite", "postgresql")
SHARES = {
    "chat_flood": 0.02,
    "bot_flood": 0.001,
    "blocked": 0.01,
    "deactivated": 0.01,
    "no_chat": 0.01,
    "refused": 0.01,
    "broken": 0.02,
    "slow": 0.02,
    "dropped": 0.01,
    "lost": 0.01,
    "shut": 0.002,
}


async def run(plan: Plan) -> list[Promise]:
    people = int(plan.either(150, 2000))
    async with grounds(plan, rate=plan.either(100, 60), workers=people) as ground:
        ground.api.limits.as_telegram(ground.rate)
        ground.api.odds = Odds(ground.api, plan.seed, SHARES)
        oracle = Oracle(ground)
        await ground.worker.start()
        await ground.broadcast()
        await ground.rollcall()
        await ask_to_check_in(ground.db, "slot-1", datetime.now(UTC))
        await oracle.settle(patience=400.0)
        struck = ", ".join(f"{kind} {n}" for kind, n in sorted(ground.api.odds.struck.items()))
        return [told(f"faults: {struck}", ""), *(await oracle.judge())]

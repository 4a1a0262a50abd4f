"""Five minutes at 30 a second, the limits enforced; on PostgreSQL also by two workers."""

from tests.drill.ground import Plan, grounds
from tests.drill.oracle import Oracle
from tests.drill.promise import Promise, at_least, at_most
from tests.drill.rate import busiest_second, sent_at

ON = ("sqlite", "postgresql")
RATE = 30.0


async def run(plan: Plan) -> list[Promise]:
    promises: list[Promise] = []
    for processes in (1, 2) if plan.engine == "postgresql" else (1,):
        promises += await _keep_pace(plan, processes)
    return promises


async def _keep_pace(plan: Plan, processes: int) -> list[Promise]:
    people = int(RATE * plan.either(10, 300))
    async with grounds(plan, rate=RATE, workers=people, processes=processes) as ground:
        ground.api.limits.as_telegram(RATE)
        for worker in ground.workers:
            await worker.start()
        await ground.broadcast()
        oracle = Oracle(ground)
        await oracle.settle(patience=600.0)
        times = sent_at(ground)
        mean = (len(times) - 1) / (times[-1] - times[0])
        refused = sum(ground.api.limits.refused.values())
        who = "one worker" if processes == 1 else "two workers"
        return [
            at_least(f"share of the allowed rate, {who}", mean / RATE, 0.98),
            at_most(f"the busiest second, {who}", busiest_second(times), RATE * 1.1),
            at_most(f"answers 429 in 10,000, {who}", refused * 10_000 / len(times), 1),
            *(await oracle.judge()),
        ]

"""Two workers on one token; one of them is killed, and both."""

from tests.drill.ground import Grounds, Plan
from tests.drill.promise import Promise
from tests.drill.recovery import endure
from tests.drill.restart import kill_the_worker

ON = ("postgresql",)


async def run(plan: Plan) -> list[Promise]:
    return await endure(
        plan, {"one killed": kill_the_worker, "both killed": _kill_both}, processes=2
    )


async def _kill_both(ground: Grounds) -> None:
    for worker in ground.workers:
        await worker.kill()
    for worker in ground.workers:
        await worker.start(ready=False)

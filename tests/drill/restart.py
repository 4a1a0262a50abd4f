"""PostgreSQL is restarted, at once and in order, and the worker is killed."""

from tests.drill.ground import Grounds, Plan
from tests.drill.promise import Promise
from tests.drill.recovery import endure

ON = ("postgresql",)


async def run(plan: Plan) -> list[Promise]:
    return await endure(
        plan,
        {"restart at once": _immediate, "restart in order": _fast, "kill -9": kill_the_worker},
    )


async def _immediate(ground: Grounds) -> None:
    await ground.postgres.restart("immediate")


async def _fast(ground: Grounds) -> None:
    await ground.postgres.restart("fast")


async def kill_the_worker(ground: Grounds) -> None:
    await ground.worker.kill()
    await ground.worker.start(ready=False)

"""The network between service and PostgreSQL is cut: reset, held back, and silently dead."""

from tests.drill.ground import Grounds, Plan, grounds
from tests.drill.promise import Promise
from tests.drill.proxy import proxy
from tests.drill.recovery import RATE, see_it_through

ON = ("postgresql",)


async def run(plan: Plan) -> list[Promise]:
    assert plan.server is not None
    async with proxy(plan.server.socket) as between:

        async def reset(_ground: Grounds) -> None:
            await between.refuse(plan.either(1, 5))

        async def hold_back(_ground: Grounds) -> None:
            await between.hold_back(plan.either(2, 8))

        async def go_deaf(_ground: Grounds) -> None:
            between.go_deaf()

        people = int(RATE * plan.either(15, 80))
        async with grounds(
            plan, rate=RATE, workers=people, through=f"127.0.0.1:{between.port}"
        ) as ground:
            return await see_it_through(
                ground, {"reset": reset, "held back": hold_back, "silently dead": go_deaf}
            )

"""The network between service and PostgreSQL is cut: reset, held back, and silently dead."""

from tests.drill.ground import Grounds, Plan
from tests.drill.promise import Promise
from tests.drill.proxy import proxy
from tests.drill.recovery import endure

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

        async def go_deaf_and_refuse(_ground: Grounds) -> None:
            """As a router that starts anew: what was there is forgotten, nothing new gets by."""
            between.go_deaf()
            await between.refuse_new(plan.either(2, 8))

        return await endure(
            plan,
            {
                "reset": reset,
                "held back": hold_back,
                "silently dead": go_deaf,
                "silently dead, and no way for new ones": go_deaf_and_refuse,
            },
            through=f"127.0.0.1:{between.port}",
        )

"""All of PostgreSQL's connections are taken by others, and the service has lost its own."""

import asyncio
import contextlib
from typing import Any

import asyncpg

from tests.drill.ground import Grounds, Plan
from tests.drill.promise import Promise
from tests.drill.recovery import endure

ON = ("postgresql",)


async def run(plan: Plan) -> list[Promise]:
    async def take_them_all(ground: Grounds) -> None:
        taken: list[Any] = []
        try:
            for _ in range(int(plan.either(3, 10))):
                with contextlib.suppress(asyncpg.PostgresError, OSError):
                    await ground.postgres.cut_backends()
                with contextlib.suppress(asyncpg.PostgresError, OSError):
                    while True:
                        taken.append(await ground.postgres.connect())
                await asyncio.sleep(1.0)
                # One place, or the next round could not end anything either.
                await taken.pop().close()
        finally:
            for connection in taken:
                await connection.close()

    return await endure(plan, {"no connection to be had": take_them_all}, longest=14.0)

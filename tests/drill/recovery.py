"""A broadcast goes out; something is struck; the pace comes back by itself, and nothing is lost."""

import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping

from tests.drill.ground import Grounds, Plan, grounds
from tests.drill.oracle import Oracle
from tests.drill.promise import Promise, at_most, none_of, told
from tests.drill.rate import back_at_pace

RATE = 30.0
BACK_WITHIN = 20.0
Strike = Callable[[Grounds], Awaitable[None]]
"""Does its harm and takes it away again; what was struck works again when it returns."""


async def endure(
    plan: Plan, strikes: Mapping[str, Strike], *, processes: int = 1, through: str | None = None
) -> list[Promise]:
    """Strike again and again, and see the pace come back each time."""
    people = int(RATE * plan.either(15, 20 + 20 * len(strikes)))
    async with grounds(
        plan, rate=RATE, workers=people, processes=processes, through=through
    ) as ground:
        return await see_it_through(ground, strikes)


async def see_it_through(ground: Grounds, strikes: Mapping[str, Strike]) -> list[Promise]:
    oracle = Oracle(ground)
    for worker in ground.workers:
        await worker.start()
    began = time.monotonic()
    await ground.broadcast()
    promises = [told("seconds until the pace is there", await back_at_pace(ground, began))]
    for name, strike in strikes.items():
        if await oracle.waiting() < RATE * ground.plan.either(10, 40):
            await ground.broadcast()
        await _note(oracle)
        await strike(ground)
        back = time.monotonic()
        await _note(oracle)
        if await oracle.waiting() < RATE * 5:
            # It is nearly out already: there must be enough to see a pace by.
            await ground.broadcast()
            back = time.monotonic()
        seconds = await back_at_pace(ground, back)
        promises.append(at_most(f"seconds until the pace is back: {name}", seconds, BACK_WITHIN))
    if ground.plan.short:
        await oracle.let_leases_end()
    seconds = await oracle.settle()
    ended = [worker.log()[-200:] for worker in ground.workers if not worker.is_alive()]
    return [
        *promises,
        none_of("processes that ended by themselves", ended),
        told("seconds until everything was over", seconds),
        *(await oracle.judge()),
    ]


async def _note(oracle: Oracle) -> None:
    """What is on its way just now, over connections that nothing has struck yet."""
    await oracle.grounds.db.engine.dispose()
    with contextlib.suppress(OSError):
        await oracle.note_caught()

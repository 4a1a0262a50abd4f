"""A broadcast goes out; something is struck; the pace comes back by itself, and nothing is lost."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping

from tests.drill.ground import Grounds, Plan, grounds
from tests.drill.oracle import Oracle
from tests.drill.promise import Promise, at_least, at_most, none_of, told
from tests.drill.rate import back_at_pace, sent_at

RATE = 30.0
BACK_WITHIN = 20.0
PATIENCE = 60.0
Strike = Callable[[Grounds], Awaitable[None]]
"""Does its harm and takes it away again; what was struck works again when it returns."""
Stay = Callable[[Grounds, Oracle], Awaitable[list[Promise]]]
"""Changes something that stays so for a while; what was promised for that while."""


async def endure(
    plan: Plan,
    strikes: Mapping[str, Strike],
    *,
    processes: int = 1,
    through: str | None = None,
    longest: float = 10.0,
    stays: Stay | None = None,
) -> list[Promise]:
    """Strike again and again, and see the pace come back each time.

    ``longest``: seconds that a strike lasts at most. ``stays`` comes last.
    """
    # Before each strike there is more than could go out until the pace has to be back.
    people = int(RATE * plan.either(25, longest + BACK_WITHIN + 15))
    async with grounds(
        plan, rate=RATE, workers=people, processes=processes, through=through
    ) as ground:
        return await _see_it_through(ground, strikes, stays)


async def _see_it_through(
    ground: Grounds, strikes: Mapping[str, Strike], stays: Stay | None
) -> list[Promise]:
    oracle = Oracle(ground)
    for worker in ground.workers:
        await worker.start()
    began = time.monotonic()
    await ground.broadcast()
    promises = [told("seconds until the pace is there", await back_at_pace(ground, began))]
    for name, strike in strikes.items():
        promises += await _strike(ground, oracle, name, strike)
    if stays is not None:
        await fill_up(ground, oracle)
        promises += await stays(ground, oracle)
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


async def _strike(ground: Grounds, oracle: Oracle, name: str, strike: Strike) -> list[Promise]:
    """The stopwatch runs from the end of the strike on, once."""
    before = await fill_up(ground, oracle)
    await note_flying(oracle)
    began = time.monotonic()
    await strike(ground)
    back = time.monotonic()
    await note_flying(oracle)
    seconds = await back_at_pace(ground, back, PATIENCE)
    meanwhile = sent_at(ground, began)
    return [
        at_most(f"seconds until the pace is back: {name}", seconds, BACK_WITHIN),
        told(f"  seconds it lasted; sent in them, of {before}", _lasted(began, back, meanwhile)),
        # Without any left nobody could tell a pace.
        at_least("  messages that waited when the pace was back", await oracle.waiting(), 1),
    ]


async def fill_up(ground: Grounds, oracle: Oracle) -> int:
    """Have a whole audience waiting, and go out at the pace, before anything is struck."""
    enough = 0.8 * len(ground.people.phones)
    if await oracle.waiting() < enough:
        await ground.broadcast()
    for _ in range(int(PATIENCE)):
        if await oracle.waiting() >= enough:
            break
        await asyncio.sleep(1.0)
    await back_at_pace(ground, time.monotonic())
    return await oracle.waiting()


def _lasted(began: float, back: float, times: list[float]) -> str:
    return f"{back - began:.1f}; {sum(at < back for at in times)}"


async def note_flying(oracle: Oracle) -> None:
    """What is on its way just now, over connections that nothing has struck yet."""
    await oracle.grounds.db.engine.dispose()
    with contextlib.suppress(OSError):
        await oracle.note_caught()

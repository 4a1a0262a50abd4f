"""kill -9 at random moments, while everything is sent and people write, tap and answer."""

import asyncio
import contextlib
from datetime import UTC, datetime

from tests.drill.crowd import crowd
from tests.drill.ground import Grounds, Plan, grounds
from tests.drill.oracle import Oracle
from tests.drill.population import ask_to_check_in
from tests.drill.promise import Promise, none_of, told

ON = ("sqlite", "postgresql")


async def run(plan: Plan) -> list[Promise]:
    kills = plan.kills or int(plan.either(5, 300))
    people = int(plan.either(40, 1000))
    most = int(plan.either(60, 1_000_000))
    within, patience = plan.either(0.5, 2), plan.either(1.5, 3)
    failures: list[str] = []
    async with grounds(plan, rate=plan.either(60, 250), workers=people) as ground:
        async with crowd(ground, talkers=200, pause=plan.either(0.1, 0.05), most=most) as talking:
            oracle = Oracle(ground, talking)
            enough = asyncio.Event()
            load = asyncio.create_task(_keep_sending(ground, oracle, enough, failures))
            for _ in range(kills):
                calls = len(ground.api.log) + ground.chance.randrange(int(within * ground.rate))
                await ground.worker.start(ready=False)
                # A moment of nobody's choosing: in its start, or in the thick of sending.
                with contextlib.suppress(TimeoutError):
                    await ground.api.wait_until(lambda n=calls: len(ground.api.log) >= n, patience)  # type: ignore[misc]  # mypy cannot see what a default makes of a lambda
                await asyncio.sleep(ground.chance.random() * 0.1)
                await ground.worker.kill()
                await oracle.note_caught()
            enough.set()
            await load
        if plan.short:
            # Before the start, which looks for what was left: later that is looked for rarely.
            await oracle.let_leases_end()
        await ground.worker.start()
        seconds = await oracle.settle()
        return [
            told("kills", kills),
            told("messages that kills caught in flight", len(oracle.caught)),
            told("seconds until everything was over", seconds),
            none_of("commands that failed", failures),
            *(await oracle.judge()),
        ]


async def _keep_sending(
    ground: Grounds, oracle: Oracle, enough: asyncio.Event, failures: list[str]
) -> None:
    """A broadcast whenever the last is nearly out, roll calls and check-ins in between."""
    turn, most = 0, ground.plan.either(2, 10_000)
    while not enough.is_set() and turn < most:
        if await oracle.waiting() < len(ground.people.phones) // 2:
            turn += 1
            try:
                await ground.broadcast()
                if turn % 3 == 1:
                    await ground.rollcall()
                if turn % 3 == 2:
                    await ask_to_check_in(ground.db, f"slot-{turn}", datetime.now(UTC))
            except Exception as problem:  # noqa: BLE001  # a promise broken, to be shown
                failures.append(f"{type(problem).__name__}: {problem}")
        await asyncio.sleep(0.3)

"""429: some chats are slowed down, and nobody else notices; then the bot is, and stands still."""

import asyncio
import time

from tests.drill.ground import Grounds, Plan, grounds
from tests.drill.oracle import Oracle
from tests.drill.promise import Promise, at_least, at_most, none_of, told
from tests.drill.rate import back_at_pace, sent_at

ON = ("sqlite", "postgresql")
RATE = 30.0
_IN_FLIGHT = 0.5


async def run(plan: Plan) -> list[Promise]:
    people = int(RATE * plan.either(8, 60))
    async with grounds(plan, rate=RATE, workers=people) as ground:
        await ground.worker.start()
        oracle = Oracle(ground)
        began = time.monotonic()
        await ground.broadcast()
        there = await back_at_pace(ground, began)
        promises = await _some_chats(ground, plan, began + there)
        promises += await _the_bot(ground, plan)
        await oracle.settle()
        async with ground.db.read() as tx:
            from storage.outbox.broadcasts import broadcast_outcome

            ends = await broadcast_outcome(tx, ground.broadcasts[1])
        return [
            *promises,
            none_of("failed by throttling", ["failed"] * ends.get("failed", 0)),
            told("answers 429", sum(ground.api.limits.refused.values())),
            *(await oracle.judge()),
        ]


async def _some_chats(ground: Grounds, plan: Plan, since: float) -> list[Promise]:
    """Two in a hundred chats are told to wait, again and again, for a while."""
    seconds = plan.either(3, 20)
    slowed = set(
        ground.chance.sample(sorted(ground.people.phones), len(ground.people.phones) // 50)
    )
    for chat_id in slowed:
        ground.api.limits.hold_chat(chat_id, time.monotonic() + seconds)
    await asyncio.sleep(seconds)
    until = time.monotonic()
    others = [at for at in sent_at(ground, until - seconds) if at < until]
    return [
        told("chats slowed down", len(slowed)),
        at_least("messages a second to everyone else", len(others) / seconds, 0.95 * RATE),
    ]


async def _the_bot(ground: Grounds, plan: Plan) -> list[Promise]:
    """Everything is refused for some seconds: nothing may be tried before they are over."""
    seconds = plan.either(2, 6)
    log, began = ground.api.log, time.monotonic()
    before = len(log)
    ground.api.limits.hold_bot(ground.bot.id, began + seconds)
    await asyncio.sleep(seconds + 3)
    sends = [call for call in log[before:] if call.method == "sendMessage"]
    refused = [call for call in sends if call.code == 429]
    told_at = refused[0].answered_at if refused else began
    early = [c for c in sends if told_at + _IN_FLIGHT < c.at < began + seconds]
    after = [call.at for call in sends if call.at >= began + seconds]
    wait = min(after, default=began + 99) - (began + seconds)
    return [
        told("sends refused as the bot was told to wait", len(refused)),
        none_of("sends tried while it had to wait", early),
        at_most("seconds until it went on after that", wait, 2.0),
    ]

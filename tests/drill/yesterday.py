"""The disk breaks, and the database is put back from a backup taken in the midst of a broadcast."""

import json
import time
from collections import Counter
from typing import Any

from sqlalchemy import select

from storage.backup.restored import SENT_SINCE
from storage.outbox.past import EVERY_DELIVERY
from tests.drill.ground import Grounds, Plan, grounds
from tests.drill.oracle import Oracle, names_of
from tests.drill.promise import Promise, at_least, none_of, told

ON = ("sqlite", "postgresql")


async def run(plan: Plan) -> list[Promise]:
    people = int(plan.either(600, 5000))
    # So slow at first that it is not over before the backup has begun, on however busy a machine.
    async with grounds(plan, rate=people / 60, workers=people) as ground:
        await ground.worker.start()
        oracle = Oracle(ground)
        began = _sent(ground)
        await ground.broadcast()
        await ground.api.wait_until(lambda: _sent(ground) >= began + people // 20, 120.0)
        before = _sent(ground)
        made = json.loads(await ground.worker.command("backup", "midst.backup", "--json"))
        meanwhile = _sent(ground) - before
        # What the backup knows nothing of.
        since = _sent(ground) + people // 20
        await ground.api.wait_until(lambda: _sent(ground) >= since, 120.0)
        await ground.worker.kill()
        await ground.db.close()
        started = time.monotonic()
        back = json.loads(await ground.worker.command("restore", "midst.backup", "--yes", "--json"))
        seconds = time.monotonic() - started
        await ground.worker.close()  # for another environment
        ground.worker.env["KINROOM_TELEGRAM_RATE"] = "1000"
        await ground.worker.start()
        await ground.broadcast()
        await oracle.settle()
        return [
            told("rows copied", made["rows"]),
            told("seconds to copy them", made["seconds"]),
            at_least("messages sent meanwhile", meanwhile, 1),
            told("seconds to put it back", seconds),
            at_least("messages it could not be certain of", back["unknown"], 1),
            *(await _judge(ground, people)),
        ]


def _sent(ground: Grounds) -> int:
    return len(ground.api.log.of("sendMessage"))


async def _judge(ground: Grounds, people: int) -> list[Promise]:
    got = Counter(
        (call.chat_id, name) for call in ground.api.log.of("sendMessage") for name in names_of(call)
    )
    twice = [f"{name} to {chat}" for (chat, name), times in got.items() if times > 1]
    heard = Counter(name for _, name in got)
    rows = await _rows(ground)
    odd = [
        f"{row.state}: {row.reason}"
        for row in rows
        if row.state != "sent" and (row.state, row.reason) != ("unknown", SENT_SINCE)
    ]
    later = [row for row in rows if row.broadcast_id == ground.broadcasts[2]]
    return [
        none_of("broadcasts that someone got twice", twice),
        none_of("messages in a state that nobody can explain", odd),
        at_least("people that the first broadcast has a row for", len(rows) - len(later), people),
        at_least("people that the broadcast after the restore reached", heard["B2"], people),
        none_of("messages of it that were not sent", [r.state for r in later if r.state != "sent"]),
    ]


async def _rows(ground: Grounds) -> list[Any]:
    every = EVERY_DELIVERY.c
    wanted = select(every.state, every.reason, every.broadcast_id)
    async with ground.db.read() as tx:
        return list(await tx.execute(wanted.where(every.broadcast_id.is_not(None))))

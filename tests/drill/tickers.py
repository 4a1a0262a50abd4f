"""Two services tick on one PostgreSQL while rules come due, and are killed: nobody is asked twice.

On SQLite, where one process works at a time, a second tries to run beside it.
"""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from typing import Any

from sqlalchemy import func, insert, select, update

from storage.calendar.recurrence import Hours, Weeks
from storage.database import Tx
from storage.models import Account, Area, Checkin, Person, RuleClock, Step, Task
from storage.outbox.past import EVERY_DELIVERY
from storage.people.areas import add_area, find_area
from storage.rules.kept import add_rule
from storage.rules.terms import CheckinTerms
from tests.drill.ground import Grounds, Plan, grounds
from tests.drill.oracle import Oracle, names_of
from tests.drill.promise import Promise, at_most, none_of, told
from tests.drill.worker import Worker
from tests.populous_county import COUNTY

ON = ("sqlite", "postgresql")
_EACH = 4
"""People of each village, and so of each rule."""
_RULES = 4
"""How many rules come due before each kill, within so many seconds:"""
_WITHIN = 1.5
_MOSTLY = 0.75
_DAY = timedelta(hours=24)
_HURRIED = 200
_REFUSED_WITHIN = 300  # tenths of a second
REFUSAL = "another service runs"
_TEMPLATES = ("checkin", "nudge", "nudge_again")
_STEPS = {"nudge": 2, "liaison": 1, "supervisor": 1}
_RULE = CheckinTerms(
    "daily",
    Weeks(1, tuple(range(7))),
    Hours(clock_time(20, 45)),
    nudges=(1, 2),
    window=12,
    then="liaison",
    supervisor=1,
)


async def run(plan: Plan) -> list[Promise]:
    kills = plan.kills or int(plan.either(3, 200))
    processes = 1 if plan.engine == "sqlite" else 2
    people = kills * _RULES * _EACH
    async with grounds(plan, rate=400, workers=people, processes=processes) as ground:
        oracle, let_in = Oracle(ground), 0
        rules = await _found_villages(ground, kills * _RULES)
        began = time.monotonic()
        for worker in ground.workers:
            await worker.start(ready=False)
        for turn in range(kills):
            worker = ground.workers[turn % processes]
            # Most have begun to tick when they are killed, some are still about to.
            if ground.chance.random() < _MOSTLY:
                await worker.wait_ready()
            if processes == 1 and turn % 10 == 0:
                let_in += await _try_beside(ground)
            await _let_come_due(ground, list(rules)[turn * _RULES : (turn + 1) * _RULES])
            await asyncio.sleep(ground.chance.random() * _WITHIN)
            await worker.kill()
            await oracle.note_caught()
            await worker.start(ready=False)
        seconds = time.monotonic() - began
        if plan.short:
            await oracle.let_leases_end()
        await _settle(ground, people, plan.either(120, 900))
        waited = await oracle.settle()
        return [
            told("kills", kills),
            at_most("second processes on one SQLite file", let_in, 0),
            told("seconds they were spread over", seconds),
            told("messages that kills caught in flight", len(oracle.caught)),
            told("seconds until everything was over", waited),
            *(await _judge(ground, oracle, rules)),
        ]


async def _found_villages(ground: Grounds, villages: int) -> dict[int, list[int]]:
    """A rule for each village, and the people it asks; by the rule's id.

    Nobody lives in the county's own villages any more. Where they are it is about noon.
    """
    now = datetime.now(UTC)
    zone = f"Etc/GMT{now.hour - 12:+d}"
    asked_at = 12 * 60 + now.minute // 15 * 15  # just now: nobody looks at it before it has left
    async with ground.db.write() as tx:
        found = await tx.execute(
            select(Person.id).where(Person.area_id.is_not(None)).order_by(Person.id)
        )
        people = list(found.scalars())
        # More than a week holds, so that none of it waits for the next.
        await tx.execute(update(Area).where(Area.code == COUNTY).values(weekly_budget=50))
        county = await find_area(tx, COUNTY)
        await add_rule(tx, county, _RULE, now)
        asked: dict[int, list[int]] = {}
        for number in range(villages):
            mine = people[number * _EACH : (number + 1) * _EACH]
            village = await add_area(
                tx,
                code=f"hamlet-{number}",
                name=f"hamlet-{number}",
                parent=COUNTY,
                timezone=zone,
                language="zh",
                now=now,
            )
            await tx.execute(
                update(Person)
                .where(Person.id.in_(mine))
                .values(area_id=village.id, timezone=None, usual_minute=asked_at)
            )
            rule = await add_rule(tx, village, _RULE, now)
            asked[rule.id] = mine
            # Not before its turn comes.
            await tx.execute(
                insert(RuleClock).values(rule_id=rule.id, timezone=zone, next_at=now + _DAY)
            )
    return asked


async def _let_come_due(ground: Grounds, rules: list[int]) -> None:
    """The clocks of some rules come round in the next moment, and so do steps of others."""
    async with ground.db.write() as tx:
        now = datetime.now(UTC)
        for rule_id in rules:
            at = now + timedelta(seconds=_WITHIN * ground.chance.random())
            await tx.execute(
                update(RuleClock).where(RuleClock.rule_id == rule_id).values(next_at=at)
            )
        await _hurry(tx, now)


async def _hurry(tx: Tx, now: datetime) -> None:
    """Let hours pass for some of those who wait, as if they had been asked earlier."""
    columns = (Checkin.due_at, Checkin.window_until, Checkin.delivered_at, Checkin.next_at)
    rows = await tx.execute(
        select(Checkin.id, Checkin.stage, *columns)
        .where(Checkin.next_at > now, Checkin.delivered_at.is_not(None))
        .order_by(Checkin.next_at)
        .limit(_HURRIED)
        .with_for_update(skip_locked=True)
    )
    for row in rows.all():
        # An hour to each nudge; then the time to answer, and the liaison's, are over.
        ago = timedelta(hours=1 if row.stage < len(_RULE.nudges) else _RULE.window)
        earlier = {it.key: getattr(row, it.key) - ago for it in columns}
        await tx.execute(update(Checkin).where(Checkin.id == row.id).values(earlier))
        mine = Task.checkin_id == row.id
        opened = await tx.scalar(select(Task.opened_at).where(mine))
        if opened is not None:
            await tx.execute(update(Task).where(mine).values(opened_at=opened - ago))


async def _settle(ground: Grounds, people: int, patience: float) -> None:
    """Hurry on until all were asked, and nothing more is to follow."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        async with ground.db.write() as tx:
            await _hurry(tx, datetime.now(UTC))
            asked = await tx.scalar(select(func.count()).select_from(Checkin))
            open_ones = select(func.count()).where(Checkin.next_at.is_not(None))
            if asked >= people and not await tx.scalar(open_ones):
                return
        await asyncio.sleep(0.5)


async def _judge(ground: Grounds, oracle: Oracle, rules: dict[int, list[int]]) -> list[Promise]:
    every = EVERY_DELIVERY.c
    async with ground.db.read() as tx:
        checkins = list(await tx.execute(select(Checkin.id, Checkin.rule_id, Checkin.person_id)))
        rows = list(
            await tx.execute(
                select(every.checkin_id, every.template, every.state, every.person_id).where(
                    every.checkin_id.is_not(None)
                )
            )
        )
        steps = Counter(
            (it.checkin_id, it.kind) for it in await tx.execute(select(Step.checkin_id, Step.kind))
        )
        tasks = Counter((await tx.execute(select(Task.person_id))).scalars())
        chats = {
            it.person_id: it.chat_id
            for it in await tx.execute(select(Account.person_id, Account.chat_id))
        }
    asked = Counter((it.rule_id, it.person_id) for it in checkins)
    expected = {(rule_id, person) for rule_id, people in rules.items() for person in people}
    written = Counter((it.checkin_id, it.template) for it in rows)
    due = {(it.id, template) for it in checkins for template in _TEMPLATES}
    taken = {(it.id, kind): most for it in checkins for kind, most in _STEPS.items()}
    sent = Counter(it.checkin_id for it in rows if it.state == "sent")
    came = Counter(
        (call.chat_id, name)
        for call in ground.api.log.of("sendMessage")
        if call.effect
        for name in names_of(call)
    )
    caught = Counter(person for person, _template in oracle.caught.values())
    lost, again = [], []
    for it in checkins:
        times = came[chats[it.person_id], f"c{it.id}"]
        lost += [it.id] if times < sent[it.id] else []
        again += [it.id] if times > written_of(written, it.id) + caught[it.person_id] else []
    return [
        told("check-ins that came due", len(expected)),
        none_of("people of a rule who were not asked", expected - set(asked)),
        none_of("people asked twice in a slot, or by a rule not theirs", _beyond(asked, expected)),
        none_of("questions and nudges without a message", due - set(written)),
        none_of("messages written twice", _beyond(written, due)),
        none_of("messages that did not leave", [it.state for it in rows if it.state != "sent"]),
        none_of("steps taken more often than once", [k for k, n in steps.items() if n > taken[k]]),
        none_of("steps not taken", [k for k, n in taken.items() if steps[k] < n]),
        none_of("tasks that are there twice", [it for it, n in tasks.items() if n > 1]),
        none_of("silent people without a task", {person for _, person in expected} - set(tasks)),
        none_of("messages said to be sent that never came out", lost),
        none_of("messages that came twice without a kill to explain it", again),
    ]


def written_of(written: Counter[tuple[int, str]], checkin_id: int) -> int:
    return sum(written[checkin_id, template] for template in _TEMPLATES)


def _beyond(found: Counter[Any], expected: set[Any]) -> list[Any]:
    return [it for it, times in found.items() if times > 1 or it not in expected]


async def _try_beside(ground: Grounds) -> bool:
    """A second process tries to run on the file that one has; whether it was let."""
    one = ground.worker
    await one.wait_ready()
    beside = Worker(one.folder.with_name("beside"), one.env)
    try:
        await beside.start(ready=False)
        for _ in range(_REFUSED_WITHIN):
            if not beside.is_alive():
                return REFUSAL not in beside.log()
            await asyncio.sleep(0.1)
        return True
    finally:
        beside.pid = 0
        await beside.close()

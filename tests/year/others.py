"""What officers and relatives do in a year: notices, roll calls, rules, calls, word of someone."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from storage.database import Tx
from storage.family.words import answer_question, open_questions
from storage.models import Task
from storage.outbox.broadcasts import plan_broadcast
from storage.register.contacts import log_attempt
from storage.rhythm.rollcalls import plan_rollcall
from storage.rules.kept import edit_rule, find_rule, stop_rule
from tests.year.agenda import DAY, HOUR, Agenda, second
from tests.year.founding import add_workers
from tests.year.lives import Lives
from tests.year.world import AREAS, BOT, RULES, VILLAGES, Word, Worker, World, chat_of, ref_of


class Others:
    """By the calendar, and as they are asked. ``rules`` are those that run, by their area.

    An act says whether it changed zones or rules.
    """

    def __init__(self, world: World, agenda: Agenda, lives: Lives, days: int) -> None:
        self._world, self._agenda, self._lives = world, agenda, lives
        self.has_notices = False
        self.rules = dict(RULES)
        self.rules_changed = world.start
        self._plan(days)

    def _plan(self, days: int) -> None:
        """What officers do by the calendar: notices, roll calls at night, changes of rules."""
        start = self._world.start
        for day in range(days):
            if day % 60 == 20:
                self._agenda.do(
                    start + day * DAY + 12.5 * HOUR, 0, "notice", "county", at_once=True
                )
            if day % 5 == 1:
                village = VILLAGES[day // 5 % len(VILLAGES)]
                if day // 30 % 2:
                    self._agenda.do(
                        start + day * DAY + 10 * HOUR, 0, "notice", village, at_once=True
                    )
            if day % 110 == 31:
                village = VILLAGES[day % len(VILLAGES)]
                at = start + day * DAY + 19 * HOUR + timedelta(minutes=17)
                self._agenda.do(at, 0, "rollcall", village, at_once=True)
            if day % 7 < 5:
                self._agenda.do(start + day * DAY + 1.5 * HOUR, 0, "tasks")
            if day % 30 == 9:
                self._agenda.do(start + day * DAY + 4 * HOUR, 0, "join", day)
        self._agenda.do(start + 100 * DAY, 0, "edit", "west", at_once=True)
        self._agenda.do(start + 251 * DAY, 0, "stop", "west-1", at_once=True)

    async def act_join(self, tx: Tx, at: datetime, _number: int, day: int) -> bool:
        known = max(self._world.workers)
        new = max(1, len(self._world.workers) // 400)
        await add_workers(tx, self._world, range(known + 1, known + 1 + new), at)
        for number in range(known + 1, known + 1 + new):
            self._lives.live(number, at)
        # Each is to be noted, so that none may be passed over.
        return sum(self._lives.is_new(worker) for worker in self._world.workers.values()) > 0

    async def act_vouch(
        self, tx: Tx, at: datetime, number: int, relative_id: int, said: Any
    ) -> None:
        who = replace(
            self._world.officers[VILLAGES[0]].who(),
            person_id=relative_id, chat_id=chat_of(number), ref=ref_of(number), bot_id=BOT,
            duties=(), is_officer=False,
        )  # fmt: skip
        for question in await open_questions(tx, relative_id, at):
            noted = await answer_question(tx, who, question.id, said, at)
            if noted.about is not None and noted.what == "noted" and said == "fine":
                worker = self._world.by_id[noted.about.worker_id]
                worker.words.append(Word(at, "relative"))

    async def act_tasks(self, tx: Tx, at: datetime, _number: int) -> None:
        """Liaisons look at what they are asked to do, and call some of those people today."""
        found = await tx.execute(
            select(Task.id, Task.person_id).where(Task.closed_at.is_(None)).order_by(Task.person_id)
        )
        for task in found:
            worker = self._world.by_id[task.person_id]
            draw = self._world.chance("call", worker.number, at)
            if draw < 0.4:
                self._agenda.do(second(at + 20 * draw * HOUR), worker.number, "call", draw < 0.25)

    async def act_call(self, tx: Tx, at: datetime, worker: Worker, reached: bool) -> None:
        officer = self._world.officers[worker.village]
        await log_attempt(
            tx, person_id=worker.person_id, by=officer.person_id, kind="call", reached=reached,
            note=None, now=at,
        )  # fmt: skip
        worker.words.append(Word(at, "liaison", reached))

    async def act_notice(self, tx: Tx, at: datetime, _number: int, code: str) -> None:
        area = self._world.areas[code]
        self.has_notices = True
        await plan_broadcast(tx, area=area, text="…", language=None, by=None, now=at)

    async def act_rollcall(self, tx: Tx, at: datetime, _number: int, code: str) -> None:
        await plan_rollcall(tx, area=self._world.areas[code], text="…", by=None, now=at)

    async def act_edit(self, tx: Tx, at: datetime, _number: int, code: str) -> bool:
        rule = await find_rule(tx, self._world.areas[code], "rhythm")
        terms = replace(RULES[code], nudges=(24, 48), then="relative-first")
        await edit_rule(tx, rule, terms, at)
        self.rules[code], self.rules_changed = terms, at
        return True

    async def act_stop(self, tx: Tx, at: datetime, _number: int, code: str) -> bool:
        await stop_rule(tx, await find_rule(tx, self._world.areas[code], "rhythm"), at)
        del self.rules[code]
        self.rules_changed = at
        return True


def governing(rules: dict[str, Any], village: str) -> Any:
    """The terms that hold in a village: its own, or the nearest above."""
    code: str | None = village
    while code not in rules:
        assert code is not None
        code = AREAS[code]
    return rules[code]

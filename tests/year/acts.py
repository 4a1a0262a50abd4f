"""What people do in the year: answer, fall silent, move, pause, leave, and look after each other.

Everyone acts through the storage functions that the handlers call, not through a chat: two
thousand chats for a year are another test's matter. Whether and when someone does something
follows from the seed and from what it is about alone, so that neither the order in which a
database gives its rows nor another act changes it.
"""

import heapq
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from scheduler.usual_hours import learn_hour
from storage.database import Tx
from storage.family.words import answer_question, open_questions
from storage.models import Task
from storage.outbox.broadcasts import plan_broadcast
from storage.people.enrolment import enrol
from storage.people.erasure import erase_person
from storage.people.places import Place
from storage.people.status import set_place, set_quiet_hours, set_slower, set_status
from storage.people.who import Who, mark_account
from storage.register.contacts import log_attempt, record_heard
from storage.reminders.answers import answer_reminder, open_reminder
from storage.reminders.subscriptions import subscribe
from storage.reminders.topics import list_topics
from storage.rhythm.checkins import answer_checkin
from storage.rhythm.rollcalls import plan_rollcall
from storage.rules.kept import edit_rule, find_rule, stop_rule
from tests.year.transport import Left
from tests.year.world import (
    AREAS,
    BOT,
    HOME_ZONE,
    RULES,
    VILLAGES,
    Word,
    Worker,
    World,
    add_workers,
    chat_of,
    ref_of,
)

MONTH: Final = timedelta(days=30)
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
ANSWERS: Final = {
    "prompt": (0.9, 0.7, 0.5),
    "slow": (0.35, 0.6, 0.6),
    "busy": (0.5, 0.3, 0.2),
    "fading": (0.9, 0.5, 0.4),
    "silent": (0.02, 0.02, 0.02),
}
"""How likely each kind of person answers the question, the first nudge, those after it."""
LIFE: Final = (
    ("move", 0.04),
    ("pause", 0.025),
    ("home", 0.02),
    ("leave", 0.003),
    ("block", 0.012),
    ("hello", 0.06),
    ("rhythm", 0.004),
    ("quiet", 0.006),
    ("village", 0.003),
)
"""What happens to someone in a month, and how likely."""
TOPICS: Final = ("wages", "tickets", "subsidy", "certificate", "medical-insurance")
_ASKS: Final = {"checkin": 0, "nudge": 1, "nudge_again": 2, "rollcall": 0, "rollcall_nudge": 1}

Act = tuple[datetime, int, str, tuple[Any, ...]]


class Acts:
    """What is still to be done, in order; ``at_once`` are the times the program must wake for.

    The others may wait until the program has something to do by itself: nothing else happens
    before that, so they come to the same, each at its own time.
    """

    def __init__(self, world: World, days: int) -> None:
        self._world = world
        self._end = world.start + timedelta(days=days)
        self._coming: list[Act] = []
        self._at_once: list[datetime] = []
        self.has_notices = False
        self._lived_in = {(it.village, it.zone.key) for it in world.workers.values()}
        self.rules = dict(RULES)
        self.rules_changed = world.start
        for number in world.workers:
            self._live(number, world.start)
        self._plan_offices(days)

    @property
    def at_once(self) -> datetime | None:
        return self._at_once[0] if self._at_once else None

    def _do(self, at: datetime, number: int, what: str, *more: Any, at_once: bool = False) -> None:
        if at < self._end:
            heapq.heappush(self._coming, (at, number, what, more))
            if at_once:
                heapq.heappush(self._at_once, at)

    def _live(self, number: int, since: datetime) -> None:
        """Draw what will happen to someone, each month."""
        month = 0
        while since + month * MONTH < self._end:
            draw = self._world.chance("life", number, month)
            at = since + (month + self._world.chance("when", number, month)) * MONTH
            for what, share in LIFE:
                draw -= share
                if draw < 0:
                    self._do(_quarter(at), number, what, month)
                    break
            month += 1

    def _plan_offices(self, days: int) -> None:
        """What officers do by the calendar: notices, roll calls at night, changes of rules."""
        start = self._world.start
        for day in range(days):
            if day % 60 == 20:
                self._do(start + day * DAY + 12.5 * HOUR, 0, "notice", "county", at_once=True)
            if day % 5 == 1:
                village = VILLAGES[day // 5 % len(VILLAGES)]
                if day // 30 % 2:
                    self._do(start + day * DAY + 10 * HOUR, 0, "notice", village, at_once=True)
            if day % 110 == 31:
                village = VILLAGES[day % len(VILLAGES)]
                at = start + day * DAY + 19 * HOUR + timedelta(minutes=17)
                self._do(at, 0, "rollcall", village, at_once=True)
            if day % 7 < 5:
                self._do(start + day * DAY + 1.5 * HOUR, 0, "tasks")
            if day % 30 == 9:
                self._do(start + day * DAY + 4 * HOUR, 0, "join", day)
        self._do(start + 100 * DAY, 0, "edit", "west", at_once=True)
        self._do(start + 251 * DAY, 0, "stop", "west-1", at_once=True)

    async def subscribe_some(self, tx: Tx, now: datetime, *, dated: bool) -> None:
        """A third of the workers choose to be reminded of something; ``dated``: some, of a date.

        The county has stopped the rules of dates that nobody has given: each has its tick every
        day in every zone.
        """
        stopped = ["check-up", "residence-permit", "contract", "school-enrolment"]
        for code in stopped if dated else [*stopped, "certificate"]:
            await stop_rule(tx, await find_rule(tx, self._world.areas["county"], code), now)
        topics = {topic.code: topic for topic in await list_topics(tx)}
        for number, worker in self._world.workers.items():
            draw = self._world.chance("topic", number)
            if draw >= 0.3:
                continue
            topic = topics[TOPICS[int(draw / 0.3 * len(TOPICS))]]
            day = None
            if topic.asks is not None:
                day = (now + (40 + 300 * self._world.chance("date", number)) * DAY).date()
            await subscribe(tx, worker.who(), topic, now, day=day)
            worker.topics.add(topic.id)

    def react(self, left: Iterable[Left]) -> None:
        """Let people take note of what has reached them."""
        for message in left:
            worker = self._world.by_id.get(message.person_id)
            if message.template in _ASKS and worker is not None:
                self._answer_perhaps(worker, message)
            elif message.template == "reminder" and worker is not None:
                draw = self._world.chance("reminded", worker.number, message.at)
                if draw < 0.4:
                    said = "done" if draw < 0.2 else "later" if draw < 0.3 else "stop"
                    self._do(_second(message.at + 30 * draw * HOUR), worker.number, "settle", said)
            elif message.template == "kin_ask":
                draw = self._world.chance("kin", message.person_id, message.at)
                if draw < 0.8:
                    said = "fine" if draw < 0.55 else "no" if draw < 0.7 else "call"
                    at = message.at + (0.1 + 10 * draw) * HOUR
                    number = self._world.relatives[message.person_id]
                    self._do(_second(at), number, "vouch", message.person_id, said, at_once=True)

    def _answer_perhaps(self, worker: Worker, message: Left) -> None:
        world = self._world
        about = (worker.number, message.template, message.at)
        likely = ANSWERS[worker.kind][_ASKS[message.template]]
        if worker.kind == "fading":
            likely *= max(0.0, 1 - (message.at - world.start) / timedelta(days=300))
        if world.chance("answers", *about) >= likely:
            return
        delay = world.chance("delay", *about)
        if delay < 0.5 or message.template == "rollcall":
            at = message.at + (0.02 + 4 * delay) * HOUR
        else:  # when they have the time for it, as on other days
            local = message.at.astimezone(worker.zone)
            minutes = (worker.usual - local.hour * 60 - local.minute) % (24 * 60)
            at = message.at + timedelta(minutes=minutes + 40 * (delay - 0.5))
        draw = world.chance("says", *about)
        said = (
            "ok" if draw < 0.95 else "moved" if draw < 0.98 else "home" if draw < 0.995 else "help"
        )
        self._do(_second(at), worker.number, "answer", message.checkin_id, said)

    async def apply(self, tx: Tx, now: datetime) -> bool:
        """Do all that came up to ``now``, each at its own time; whether zones or rules changed."""
        changed = self.has_notices = False
        while self._at_once and self._at_once[0] <= now:
            heapq.heappop(self._at_once)
        while self._coming and self._coming[0][0] <= now:
            at, number, what, more = heapq.heappop(self._coming)
            act = getattr(self, f"_act_{what}")
            if number in self._world.workers:
                worker = self._world.workers[number]
                if worker.erased:
                    continue
                changed |= bool(await act(tx, at, worker, *more))
            else:
                changed |= bool(await act(tx, at, number, *more))
        return changed

    def is_waiting(self, now: datetime) -> bool:
        return bool(self._coming) and self._coming[0][0] <= now

    def _is_new(self, worker: Worker) -> bool:
        """Whether they are the first of their village in their zone."""
        pair = worker.village, worker.zone.key
        if pair in self._lived_in:
            return False
        self._lived_in.add(pair)
        return True

    # What workers do.

    async def _act_answer(
        self, tx: Tx, at: datetime, worker: Worker, checkin_id: int, said: str
    ) -> bool:
        if worker.blocked:
            return False
        who = worker.who()
        taken = await answer_checkin(
            tx, checkin_id=checkin_id, person_id=worker.person_id, answer=said, now=at
        )
        assert taken is not None
        if not taken.first:
            return False
        await learn_hour(tx, who, taken, at)
        await self._heard(tx, at, worker, "help" if said == "help" else "checkin", said, checkin_id)
        if said == "home" and worker.status in ("away", "moving"):
            await self._set_status(tx, at, worker, who, "home")
            self._do(at + 20 * DAY, worker.number, "away")
        if said == "moved":
            return await self._act_move(tx, at, worker, at.month)
        return False

    async def _heard(
        self, tx: Tx, at: datetime, worker: Worker, kind: Any, outcome: str, checkin_id: Any = None
    ) -> None:
        await record_heard(tx, worker.who(), at, kind=kind, outcome=outcome, checkin_id=checkin_id)
        worker.words.append(Word(at, "self"))

    async def _set_status(
        self, tx: Tx, at: datetime, worker: Worker, who: Who, status: str, until: Any = None
    ) -> None:
        await set_status(tx, who, status, at, until=until)
        worker.status, worker.unsettled = status, at

    async def _act_move(self, tx: Tx, at: datetime, worker: Worker, month: int) -> bool:
        draw = self._world.chance("where", worker.number, month)
        zones = self._world.zones
        zone = HOME_ZONE if draw < 0.6 else zones[int((draw - 0.6) / 0.4 * len(zones))]
        await set_place(tx, worker.who(), Place("XX", timezone=zone), None)
        worker.zone, worker.unsettled = ZoneInfo(zone), at
        if worker.status != "paused":
            await self._heard(tx, at, worker, "status", "moved")
        return self._is_new(worker)

    async def _act_pause(self, tx: Tx, at: datetime, worker: Worker, month: int) -> None:
        if worker.status == "paused":
            return
        weeks = 1 + int(self._world.chance("pause", worker.number, month) * 6)
        await self._set_status(tx, at, worker, worker.who(), "paused", at + weeks * 7 * DAY)
        self._do(at + weeks * 7 * DAY, worker.number, "resumed")

    async def _act_resumed(self, _tx: Tx, at: datetime, worker: Worker) -> None:
        """The program does it by itself, with the next tick of the minute."""
        worker.status, worker.unsettled = "away", at

    async def _act_home(self, tx: Tx, at: datetime, worker: Worker, month: int) -> None:
        if worker.status != "away":
            return
        await self._set_status(tx, at, worker, worker.who(), "home")
        await self._heard(tx, at, worker, "status", "home")
        days = 10 + int(self._world.chance("stay", worker.number, month) * 60)
        self._do(at + days * DAY, worker.number, "away")

    async def _act_away(self, tx: Tx, at: datetime, worker: Worker) -> None:
        if worker.status == "home":
            await self._set_status(tx, at, worker, worker.who(), "away")
            await self._heard(tx, at, worker, "status", "away")

    async def _act_leave(self, tx: Tx, at: datetime, worker: Worker, _month: int) -> None:
        await erase_person(tx, worker.who(), at)
        worker.erased, worker.unsettled = True, at

    async def _act_block(self, tx: Tx, at: datetime, worker: Worker, month: int) -> None:
        """Some chats tell at once that they were blocked, others only refuse what comes next."""
        if worker.blocked:
            return
        worker.blocked, worker.unsettled = True, at
        if self._world.chance("tells", worker.number, month) < 0.5:
            await mark_account(tx, worker.account_id, "blocked", at)
            worker.cut_off = at
        if self._world.chance("returns", worker.number, month) < 0.6:
            days = 2 + int(self._world.chance("after", worker.number, month) * 60)
            self._do(at + days * DAY, worker.number, "return")

    async def _act_return(self, tx: Tx, at: datetime, worker: Worker) -> None:
        worker.blocked, worker.cut_off, worker.unsettled = False, None, at
        await mark_account(tx, worker.account_id, "reachable", at)
        await self._heard(tx, at, worker, "message", "message")

    async def _act_hello(self, tx: Tx, at: datetime, worker: Worker, _month: int) -> None:
        if not worker.blocked:
            await self._heard(tx, at, worker, "message", "message")

    async def _act_rhythm(self, tx: Tx, at: datetime, worker: Worker, _month: int) -> None:
        worker.slower, worker.unsettled = not worker.slower, at
        await set_slower(tx, worker.who(), worker.slower, at)

    async def _act_quiet(self, tx: Tx, at: datetime, worker: Worker, month: int) -> None:
        offered = ((21, 8), (22, 7), (23, 9), (20, 9))
        worker.quiet = offered[int(self._world.chance("hours", worker.number, month) * 4)]
        await set_quiet_hours(tx, worker.who(), *worker.quiet)

    async def _act_settle(self, tx: Tx, at: datetime, worker: Worker, said: Any) -> None:
        reminder_id = await open_reminder(tx, worker.person_id, at)
        if reminder_id is None or worker.blocked:
            return
        taken = await answer_reminder(tx, worker.who(), reminder_id, said, at)
        if taken is not None and taken.over:
            worker.topics.discard(taken.topic_id)

    async def _act_village(self, tx: Tx, at: datetime, worker: Worker, month: int) -> bool:
        codes = [code for code in VILLAGES if code != worker.village]
        worker.village = codes[int(self._world.chance("to", worker.number, month) * len(codes))]
        worker.area, worker.unsettled = self._world.areas[worker.village], at
        await enrol(tx, worker.person_id, worker.area.id, at)
        return self._is_new(worker)

    # What others do.

    async def _act_join(self, tx: Tx, at: datetime, _number: int, day: int) -> bool:
        known = max(self._world.workers)
        new = max(1, len(self._world.workers) // 400)
        await add_workers(tx, self._world, range(known + 1, known + 1 + new), at)
        for number in range(known + 1, known + 1 + new):
            self._live(number, at)
        # Each is to be noted, so that none may be passed over.
        return sum(self._is_new(worker) for worker in self._world.workers.values()) > 0

    async def _act_vouch(
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

    async def _act_tasks(self, tx: Tx, at: datetime, _number: int) -> None:
        """Liaisons look at what they are asked to do, and call some of those people today."""
        found = await tx.execute(
            select(Task.id, Task.person_id).where(Task.closed_at.is_(None)).order_by(Task.person_id)
        )
        for task in found:
            worker = self._world.by_id[task.person_id]
            draw = self._world.chance("call", worker.number, at)
            if draw < 0.4:
                self._do(_second(at + 20 * draw * HOUR), worker.number, "call", draw < 0.25)

    async def _act_call(self, tx: Tx, at: datetime, worker: Worker, reached: bool) -> None:
        officer = self._world.officers[worker.village]
        await log_attempt(
            tx, person_id=worker.person_id, by=officer.person_id, kind="call", reached=reached,
            note=None, now=at,
        )  # fmt: skip
        worker.words.append(Word(at, "liaison", reached))

    async def _act_notice(self, tx: Tx, at: datetime, _number: int, code: str) -> None:
        area = self._world.areas[code]
        self.has_notices = True
        await plan_broadcast(tx, area=area, text="…", language=None, by=None, now=at)

    async def _act_rollcall(self, tx: Tx, at: datetime, _number: int, code: str) -> None:
        await plan_rollcall(tx, area=self._world.areas[code], text="…", by=None, now=at)

    async def _act_edit(self, tx: Tx, at: datetime, _number: int, code: str) -> bool:
        rule = await find_rule(tx, self._world.areas[code], "rhythm")
        terms = replace(RULES[code], nudges=(24, 48), then="relative-first")
        await edit_rule(tx, rule, terms, at)
        self.rules[code], self.rules_changed = terms, at
        return True

    async def _act_stop(self, tx: Tx, at: datetime, _number: int, code: str) -> bool:
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


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _quarter(at: datetime) -> datetime:
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)

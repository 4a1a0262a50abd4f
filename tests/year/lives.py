"""What workers do in a year by themselves: move, pause, go home, leave, and answer."""

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from scheduler.learned_hour import learn_hour
from storage.database import Tx
from storage.people.enrolment import enrol
from storage.people.erasure import erase_person
from storage.people.places import Place
from storage.people.status import set_place, set_quiet_hours, set_slower, set_status
from storage.people.who import Who, mark_account
from storage.register.contacts import record_heard
from storage.reminders.answers import answer_reminder, open_reminder
from storage.rhythm.checkins import answer_checkin
from tests.year.agenda import DAY, MONTH, Agenda, quarter
from tests.year.world import HOME_ZONE, VILLAGES, Word, Worker, World

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


class Lives:
    """Drawn for each worker, month by month. An act says whether it changed zones or rules."""

    def __init__(self, world: World, agenda: Agenda) -> None:
        self._world, self._agenda = world, agenda
        self._lived_in = {(it.village, it.zone.key) for it in world.workers.values()}

    def live(self, number: int, since: datetime) -> None:
        """Draw what will happen to someone, each month."""
        month = 0
        while since + month * MONTH < self._agenda.end:
            draw = self._world.chance("life", number, month)
            at = since + (month + self._world.chance("when", number, month)) * MONTH
            for what, share in LIFE:
                draw -= share
                if draw < 0:
                    self._agenda.do(quarter(at), number, what, month)
                    break
            month += 1

    def is_new(self, worker: Worker) -> bool:
        """Whether they are the first of their village in their zone."""
        pair = worker.village, worker.zone.key
        if pair in self._lived_in:
            return False
        self._lived_in.add(pair)
        return True

    async def act_answer(
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
            self._agenda.do(at + 20 * DAY, worker.number, "away")
        if said == "moved":
            return await self.act_move(tx, at, worker, at.month)
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

    async def act_move(self, tx: Tx, at: datetime, worker: Worker, month: int) -> bool:
        draw = self._world.chance("where", worker.number, month)
        zones = self._world.zones
        zone = HOME_ZONE if draw < 0.6 else zones[int((draw - 0.6) / 0.4 * len(zones))]
        await set_place(tx, worker.who(), Place("XX", timezone=zone), None)
        worker.zone, worker.unsettled = ZoneInfo(zone), at
        if worker.status != "paused":
            await self._heard(tx, at, worker, "status", "moved")
        return self.is_new(worker)

    async def act_pause(self, tx: Tx, at: datetime, worker: Worker, month: int) -> None:
        if worker.status == "paused":
            return
        weeks = 1 + int(self._world.chance("pause", worker.number, month) * 6)
        await self._set_status(tx, at, worker, worker.who(), "paused", at + weeks * 7 * DAY)
        self._agenda.do(at + weeks * 7 * DAY, worker.number, "resumed")

    async def act_resumed(self, _tx: Tx, at: datetime, worker: Worker) -> None:
        """The program does it by itself, with the next tick of the minute."""
        worker.status, worker.unsettled = "away", at

    async def act_home(self, tx: Tx, at: datetime, worker: Worker, month: int) -> None:
        if worker.status != "away":
            return
        await self._set_status(tx, at, worker, worker.who(), "home")
        await self._heard(tx, at, worker, "status", "home")
        days = 10 + int(self._world.chance("stay", worker.number, month) * 60)
        self._agenda.do(at + days * DAY, worker.number, "away")

    async def act_away(self, tx: Tx, at: datetime, worker: Worker) -> None:
        if worker.status == "home":
            await self._set_status(tx, at, worker, worker.who(), "away")
            await self._heard(tx, at, worker, "status", "away")

    async def act_leave(self, tx: Tx, at: datetime, worker: Worker, _month: int) -> None:
        await erase_person(tx, worker.who(), at)
        worker.erased, worker.unsettled = True, at

    async def act_block(self, tx: Tx, at: datetime, worker: Worker, month: int) -> None:
        """Some chats tell at once that they were blocked, others only refuse what comes next."""
        if worker.blocked:
            return
        worker.blocked, worker.unsettled = True, at
        if self._world.chance("tells", worker.number, month) < 0.5:
            await mark_account(tx, worker.account_id, "blocked", at)
            worker.cut_off = at
        if self._world.chance("returns", worker.number, month) < 0.6:
            days = 2 + int(self._world.chance("after", worker.number, month) * 60)
            self._agenda.do(at + days * DAY, worker.number, "return")

    async def act_return(self, tx: Tx, at: datetime, worker: Worker) -> None:
        worker.blocked, worker.cut_off, worker.unsettled = False, None, at
        await mark_account(tx, worker.account_id, "reachable", at)
        await self._heard(tx, at, worker, "message", "message")

    async def act_hello(self, tx: Tx, at: datetime, worker: Worker, _month: int) -> None:
        if not worker.blocked:
            await self._heard(tx, at, worker, "message", "message")

    async def act_rhythm(self, tx: Tx, at: datetime, worker: Worker, _month: int) -> None:
        worker.slower, worker.unsettled = not worker.slower, at
        await set_slower(tx, worker.who(), worker.slower, at)

    async def act_quiet(self, tx: Tx, at: datetime, worker: Worker, month: int) -> None:
        offered = ((21, 8), (22, 7), (23, 9), (20, 9))
        worker.quiet = offered[int(self._world.chance("hours", worker.number, month) * 4)]
        await set_quiet_hours(tx, worker.who(), *worker.quiet)

    async def act_settle(self, tx: Tx, at: datetime, worker: Worker, said: Any) -> None:
        reminder_id = await open_reminder(tx, worker.person_id, at)
        if reminder_id is None or worker.blocked:
            return
        taken = await answer_reminder(tx, worker.who(), reminder_id, said, at)
        if taken is not None and taken.over:
            worker.topics.discard(taken.topic_id)

    async def act_village(self, tx: Tx, at: datetime, worker: Worker, month: int) -> bool:
        codes = [code for code in VILLAGES if code != worker.village]
        worker.village = codes[int(self._world.chance("to", worker.number, month) * len(codes))]
        worker.area, worker.unsettled = self._world.areas[worker.village], at
        await enrol(tx, worker.person_id, worker.area.id, at)
        return self.is_new(worker)

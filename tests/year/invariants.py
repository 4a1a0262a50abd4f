"""What must hold on every day, worked out from what left and from how people are, in plain loops.

Written from design §3 and §4 and issue 4, and from nothing that the program computes with: zones
are asked for the hour of a message, slots are counted on a calendar, standings in a list.

**Counted against the budget**: each message that left to a worker with a question, a reminder or a
notice in it; what left as one counts once. Not counted: nudges, which belong to their question;
what is marked urgent; answers; what officers and relatives get as such.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, select

from storage.calendar.recurrence import MonthWeekdays, Weeks
from storage.database import Database
from storage.models import Checkin, Step
from storage.register.figures import compute_register
from storage.register.next_steps import next_steps
from storage.register.periods import week_of
from storage.register.silence import silent_list
from storage.register.silence_facts import facts_of
from storage.rules.terms import CheckinTerms
from tests.year.acts import Acts
from tests.year.others import governing
from tests.year.transport import Left
from tests.year.world import STARTS, VILLAGES, Word, Worker, World

NIGHT: Final = (21, 8)
WEEK: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)
BUDGET: Final = 3
COUNTED: Final = ("checkin", "rollcall", "reminder", "broadcast")
ASKS: Final = ("checkin", "nudge", "nudge_again", "rollcall", "rollcall_nudge")
FESTIVALS: Final = {2027: date(2027, 2, 6), 2028: date(2028, 1, 26)}


_FESTIVAL_SLOTS: Final = tuple((day - WEEK).isoformat() for day in FESTIVALS.values())
_STRONGEST: Final = (
    ("self", True, "heard"),
    ("relative", True, "vouched"),
    ("liaison", True, "reached"),
    ("liaison", False, "tried"),
)
_CHECKINS: Final = (
    select(Checkin.id, Checkin.person_id, Checkin.rule_id, Checkin.slot, Checkin.due_at)
    .where(Checkin.id > bindparam("last"))
    .order_by(Checkin.id)
)
_STEPS: Final = (
    select(Step.id, Step.checkin_id, Step.kind, Step.outcome, Step.at)
    .where(Step.id > bindparam("last"))
    .order_by(Step.id)
)


class Broken(AssertionError):
    """Something that must hold did not."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A check-in, as its row says when it is first seen."""

    id: int
    person_id: int
    rule_id: int | None
    slot: str
    due_at: datetime


class Invariants:
    """Sees what leaves as it leaves, and the tables once a day."""

    def __init__(self, db: Database, world: World, acts: Acts) -> None:
        self._db, self._world, self._acts = db, world, acts
        self._troubles: list[str] = []
        self._week: dict[int, dict[int, datetime]] = defaultdict(dict)
        self._asked: dict[int, Asked] = {}
        self._slots: dict[int, dict[str, Asked]] = defaultdict(dict)
        self._due: dict[date, list[Asked]] = defaultdict(list)
        self._steps: dict[int, set[str]] = defaultdict(set)
        self._question: dict[int, datetime] = {}
        self._delivered: set[tuple[int, str]] = set()
        self._left_today: list[Left] = []
        self._last_checkin = self._last_step = 0
        self._sent: dict[int, datetime] = {}
        self.counts: Counter[str] = Counter()

    def _trouble(self, what: str) -> None:
        self._troubles.append(what)

    # As it leaves.

    def took(self, fresh: Sequence[Left]) -> None:
        for left in fresh:
            self.counts[left.template] += 1
            worker = self._world.by_id.get(left.person_id)
            if worker is not None:
                self._check_left(left, worker)
        self._left_today += fresh

    def _check_left(self, left: Left, worker: Worker) -> None:
        told = f"{left.template} to worker {worker.number} at {left.at} ({worker.zone.key})"
        if not left.urgent and _is_night(left.at, worker):
            self._trouble(f"at night: {told}, quiet {worker.quiet}")
        if worker.erased or worker.status in ("left", "paused"):
            self._trouble(f"who has left or paused: {told}")
        if left.template in ASKS and not worker.expected:
            self._trouble(f"asked, but {worker.status}: {told}")
        if left.template == "reminder" and not worker.topics:
            self._trouble(f"wants no reminders: {told}")
        self._sent[worker.person_id] = left.at
        if left.checkin_id:
            once = (left.checkin_id, left.template)
            if not left.template.endswith(("_again", "rollcall_nudge")) and once in self._delivered:
                self._trouble(f"the same question twice: {told}, check-in {left.checkin_id}")
            self._delivered.add(once)
            if left.template in ("checkin", "rollcall"):
                self._question[worker.person_id] = left.at
        if left.template in COUNTED and not left.urgent:
            week = self._week[worker.person_id]
            week[left.message] = left.at
            while (first := next(iter(week))) and week[first] <= left.at - WEEK:
                del week[first]
            if len(week) > BUDGET:
                self._trouble(f"{len(week)} in seven days: {told}")

    # Once a day.

    async def check_day(self, now: datetime) -> None:
        """Look at what is new in the tables; raises :class:`Broken` with all that is wrong."""
        # Each day another village, and its list of the silent every third day, in turn, too.
        village = VILLAGES[now.toordinal() % len(VILLAGES)]
        async with self._db.read() as tx:
            self._take_checkins((await tx.execute(_CHECKINS, {"last": self._last_checkin})).all())
            steps = (await tx.execute(_STEPS, {"last": self._last_step})).all()
            for left in self._left_today:
                if left.template in ("nudge", "nudge_again"):
                    self._check_silent(left.checkin_id, left.at, left.template)
            for row in steps:
                self._last_step = row.id
                self.counts[f"step: {row.kind}"] += 1
                self._steps[row.checkin_id].add(row.kind)
                self._check_silent(row.checkin_id, row.at, f"step {row.kind}")
            self._left_today = []
            self._check_slots((now - 2 * DAY).date())
            self._check_next_steps(now)
            areas = [village] if now.weekday() else [village, "county"]
            for code in areas:
                area = self._world.areas[code]
                found = await compute_register(tx, area, week_of(now, area.timezone), now)
                self._check_register(found.as_json(), code, now)
            if now.toordinal() % 3 == 0:
                await self._check_list(tx, village, now)
        if self._troubles:
            some = "\n  ".join(self._troubles[:20])
            raise Broken(f"{now - DAY:%Y-%m-%d}, {len(self._troubles)} troubles:\n  {some}")

    def _take_checkins(self, rows: Sequence[Any]) -> None:
        for row in rows:
            asked = Asked(*row)
            self._asked[row.id] = asked
            self._last_checkin = row.id
            if asked.rule_id is None:
                continue
            mine = self._slots[asked.person_id]
            if asked.slot in mine:
                # By one rule twice, or by two rules on one day.
                self._trouble(f"two check-ins on a day: {asked}, {mine[asked.slot]}")
            mine[asked.slot] = asked
            self._due[asked.due_at.date()].append(asked)

    def _check_silent(self, checkin_id: int, at: datetime, what: str) -> None:
        """Nothing follows once there was word since the question was due."""
        asked = self._asked[checkin_id]
        worker = self._world.by_id[asked.person_id]
        word = self._word(worker, asked.due_at, at)
        if word is not None:
            self._trouble(f"{what} at {at} after {word}: {asked}, worker {worker.number}")

    def _word(self, worker: Worker, since: datetime, until: datetime) -> Word | None:
        words = (it for it in reversed(worker.words) if since <= it.at <= until and it.success)
        return next(words, None)

    def _check_slots(self, day: date) -> None:
        """Whoever is to be asked on a local day was asked once, and nobody else."""
        if abs(day - self._acts.others.rules_changed.date()) <= 4 * DAY or day < STARTS + 3 * DAY:
            return
        rules = {code: governing(self._acts.others.rules, code) for code in VILLAGES}
        today = {code: asks_on(terms, day) for code, terms in rules.items()}
        festival = day in (one - WEEK for one in FESTIVALS.values())
        for worker in self._world.workers.values():
            settled = worker.unsettled.date() < day - 3 * DAY
            if not settled or not worker.expected or worker.slower:
                continue
            asked = day.isoformat() in self._slots[worker.person_id]
            if asked != (today[worker.village] or festival):
                self._trouble(f"{'asked' if asked else 'not asked'} on {day}: {worker}")

    def _check_next_steps(self, now: datetime) -> None:
        """A question without any word is followed up, once its time is over."""
        for asked in self._due.pop((now - 8 * DAY).date(), ()):
            worker = self._world.by_id[asked.person_id]
            if worker.unsettled > asked.due_at - 2 * DAY or not worker.expected:
                continue
            if self._acts.others.rules_changed > asked.due_at - 8 * DAY:
                continue
            if asked.slot in _FESTIVAL_SLOTS:
                continue
            terms = governing(self._acts.others.rules, worker.village)
            if terms.then == "none" or self._word(worker, asked.due_at, now) is not None:
                continue
            if not self._steps[asked.id] & {"relative", "liaison"}:
                self._trouble(f"nothing follows silence: {asked}, {self._steps[asked.id]}")

    def _check_register(self, found: dict[str, Any], code: str, now: datetime) -> None:
        standing = Counter[str]()
        silence = Counter[str]()
        excluded = Counter[str]()
        start = week_start(now)
        for worker in self._of_area(code):
            reason, stands, silent_as = self._stands(worker, start, now)
            if reason == "gone":
                continue
            if reason is not None:
                excluded[reason] += 1
                continue
            assert stands is not None
            standing[stands] += 1
            if silent_as is not None:
                silence[silent_as] += 1
        for what, mine in (("standing", standing), ("silence", silence), ("excluded", excluded)):
            theirs = {key: n for key, n in found[what].items() if n}
            if theirs != dict(mine):
                self._trouble(f"register of {code} at {now}: {what} {theirs}, but {dict(mine)}")

    def _of_area(self, code: str) -> list[Worker]:
        everyone = self._world.workers.values()
        return [it for it in everyone if code in ("county", it.village)]

    def _stands(
        self, worker: Worker, start: datetime, now: datetime
    ) -> tuple[str | None, str | None, str | None]:
        """Why they are not expected; their standing; the class of their silence."""
        if worker.erased:
            return ("withdrawn" if worker.unsettled >= start else "gone"), None, None
        if worker.status in ("home", "paused"):
            return worker.status, None, None
        if worker.joined > start + WEEK - DAY:
            return "too new", None, None
        words = [it for it in worker.words if it.at >= start]
        for evidence, success, stands in _STRONGEST:
            if any(it.evidence == evidence and it.success >= success for it in words):
                return None, stands, None
        return None, "silent", self._silence(worker, start)

    def _silence(self, worker: Worker, start: datetime) -> str:
        if worker.cut_off is not None:
            return "unreachable"
        if self._question.get(worker.person_id, start - DAY) >= start:
            return "unanswered"
        if worker.slower:
            return "quiet"
        return "unanswered" if self._sent.get(worker.person_id, start - DAY) >= start else "unasked"

    async def _check_list(self, tx: Any, code: str, now: datetime) -> None:
        """Everyone silent is on the list once, with the class of the register and a next step."""
        start = week_start(now)
        listed = await silent_list(tx, self._world.areas[code], now, 5000)
        theirs = sorted((it.person_id, it.standing, it.silence) for it in listed)
        mine = []
        for worker in self._of_area(code):
            reason, stands, silent_as = self._stands(worker, start, now)
            if reason is None and stands in ("tried", "silent"):
                mine.append((worker.person_id, stands, silent_as))
        if theirs != sorted(mine):
            wrong = sorted(set(theirs) ^ set(mine), key=repr)
            self._trouble(f"silent list of {code} at {now}: {wrong[:10]}")
        facts = await facts_of(tx, {it.person_id: it.silence for it in listed}, now)
        for one in listed:
            if one.person_id not in facts or not next_steps(facts[one.person_id]):
                self._trouble(f"no next step for {one}")


def asks_on(terms: CheckinTerms, day: date) -> bool:
    """Whether a rule's slot is on this day, counted on the calendar."""
    when = terms.when
    if isinstance(when, Weeks):
        assert terms.starts is not None
        weeks = (day - timedelta(days=day.weekday()) - terms.starts).days // 7
        return weeks >= 0 and weeks % when.every == 0 and day.weekday() in when.weekdays
    assert isinstance(when, MonthWeekdays)
    return any(day.weekday() == weekday and (day.day + 6) // 7 == n for n, weekday in when.weekdays)


def week_start(now: datetime) -> datetime:
    """The Monday before ``now`` in the county, which keeps one hour all year."""
    local = now + timedelta(hours=8)
    day = local.date() - timedelta(days=local.weekday())
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8)


def _is_night(at: datetime, worker: Worker) -> bool:
    """Between 21:00 and 08:00, or in the quiet hours that they added to those."""
    hour = at.astimezone(worker.zone).hour
    return any(hour >= start or hour < end for start, end in (NIGHT, worker.quiet))

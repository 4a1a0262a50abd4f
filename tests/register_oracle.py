"""The register as design.md §4 puts it, worked out slowly, in plain loops over plain rows.

Written from the definition and the readings in the docstrings of ``storage.register.expected``,
``storage.register.standing`` and ``storage.register.feedback``, and from nothing else.
"""

from datetime import datetime, timedelta
from typing import Any

from storage.register.periods import Period
from tests.register_world import PATHS, Row, World

STRENGTH = ["silent", "tried", "reached", "vouched", "heard"]


class Oracle:
    """The answers for one period of one world, as of its end or ``now``."""

    def __init__(self, world: World, period: Period) -> None:
        self.world = world
        self.period = period
        self.running = world.now < period.end

    def seen(self, at: datetime | None) -> bool:
        """It had happened: by now, or before the period's end."""
        if at is None:
            return False
        return at <= self.world.now if self.running else at < self.period.end

    def inside(self, at: datetime | None) -> bool:
        return at is not None and self.period.start <= at and self.seen(at)

    def of(self, rows: list[Row], person_id: int) -> list[Row]:
        return [row for row in rows if row["person_id"] == person_id]

    def last_enrolment(self, person_id: int) -> Row | None:
        rows = [row for row in self.of(self.world.enrolments, person_id) if self.seen(row["since"])]
        return max(rows, key=lambda row: (row["since"], row["id"])) if rows else None

    def place(self, person_id: int) -> int | None:
        """The area on whose register the person is."""
        row = self.last_enrolment(person_id)
        if row is None or self.seen(row["until"]):
            return None
        return int(row["area_id"])

    def excluded(self, person_id: int) -> str | None:
        person = self.world.person(person_id)
        status, consented = person["status"], person["consented"]
        if not self.running:
            status, consented = "away", False
            for row in self.of(self.world.changes, person_id):
                if self.seen(row["at"]):
                    status = row["status"]
            for row in self.of(self.world.consents, person_id):
                if self.seen(row["at"]):
                    consented = row["given"]
        if not consented or status == "left":
            return "withdrawn"
        if status in ("home", "paused"):
            return str(status)
        return "too new" if self.too_new(person_id) else None

    def too_new(self, person_id: int) -> bool:
        last = self.last_enrolment(person_id)
        assert last is not None
        joined = last["since"]
        left = [
            row["until"]
            for row in self.of(self.world.enrolments, person_id)
            if row["ended_as"] == "withdrawn" and row["until"] <= last["since"]
        ]
        for row in self.of(self.world.enrolments, person_id):
            if not any(row["since"] < until for until in left):
                joined = min(joined, row["since"])
        return bool(joined > self.period.end - timedelta(hours=24))

    def strength(self, person_id: int) -> int:
        return max((self.weight(row) for row in self.of(self.world.contacts, person_id)), default=0)

    def weight(self, row: Row) -> int:
        contacts = self.world.contacts
        if any(other["corrects_id"] == row["id"] for other in contacts):
            return 0
        at = row["at"]
        if row["corrects_id"] is not None:
            rivals = [other for other in contacts if other["corrects_id"] == row["corrects_id"]]
            if rivals[-1]["id"] != row["id"]:
                return 0
            at = contacts[row["corrects_id"] - 1]["at"]
        if not self.inside(at):
            return 0
        if row["evidence"] == "self":
            return 4
        if row["evidence"] == "relative":
            return 3 if row["success"] else 0
        if row["outcome"] == "undone":
            return 0
        return 2 if row["success"] else 1

    def silence(self, person_id: int) -> str:
        accounts = [
            row for row in self.of(self.world.accounts, person_id) if self.seen(row["created_at"])
        ]
        if accounts and all(
            row["state"] in ("blocked", "gone") and self.seen(row["state_at"]) for row in accounts
        ):
            return "unreachable"
        checkins = self.of(self.world.checkins, person_id)
        if any(self.inside(row["delivered_at"]) for row in checkins):
            return "unanswered"
        ends = {
            row["state"]
            for row in self.of(self.world.deliveries, person_id)
            if self.inside(row["finished_at"])
        }
        arrived = bool(ends & {"sent", "unknown"})
        if "failed" in ends and not arrived:
            return "unreachable"
        if self.slower(person_id):
            return "quiet"
        return "unanswered" if arrived else "unasked"

    def slower(self, person_id: int) -> bool:
        if self.running:
            return bool(self.world.person(person_id)["slower"])
        slower = False
        for row in self.of(self.world.changes, person_id):
            if self.seen(row["at"]):
                slower = row["slower"]
        return slower

    def slots(self, area_id: int) -> list[Row]:
        """The delivered check-ins that were due in the period, asked in the area's subtree."""
        return [
            row
            for row in self.world.checkins
            if self.period.start <= row["due_at"] < self.period.end
            and row["delivered_at"] is not None
            and PATHS[row["area_id"]].startswith(PATHS[area_id])
        ]

    def workers(self, area_id: int) -> list[int]:
        """Everyone on the register of the area's subtree."""
        return [
            person["id"]
            for person in self.world.people
            if (place := self.place(person["id"])) is not None
            and PATHS[place].startswith(PATHS[area_id])
        ]

    def cell(self, person_id: int, area_id: int) -> tuple[str | None, str | None, str | None]:
        """Standing, class of silence, reason of exclusion: a cell of the grid."""
        if person_id not in self.workers(area_id):
            return None, None, None
        reason = self.excluded(person_id)
        if reason is not None:
            return None, None, reason
        strength = self.strength(person_id)
        return STRENGTH[strength], None if strength else self.silence(person_id), None

    def leavers(self, area_id: int) -> int:
        count = 0
        for person in self.world.people:
            row = self.last_enrolment(person["id"])
            if (
                row is not None
                and row["ended_as"] == "withdrawn"
                and self.inside(row["until"])
                and PATHS[row["area_id"]].startswith(PATHS[area_id])
            ):
                count += 1
        return count

    def as_json(self, area_id: int) -> dict[str, Any]:
        standing = dict.fromkeys(reversed(STRENGTH), 0)
        silence = dict.fromkeys(["unreachable", "unanswered", "unasked", "quiet"], 0)
        excluded = dict.fromkeys(["home", "paused", "withdrawn", "too new", "on hold"], 0)
        excluded["withdrawn"] = self.leavers(area_id)
        for person_id in self.workers(area_id):
            stands, silent_as, reason = self.cell(person_id, area_id)
            if reason is not None:
                excluded[reason] += 1
                continue
            assert stands is not None
            standing[stands] += 1
            if silent_as is not None:
                silence[silent_as] += 1
        expected = sum(standing.values())
        in_touch = standing["heard"] + standing["vouched"] + standing["reached"]
        slots = self.slots(area_id)
        answered = [row for row in slots if self.answer_time(row) is not None]
        return {
            "area": f"a{area_id}",
            "period": self.period.key,
            "definition": "1",
            "closed": self.world.now >= self.period.end + timedelta(hours=72),
            "expected": expected,
            "standing": standing,
            "silence": silence,
            "excluded": excluded,
            "contact_rate": in_touch / expected if expected else None,
            "voluntary_rate": standing["heard"] / expected if expected else None,
            "feedback_rate": len(answered) / len(slots) if slots else None,
            "checkins": {"delivered": len(slots), "answered": len(answered)},
        }

    def answer_time(self, row: Row) -> timedelta | None:
        if row["answered_at"] is None or row["answered_at"] >= row["window_until"]:
            return None
        took: timedelta = row["answered_at"] - row["delivered_at"]
        return took

    def answer_times(self, area_id: int) -> list[timedelta]:
        """Of the answers inside the window, shortest first."""
        return sorted(
            took for row in self.slots(area_id) if (took := self.answer_time(row)) is not None
        )

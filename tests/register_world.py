"""Small invented worlds for the register, and how they get into a database."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from storage.database import Tx
from storage.models import (
    Account,
    Area,
    Base,
    Checkin,
    Consent,
    Contact,
    Delivery,
    Enrolment,
    Person,
    StatusChange,
)
from storage.people.areas import AreaInfo
from storage.people.enrolment import PURPOSE
from storage.register.periods import Period

Row = dict[str, Any]

# 1 ─ 2 ─ 3, 4   (a county, a town, two villages)  and  1 ─ 5  (another town)
PATHS = {1: "/1/", 2: "/1/2/", 3: "/1/2/3/", 4: "/1/2/4/", 5: "/1/5/"}
VILLAGES = (3, 4, 5)


@dataclass
class World:
    """Plain rows, as they will stand in the tables, and the question asked of them."""

    period: Period
    zone: str
    now: datetime
    people: list[Row] = field(default_factory=list)
    enrolments: list[Row] = field(default_factory=list)
    consents: list[Row] = field(default_factory=list)
    changes: list[Row] = field(default_factory=list)
    accounts: list[Row] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)
    checkins: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)

    def area(self, area_id: int) -> AreaInfo:
        parent = int(PATHS[area_id].split("/")[-3] or 0) or None
        code = f"a{area_id}"
        return AreaInfo(area_id, code, code, PATHS[area_id], self.zone, "zh", parent)

    async def store(self, tx: Tx) -> None:
        areas = [
            {
                "id": area.id,
                "parent_id": area.parent_id,
                "code": area.code,
                "name": area.name,
                "path": area.path,
                "timezone": area.timezone,
                "language": area.language,
                "created_at": self.now,
            }
            for area in map(self.area, PATHS)
        ]
        for model, rows in self._tables(areas):
            if rows:
                await tx.execute(insert(model), rows)

    def _tables(self, areas: list[Row]) -> Iterable[tuple[type[Base], list[Row]]]:
        yield Area, areas
        yield Person, self.people
        yield Enrolment, self.enrolments
        yield Consent, self.consents
        yield StatusChange, self.changes
        yield Account, self.accounts
        yield Checkin, self.checkins
        yield Delivery, self.deliveries
        yield Contact, [row for row in self.contacts if row["corrects_id"] is None]
        yield Contact, [row for row in self.contacts if row["corrects_id"] is not None]

    def add(self, table: str, **row: Any) -> Row:
        rows: list[Row] = getattr(self, table)
        rows.append({"id": len(rows) + 1, **row})
        return rows[-1]

    def add_person(self) -> int:
        number = len(self.people) + 1
        self.add(
            "people",
            ref=f"ref-{number}",
            status="away",
            slower=False,
            consented=False,
            created_at=self.now - timedelta(days=200),
        )
        return number

    def person(self, person_id: int) -> Row:
        return self.people[person_id - 1]

    def enrol(self, person_id: int, area_id: int, since: datetime) -> Row:
        return self.add(
            "enrolments",
            person_id=person_id,
            area_id=area_id,
            since=since,
            until=None,
            ended_as=None,
        )

    def consent(self, person_id: int, at: datetime, given: bool = True) -> None:
        self.add(
            "consents",
            person_id=person_id,
            purpose=PURPOSE,
            wording="1",
            given=given,
            channel="web",
            at=at,
        )
        self.person(person_id)["consented"] = given

    def change(self, person_id: int, at: datetime, status: str, slower: bool = False) -> None:
        self.add("changes", person_id=person_id, status=status, slower=slower, at=at)
        self.person(person_id).update(status=status, slower=slower)

    def account(self, person_id: int, created_at: datetime, state: str, at: datetime) -> None:
        number = len(self.accounts) + 1
        self.add(
            "accounts",
            person_id=person_id,
            channel="web",
            bot_id=1,
            chat_id=number,
            state=state,
            state_at=at,
            created_at=created_at,
        )

    def contact(
        self,
        person_id: int,
        at: datetime,
        evidence: str,
        success: bool = True,
        corrects_id: int | None = None,
        outcome: str | None = None,
    ) -> int:
        row = self.add(
            "contacts",
            person_id=person_id,
            area_id=3,
            at=at,
            evidence=evidence,
            kind="call" if evidence == "liaison" else "message",
            outcome=outcome or ("reached" if success else "not_reached"),
            success=success,
            corrects_id=corrects_id,
        )
        return int(row["id"])

    def checkin(
        self,
        person_id: int,
        due_at: datetime,
        delivered_at: datetime | None,
        answered_at: datetime | None = None,
        hours: int = 48,
        area_id: int = 3,
    ) -> None:
        self.add(
            "checkins",
            person_id=person_id,
            area_id=area_id,
            slot=f"slot-{len(self.checkins)}",
            due_at=due_at,
            window_until=due_at + timedelta(hours=hours),
            delivered_at=delivered_at,
            answered_at=answered_at,
            answer=None if answered_at is None else "ok",
        )

    def delivery(self, person_id: int, state: str, finished_at: datetime | None) -> None:
        at = finished_at or self.now
        self.add(
            "deliveries",
            person_id=person_id,
            template="broadcast",
            priority=3,
            dedupe_key=f"key-{len(self.deliveries)}",
            not_before=at,
            expires_at=at,
            state=state,
            created_at=at,
            finished_at=finished_at,
        )

    def settled(self, since: datetime | None = None, area_id: int = 3) -> int:
        """A worker who consented and enrolled long ago, and has one account that works."""
        since = since or self.period.start - timedelta(days=100)
        person_id = self.add_person()
        self.consent(person_id, since)
        self.enrol(person_id, area_id, since)
        self.change(person_id, since, "away")
        self.account(person_id, since, "reachable", since)
        return person_id

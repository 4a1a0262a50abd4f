"""A person's life on the register, so that any moment of it can be asked about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select

from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.models import Account, Area, Consent, Enrolment, Person, StatusChange
from storage.people.enrolment import PURPOSE
from storage.rhythm.why_facts import Expected, Habits, Reach, Reason, Where

_BEIJING = "Asia/Shanghai"
_ASKED = ("away", "moving")
_BY_STATUS = {"home": Reason.HOME, "paused": Reason.PAUSED, "left": Reason.LEFT}


@dataclass(frozen=True, slots=True)
class Tenure:
    """A time on one area's register; open while ``until`` is None."""

    area_id: int
    code: str
    name: str
    path: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Life:
    """All that decides whether and when someone is asked, now and back then."""

    row: Row[Any]
    name: str
    timezone: str
    tenures: tuple[Tenure, ...]
    consents: tuple[tuple[datetime, bool], ...]
    statuses: tuple[tuple[datetime, str, bool], ...]
    accounts: tuple[Reach, ...]
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self.timezone)

    def bounds(self, day: date) -> tuple[datetime, datetime]:
        """The local day's first moment, and the first of the day after, in UTC."""
        first = datetime.combine(day, time.min, tzinfo=self.zone)
        after = datetime.combine(day + timedelta(days=1), time.min, tzinfo=self.zone)
        return first.astimezone(UTC), after.astimezone(UTC)

    def tenure_at(self, at: datetime) -> Tenure | None:
        """Whose register they stood on; the coming days are as today."""
        at = min(at, self.now)
        for tenure in reversed(self.tenures):
            if tenure.since <= at and (tenure.until is None or at < tenure.until):
                return tenure
        return None

    def slower_at(self, at: datetime) -> bool:
        if at >= self.now:
            return bool(self.row.slower)
        before = [slower for since, _, slower in self.statuses if since <= at]
        return before[-1] if before else bool(self.row.slower)

    def expected_at(self, at: datetime) -> Expected:
        """Whether they were, are or will be asked at ``at``, as far as is known now."""
        if self.row.erased_at is not None and at >= self.row.erased_at:
            return _not(Reason.ERASED, self.row.erased_at)
        tenure = self.tenure_at(at)
        if tenure is None:
            later = [each.since for each in self.tenures if each.since > at]
            if later:
                return _not(Reason.JOINED_LATER, min(later))
            ended = [each.until for each in self.tenures if each.until is not None]
            return _not(Reason.NO_WORKER, max(ended) if ended else None)
        return self._consent_at(at) or self._status_at(at) or Expected(True, None, None, None)

    def _consent_at(self, at: datetime) -> Expected | None:
        if at >= self.now or not self.consents:
            if self.row.consented:
                return None
            withdrawn = [since for since, given in self.consents if not given]
            return _not(
                Reason.WITHDRAWN if withdrawn else Reason.NO_CONSENT, max(withdrawn, default=None)
            )
        before = [(since, given) for since, given in self.consents if since <= at]
        if not before:
            return _not(Reason.NO_CONSENT, None)
        since, given = before[-1]
        return None if given else _not(Reason.WITHDRAWN, since)

    def _status_at(self, at: datetime) -> Expected | None:
        status, since = str(self.row.status), self.row.status_at
        until = self.row.paused_until if status == "paused" else None
        if at < self.now and self.statuses:
            before = [(since, status) for since, status, _ in self.statuses if since <= at]
            since, status = before[-1] if before else (self.statuses[0][0], "away")
            ends = [began for began, _, _ in self.statuses if began > at]
            until = min(ends) if ends else until
        if status in _ASKED or (status == "paused" and until is not None and until <= at):
            return None
        return Expected(False, _BY_STATUS.get(status, Reason.LEFT), since, until)

    def where(self, day: date) -> Where:
        tenure = self.tenure_at(self.bounds(day)[1])
        moved = any(
            self.bounds(day)[1] <= at for at, status, _ in self.statuses if status == "moving"
        )
        return Where(
            timezone=self.timezone,
            area_code=None if tenure is None else tenure.code,
            area_name=None if tenure is None else tenure.name,
            country=self.row.country,
            province=self.row.province,
            city=self.row.city,
            moved_since=moved,
        )

    def habits(self, day: date) -> Habits:
        return Habits(
            slower=self.slower_at(self.bounds(day)[1]),
            monthly=bool(self.row.monthly),
            chosen_minute=self.row.ask_minute,
            usual_minute=self.row.usual_minute,
            quiet_from=self.row.quiet_from,
            quiet_to=self.row.quiet_to,
            prefers=self.row.prefers,
        )


def _not(reason: Reason, since: datetime | None) -> Expected:
    return Expected(False, reason, since, None)


async def load_life(tx: Tx, person_id: int, now: datetime) -> Life:
    """Everything kept of a person's time on the register; small, however long it was."""
    row = (
        await tx.execute(
            select(
                Person.id,
                Person.ref,
                Person.name,
                Person.area_id,
                Person.timezone,
                Person.country,
                Person.province,
                Person.city,
                Person.status,
                Person.status_at,
                Person.paused_until,
                Person.slower,
                Person.monthly,
                Person.quiet_from,
                Person.quiet_to,
                Person.ask_minute,
                Person.usual_minute,
                Person.prefers,
                Person.consented,
                Person.enrolled_at,
                Person.created_at,
                Person.erased_at,
                Area.code.label("area_code"),
                Area.name.label("area_name"),
                Area.path.label("area_path"),
                Area.timezone.label("area_timezone"),
            )
            .outerjoin(Area, Area.id == Person.area_id)
            .where(Person.id == person_id)
        )
    ).one()
    tenures = await _tenures(tx, row)
    zone = row.timezone or row.area_timezone or await _last_zone(tx, tenures)
    return Life(
        row=row,
        name=tx.vault.open("person.name", row.ref, row.name) if row.name else "",
        timezone=zone_of(zone or _BEIJING).key,
        tenures=tenures,
        consents=await _consents(tx, person_id),
        statuses=await _statuses(tx, person_id),
        accounts=await _accounts(tx, person_id),
        now=now,
    )


async def _tenures(tx: Tx, person: Row[Any]) -> tuple[Tenure, ...]:
    found: Iterable[Sequence[Any]] = await tx.execute(
        select(Enrolment.area_id, Area.code, Area.name, Area.path, Enrolment.since, Enrolment.until)
        .join(Area, Area.id == Enrolment.area_id)
        .where(Enrolment.person_id == person.id)
        .order_by(Enrolment.since, Enrolment.id)
    )
    tenures = [Tenure(*row) for row in found]
    if person.area_id is not None and not any(each.until is None for each in tenures):
        since = person.enrolled_at or person.created_at
        tenures.append(
            Tenure(
                person.area_id, person.area_code, person.area_name, person.area_path, since, None
            )
        )
    return tuple(tenures)


async def _last_zone(tx: Tx, tenures: Sequence[Tenure]) -> str | None:
    if not tenures:
        return None
    zone: str | None = await tx.scalar(select(Area.timezone).where(Area.id == tenures[-1].area_id))
    return zone


async def _consents(tx: Tx, person_id: int) -> tuple[tuple[datetime, bool], ...]:
    found = await tx.execute(
        select(Consent.at, Consent.given)
        .where(Consent.person_id == person_id, Consent.purpose == PURPOSE)
        .order_by(Consent.at, Consent.id)
    )
    return tuple((row.at, row.given) for row in found)


async def _statuses(tx: Tx, person_id: int) -> tuple[tuple[datetime, str, bool], ...]:
    found = await tx.execute(
        select(StatusChange.at, StatusChange.status, StatusChange.slower)
        .where(StatusChange.person_id == person_id)
        .order_by(StatusChange.at, StatusChange.id)
    )
    return tuple((row.at, row.status, row.slower) for row in found)


async def _accounts(tx: Tx, person_id: int) -> tuple[Reach, ...]:
    found = await tx.execute(
        select(Account.channel, Account.state, Account.state_at)
        .where(Account.person_id == person_id)
        .order_by(Account.state_at.desc(), Account.id.desc())
        .limit(10)
    )
    accounts = tuple(Reach(row.channel, row.state, row.state_at) for row in found)
    return accounts or (Reach(None, "none", None),)

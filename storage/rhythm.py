"""The clocks of check-in rules, and the check-ins they plan: set-based, and harmless twice."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    String,
    Text,
    and_,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import aliased

from storage.areas import in_subtree
from storage.checkins import enqueue_checkins, is_expected
from storage.database import Tx
from storage.models import Area, Checkin, CheckinRule, Person, RuleClock, StatusChange
from storage.outbox import CHECKIN
from storage.recurrence import Slot, Weekly

_ONE_TICKS: Final = 4_702_112
"""PostgreSQL's advisory lock of who ticks: any number, as long as every process takes the same."""

_ZONE: Final[ColumnElement[str]] = func.coalesce(Person.timezone, Area.timezone)


@dataclass(frozen=True, slots=True)
class RuleTime:
    """A rule in one time zone; ``next_at`` (UTC) is when it is next due, None if not yet known.

    ``since`` is when the rule began (UTC).
    """

    rule_id: int
    area_path: str
    timezone: str
    every: int
    weekday: int
    hour: int
    window: timedelta
    since: datetime
    next_at: datetime | None

    def weekly(self, since_day: datetime) -> Weekly:
        """The rule's arithmetic; ``since_day`` is ``since`` in the zone."""
        return Weekly(self.every, self.weekday, self.hour, since_day.date())


_RULE_TIME: Final = (
    CheckinRule.id,
    Area.path,
    CheckinRule.every,
    CheckinRule.weekday,
    CheckinRule.hour,
    CheckinRule.window_hours,
    CheckinRule.since,
)


async def may_tick(tx: Tx) -> bool:
    """Whether this process ticks in this transaction; two at once would only do work twice."""
    if not tx.on_postgres:
        return True
    return bool(await tx.scalar(select(func.pg_try_advisory_xact_lock(_ONE_TICKS))))


async def unset_clocks(tx: Tx) -> list[RuleTime]:
    """Running rules in zones where their area's workers live, and that have no clock yet."""
    zones = (
        select(Person.area_id, _ZONE.label("timezone"))
        .join(Area, Area.id == Person.area_id)
        .where(Person.consented)
        .distinct()
        .subquery()
    )
    home = aliased(Area)
    found = await tx.execute(
        select(*_RULE_TIME, zones.c.timezone)
        .select_from(CheckinRule)
        .join(Area, Area.id == CheckinRule.area_id)
        .join(home, in_subtree(home.path, type_coerce(Area.path, Text)))
        .join(zones, zones.c.area_id == home.id)
        .outerjoin(
            RuleClock,
            and_(
                RuleClock.rule_id == CheckinRule.id,
                RuleClock.timezone == zones.c.timezone,
            ),
        )
        .where(CheckinRule.stopped_at.is_(None), RuleClock.rule_id.is_(None))
        .distinct()
    )
    return [_rule_time(row, row.timezone, None) for row in found]


async def set_clock(tx: Tx, rule_id: int, timezone: str, next_at: datetime) -> None:
    """Start a clock; one that another process started stays."""
    await tx.execute(
        tx.insert(RuleClock)
        .values(rule_id=rule_id, timezone=timezone, next_at=next_at)
        .on_conflict_do_nothing()
    )


async def is_rule_due(tx: Tx, now: datetime) -> bool:
    """Whether any clock has come round; one index probe."""
    return await tx.scalar(select(exists().where(RuleClock.next_at <= now))) or False


async def due_clocks(tx: Tx, now: datetime) -> list[RuleTime]:
    """Clocks of running rules that have come round, locked against other processes."""
    found = await tx.execute(
        select(*_RULE_TIME, RuleClock.timezone, RuleClock.next_at, CheckinRule.stopped_at)
        .select_from(RuleClock)
        .join(CheckinRule, CheckinRule.id == RuleClock.rule_id)
        .join(Area, Area.id == CheckinRule.area_id)
        .where(RuleClock.next_at <= now)
        .order_by(RuleClock.next_at)
        .with_for_update(of=RuleClock, skip_locked=True)
    )
    due: list[RuleTime] = []
    for row in found.all():
        if row.stopped_at is not None:
            await drop_clocks(tx, row.id)
        else:
            due.append(_rule_time(row, row.timezone, row.next_at))
    return due


def _rule_time(row: object, timezone: str, next_at: datetime | None) -> RuleTime:
    return RuleTime(
        rule_id=row.id,  # type: ignore[attr-defined]  # a row of _RULE_TIME
        area_path=row.path,  # type: ignore[attr-defined]
        timezone=timezone,
        every=row.every,  # type: ignore[attr-defined]
        weekday=row.weekday,  # type: ignore[attr-defined]
        hour=row.hour,  # type: ignore[attr-defined]
        window=timedelta(hours=row.window_hours),  # type: ignore[attr-defined]
        since=row.since,  # type: ignore[attr-defined]
        next_at=next_at,
    )


async def move_clock(tx: Tx, rule_id: int, timezone: str, next_at: datetime) -> None:
    """Set a clock to the next slot; it never goes back."""
    await tx.execute(
        update(RuleClock)
        .where(
            RuleClock.rule_id == rule_id,
            RuleClock.timezone == timezone,
            RuleClock.next_at < next_at,
        )
        .values(next_at=next_at)
    )


async def drop_clocks(tx: Tx, rule_id: int) -> None:
    """Forget the clocks of a rule that was stopped."""
    await tx.execute(delete(RuleClock).where(RuleClock.rule_id == rule_id))


def _governed(rule: RuleTime) -> ColumnElement[bool]:
    """The areas this rule speaks for: its subtree, less what a nearer area's rule speaks for."""
    nearer, below = aliased(CheckinRule), aliased(Area)
    overridden = exists(
        select(literal(1))
        .select_from(nearer)
        .join(below, below.id == nearer.area_id)
        .where(
            nearer.stopped_at.is_(None),
            in_subtree(below.path, rule.area_path),
            below.path != rule.area_path,
            in_subtree(Area.path, type_coerce(below.path, Text)),
        )
    )
    return and_(in_subtree(Area.path, rule.area_path), ~overridden)


async def plan_slot(tx: Tx, rule: RuleTime, slot: Slot, now: datetime) -> int:
    """Ask everyone the rule expects in this zone: their check-ins and the messages that carry them.

    Returns how many messages were written. Who chose a slower rhythm is asked in even slots only.
    Unique keys make a second planning of the slot write nothing.
    """
    governed = select(Area.id).where(_governed(rule))
    at = Checkin.due_at.type
    expected = (
        select(
            Person.id,
            Person.area_id,
            literal(rule.rule_id),
            literal(slot.key),
            literal(slot.at, at),
            literal(slot.at + rule.window, at),
        )
        .join(Area, Area.id == Person.area_id)
        .where(
            Person.area_id.in_(governed),
            is_expected(),
            literal(rule.timezone) == _ZONE,
            or_(~Person.slower, literal(slot.even)),
        )
    )
    await tx.execute(
        tx.insert(Checkin)
        .from_select(
            ["person_id", "area_id", "rule_id", "slot", "due_at", "window_until"], expected
        )
        .on_conflict_do_nothing()
    )
    return await enqueue_checkins(
        tx,
        and_(Checkin.rule_id == rule.rule_id, Checkin.slot == slot.key),
        template="checkin",
        dedupe=literal("checkin:") + cast(Checkin.id, String),
        priority=CHECKIN,
        urgent=False,
        now=now,
    )


async def resume_paused(tx: Tx, now: datetime) -> int:
    """End the pauses whose time is over: those workers are away again; how many.

    Who is noted is who this update changed: of two processes at once, the second changes none.
    """
    resumed = await tx.execute(
        update(Person)
        .where(Person.paused_until <= now, Person.status == "paused")
        .values(status="away", status_at=now, paused_until=None)
        .returning(Person.id, Person.slower)
    )
    changes = [
        {"person_id": row.id, "status": "away", "slower": row.slower, "at": now} for row in resumed
    ]
    if changes:
        await tx.execute(tx.insert(StatusChange), changes)
    return len(changes)

"""The clocks of check-in rules, and the check-ins they plan: set-based, and harmless twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    String,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.orm import aliased

from storage.calendar.recurrence import Hours, Slot, first_instant, is_months_first
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.engine.given import given_rows
from storage.models import Area, Checkin, Person, Rule, RuleClock, StatusChange
from storage.outbox.messages import CHECKIN
from storage.people.areas import in_subtree
from storage.rhythm.checkins import enqueue_checkins, is_expected
from storage.rhythm.portions import START, Place, Portion
from storage.rules.kept import RULE_COLUMNS, RuleInfo, as_rule
from storage.rules.terms import CheckinTerms, Terms

_ONE_TICKS: Final = 4_702_112
"""PostgreSQL's advisory lock of who ticks: any number, as long as every process takes the same."""

ZONE: Final[ColumnElement[str]] = func.coalesce(Person.timezone, Area.timezone)
"""A worker's own zone, or that of the area they belong to."""

QUARTER: Final = 15
_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_ASKED: Final = [
    "person_id",
    "area_id",
    "rule_id",
    "version",
    "slot",
    "due_at",
    "window_until",
    "next_at",
]


@dataclass(frozen=True, slots=True)
class DueClock:
    """A rule in one time zone; ``next_at`` (UTC) is when it is next due, None if not yet known.

    ``slot`` is the key of the one that is being planned, and ``place`` how far it is.
    """

    rule: RuleInfo
    timezone: str
    next_at: datetime | None
    slot: str | None = None
    place: Place = START


@dataclass(frozen=True, slots=True)
class Quarter:
    """A quarter of an hour of a day in a zone: ``minute`` after local midnight, and when it is."""

    minute: int
    at: datetime


async def may_tick(tx: Tx) -> bool:
    """Whether this process ticks in this transaction; two at once would only do work twice."""
    if not tx.on_postgres:
        return True
    return bool(await tx.scalar(select(func.pg_try_advisory_xact_lock(_ONE_TICKS))))


async def unset_clocks(tx: Tx) -> list[DueClock]:
    """Running rules in zones where their area's workers live, and that have no clock yet.

    Rules of personal dates have clocks too: their day comes every day.
    """
    zones = (
        select(Person.area_id, ZONE.label("timezone"))
        .join(Area, Area.id == Person.area_id)
        .where(Person.consented)
        .distinct()
        .subquery()
    )
    home = aliased(Area)
    found = await tx.execute(
        select(*RULE_COLUMNS, zones.c.timezone)
        .select_from(Rule)
        .join(Area, Area.id == Rule.area_id)
        .join(home, in_subtree(home.path, type_coerce(Area.path, Text)))
        .join(zones, zones.c.area_id == home.id)
        .outerjoin(
            RuleClock, and_(RuleClock.rule_id == Rule.id, RuleClock.timezone == zones.c.timezone)
        )
        .where(Rule.stopped_at.is_(None), RuleClock.rule_id.is_(None))
    )
    unset = {(row.id, row.timezone): DueClock(as_rule(row), row.timezone, None) for row in found}
    return list(unset.values())


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


async def due_clocks(tx: Tx, now: datetime, most: int) -> list[DueClock]:
    """Clocks of running check-in rules that have come round, locked against other processes.

    Those of reminders are :func:`storage.reminders.planning.due_reminder_clocks`.
    """
    found = await tx.execute(
        select(
            *RULE_COLUMNS,
            RuleClock.timezone,
            RuleClock.next_at,
            RuleClock.planned_slot,
            RuleClock.planned_area,
            RuleClock.planned_person,
        )
        .select_from(RuleClock)
        .join(Rule, Rule.id == RuleClock.rule_id)
        .join(Area, Area.id == Rule.area_id)
        .where(RuleClock.next_at <= now, Rule.stopped_at.is_(None), Rule.kind == CheckinTerms.kind)
        .order_by(RuleClock.next_at, Rule.id)
        .limit(most)
        .with_for_update(of=RuleClock, skip_locked=True)
    )
    return [
        DueClock(
            as_rule(row),
            row.timezone,
            row.next_at,
            row.planned_slot,
            Place(row.planned_area, row.planned_person),
        )
        for row in found.all()
    ]


async def move_clock(tx: Tx, rule_id: int, timezone: str, next_at: datetime | None) -> None:
    """Set a clock to the next slot; it never goes back. ``None``: the rule has none left."""
    clock = (RuleClock.rule_id == rule_id, RuleClock.timezone == timezone)
    if next_at is None:
        # Kept, for ever in the future: without a clock the rule would be given one each minute.
        next_at = _NEVER
    await tx.execute(
        update(RuleClock)
        .where(*clock, RuleClock.next_at < next_at)
        .values(next_at=next_at, planned_slot=None, planned_area=0, planned_person=0)
    )


async def keep_place(tx: Tx, clock: DueClock, slot: Slot, place: Place) -> None:
    """Write down how far a slot is planned, with what was planned: whoever goes on begins there."""
    await tx.execute(
        update(RuleClock)
        .where(RuleClock.rule_id == clock.rule.id, RuleClock.timezone == clock.timezone)
        .values(planned_slot=slot.key, planned_area=place.area, planned_person=place.person)
    )


def asked_between(hours: Hours) -> tuple[int, int]:
    """The first and the last quarter in which a rule asks, in minutes after local midnight."""
    opens, closes = (on.hour * 60 + on.minute for on in (hours.opens, hours.closes))
    return -(-opens // QUARTER) * QUARTER, -(-closes // QUARTER) * QUARTER - QUARTER


def minute_asked(terms: Terms) -> ColumnElement[int]:
    """When of the day a worker is asked: as they chose, or as they usually answer, or by the rule.

    Within the rule's hours, outside their own quiet ones, and in whole quarters.
    """
    earliest, latest = asked_between(terms.hours)
    usual = terms.hours.at.hour * 60 + terms.hours.at.minute
    wish: ColumnElement[int] = func.coalesce(Person.ask_minute, Person.usual_minute, literal(usual))
    wish = case((wish < earliest, earliest), (wish > latest, latest), else_=wish)
    starts, ends = Person.quiet_from * 60, Person.quiet_to * 60
    quiet = or_(
        and_(starts < ends, wish >= starts, wish < ends),
        and_(starts > ends, or_(wish >= starts, wish < ends)),
    )
    before = starts - QUARTER
    before_fits = and_(before >= earliest, before <= latest)
    awake = case(
        (~quiet, wish),
        # Who goes to sleep early is not asked before they get up, but before they go.
        (and_(starts > ends, wish >= starts, before_fits), before),
        (and_(ends >= earliest, ends <= latest), ends),
        (before_fits, before),
        else_=wish,
    )
    return awake // QUARTER * QUARTER


async def plan_slot(
    tx: Tx,
    clock: DueClock,
    slot: Slot,
    quarters: Sequence[Quarter],
    portion: Portion,
    now: datetime,
) -> int:
    """Ask those of a portion whom the rule expects: their check-ins, and the messages for them.

    Returns how many messages were written. ``quarters`` are those of the rule's hours on the
    slot's day in the zone. Each is asked at their own quarter of an hour. Who chose a slower rhythm
    is asked in their turns only (:func:`storage.calendar.recurrence.is_turn_of`); who is asked by
    another rule that day is not asked twice. Unique keys make a second planning of the slot write
    nothing.
    """
    rule, terms = clock.rule, clock.rule.terms
    assert isinstance(terms, CheckinTerms)
    parts = portion.who(clock.timezone)
    if not parts:
        return 0
    window = timedelta(hours=terms.window)
    step = timedelta(hours=terms.nudges[0]) if terms.nudges else window
    hours = given_rows(
        "quarter",
        {"minute": int, "at": datetime, "until": datetime, "step": datetime},
        [(it.minute, it.at, it.at + window, it.at + step) for it in quarters],
    )
    begins, ends = _whole_day(slot, clock.timezone)
    other = aliased(Checkin)
    expected = select(
        Person.id.label("person_id"), Person.area_id, minute_asked(terms).label("minute")
    ).where(
        is_expected(),
        or_(
            ~Person.slower,
            and_(~Person.monthly, literal(slot.even)),
            and_(Person.monthly, literal(is_months_first(rule.timing, slot.day))),
        ),
        ~exists().where(
            other.person_id == Person.id,
            other.rule_id.is_not(None),
            other.rule_id != rule.id,
            # Not only in the rule's own hours: another's may lie before or behind them.
            other.due_at >= begins,
            other.due_at < ends,
        ),
    )
    before = await tx.scalar(select(func.coalesce(func.max(Checkin.id), 0)))
    # One statement of two parts: in each an index finds the people. Materialised, or SQLite would
    # work out everyone's minute once for each quarter.
    asked = union_all(*(expected.where(part) for part in parts)).cte("asked")
    asked = asked.prefix_with("MATERIALIZED")
    # In the order of people, in which two of the indexes are: each of their pages is met once.
    checkins = (
        select(
            asked.c.person_id,
            asked.c.area_id,
            literal(rule.id),
            literal(rule.version),
            literal(slot.key),
            hours.c.at,
            hours.c.until,
            hours.c.step,
        )
        .where(hours.c.minute == asked.c.minute)
        .order_by(asked.c.person_id)
    )
    await tx.execute(
        tx.insert(Checkin)
        .from_select(_ASKED, checkins, include_defaults=False)
        .on_conflict_do_nothing()
    )
    return await enqueue_checkins(
        tx,
        # By their ids, which are the newest: through an index of the rule's check-ins all that it
        # ever asked would be looked at.
        and_(Checkin.id > before, Checkin.rule_id + 0 == rule.id, Checkin.slot == slot.key),
        template="checkin",
        dedupe=literal("checkin:") + cast(Checkin.id, String),
        priority=CHECKIN,
        urgent=False,
        now=now,
        new=True,
    )


def _whole_day(slot: Slot, timezone: str) -> tuple[datetime, datetime]:
    """When the slot's local day begins, and when it is over."""
    zone, whole = zone_of(timezone), timedelta(days=1)
    begins = first_instant(zone, slot.day, 0)
    # A zone that leaves a day out asks on the day after it. An hour more of a night asks nobody.
    return begins, max(first_instant(zone, slot.day + whole, 0), begins + whole)


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

"""The check-ins that rules plan: set-based, and harmless twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import aliased

from storage.calendar.recurrence import Hours, Slot, first_instant, is_months_first
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.engine.given import given_rows
from storage.models import Checkin, Person, StatusChange
from storage.outbox.messages import CHECKIN
from storage.rhythm.checkins import enqueue_checkins, is_expected
from storage.rhythm.clocks import DueClock
from storage.rhythm.portions import Portion
from storage.rules.terms import CheckinTerms, Terms

QUARTER: Final = 15
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
class Quarter:
    """A quarter of an hour of a day in a zone: ``minute`` after local midnight, and when it is."""

    minute: int
    at: datetime


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

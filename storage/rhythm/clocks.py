"""The clocks of rules: when each is next due in each time zone, and how far a slot is planned."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import (
    ColumnElement,
    Text,
    and_,
    delete,
    exists,
    func,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Area, Person, Rule, RuleClock, RuleVersion
from storage.people.areas import in_subtree
from storage.rhythm.portions import START, Place
from storage.rules.kept import RULE_COLUMNS, RuleInfo, as_rule
from storage.rules.table import BadRule

_log = structlog.get_logger(__name__)
_ONE_TICKS: Final = 4_702_112
"""PostgreSQL's advisory lock of who ticks: any number, as long as every process takes the same."""

ZONE: Final[ColumnElement[str]] = func.coalesce(Person.timezone, Area.timezone)
"""A worker's own zone, or that of the area they belong to."""

_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_UNREADABLE_RESTS: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class DueClock:
    """A rule in one time zone, that was due at ``next_at`` (UTC).

    ``slot`` is the key of the one that is being planned, and ``place`` how far it is. ``edited``:
    the rule says something else by now; ``rule`` is as it was when the slot came, and holds for
    what is left of that alone.
    """

    rule: RuleInfo
    timezone: str
    next_at: datetime
    slot: str | None = None
    place: Place = START
    edited: bool = False

    def may_plan(self, slot: str) -> bool:
        """Whether a slot is this clock's to plan: one that was edited begins no other."""
        return not self.edited or self.slot in (None, slot)


@dataclass(frozen=True, slots=True)
class UnsetClock:
    """A running rule without a clock in a zone; ``rule`` is None when it cannot be read."""

    rule_id: int
    timezone: str
    rule: RuleInfo | None


async def may_tick(tx: Tx) -> bool:
    """Whether this process ticks in this transaction; two at once would only do work twice."""
    if not tx.on_postgres:
        return True
    return bool(await tx.scalar(select(func.pg_try_advisory_xact_lock(_ONE_TICKS))))


async def unset_clocks(tx: Tx) -> list[UnsetClock]:
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
    unset: dict[tuple[int, str], UnsetClock] = {}
    for row in found:
        try:
            rule = as_rule(row)
        except BadRule:
            rule = None
        unset[row.id, row.timezone] = UnsetClock(row.id, row.timezone, rule)
    return list(unset.values())


async def set_clock(tx: Tx, rule_id: int, timezone: str, next_at: datetime | None) -> None:
    """Start a clock; one that another process started stays. ``None``: it has no slot."""
    await tx.execute(
        tx.insert(RuleClock)
        .values(rule_id=rule_id, timezone=timezone, next_at=_or_never(next_at))
        .on_conflict_do_nothing()
    )


def _or_never(next_at: datetime | None) -> datetime:
    # Kept, for ever in the future: without a clock the rule would be given one each minute.
    return _NEVER if next_at is None else next_at


async def is_rule_due(tx: Tx, now: datetime) -> bool:
    """Whether any clock has come round; one index probe."""
    return await tx.scalar(select(exists().where(RuleClock.next_at <= now))) or False


async def due_clocks(tx: Tx, kind: str, now: datetime, most: int) -> list[DueClock]:
    """Clocks of running rules of a kind that have come round, locked against other processes.

    A rule that cannot be read is told of, and left alone for an hour; the others go on. What comes
    meanwhile it sends to nobody.
    """
    # A slot that came before the rule was edited is planned as the rule was then.
    then = and_(RuleVersion.rule_id == Rule.id, RuleVersion.version == RuleClock.planned_version)
    found = await tx.execute(
        select(
            *(it for it in RULE_COLUMNS if it.key not in {"terms", "version"}),
            Rule.code,
            func.coalesce(RuleVersion.terms, Rule.terms).label("terms"),
            func.coalesce(RuleVersion.version, Rule.version).label("version"),
            Rule.version.label("newest"),
            RuleClock.timezone,
            RuleClock.next_at,
            RuleClock.planned_slot,
            RuleClock.planned_area,
            RuleClock.planned_person,
        )
        .select_from(RuleClock)
        .join(Rule, Rule.id == RuleClock.rule_id)
        .join(Area, Area.id == Rule.area_id)
        .outerjoin(RuleVersion, then)
        .where(RuleClock.next_at <= now, Rule.stopped_at.is_(None), Rule.kind == kind)
        .order_by(RuleClock.next_at, Rule.id)
        .limit(most)
        .with_for_update(of=RuleClock, skip_locked=True)
    )
    clocks: list[DueClock] = []
    unreadable: set[int] = set()
    for row in found.all():
        try:
            rule = as_rule(row)
        except BadRule as problem:
            if row.id not in unreadable:
                _log.error(
                    "a stored rule cannot be read and sends nothing: stop it, and add it again",
                    rule=row.code,
                    area=row.area_code,
                    reason=str(problem),
                )
            unreadable.add(row.id)
            continue
        place = Place(row.planned_area, row.planned_person)
        edited = row.version != row.newest
        clocks.append(DueClock(rule, row.timezone, row.next_at, row.planned_slot, place, edited))
    await _put_off(tx, unreadable, now + _UNREADABLE_RESTS)
    return clocks


async def _put_off(tx: Tx, rule_ids: Collection[int], until: datetime) -> None:
    if rule_ids:
        await tx.execute(
            update(RuleClock)
            .where(RuleClock.rule_id.in_(rule_ids), RuleClock.next_at < until)
            .values(next_at=until)
        )


async def move_clock(tx: Tx, clock: DueClock, next_at: datetime | None) -> None:
    """Set a clock to the next slot; it never goes back. ``None``: the rule has none left.

    That of a rule that was edited goes: it is set anew, by what the rule says now.
    """
    if clock.edited:
        await tx.execute(delete(RuleClock).where(*_same(clock)))
        return
    next_at = _or_never(next_at)
    await tx.execute(
        update(RuleClock)
        .where(*_same(clock), RuleClock.next_at < next_at)
        .values(
            next_at=next_at,
            planned_slot=None,
            planned_version=None,
            planned_area=0,
            planned_person=0,
        )
    )


async def keep_place(tx: Tx, clock: DueClock, slot: str, place: Place) -> None:
    """Write down how far a slot is planned, with what was planned: whoever goes on begins there."""
    await tx.execute(
        update(RuleClock)
        .where(*_same(clock))
        .values(
            planned_slot=slot,
            planned_version=clock.rule.version,
            planned_area=place.area,
            planned_person=place.person,
        )
    )


def _same(clock: DueClock) -> tuple[ColumnElement[bool], ...]:
    return RuleClock.rule_id == clock.rule.id, RuleClock.timezone == clock.timezone

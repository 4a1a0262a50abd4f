"""Rules: what is asked or reminded of in an area, kept with everything they ever said.

A rule speaks for its area's subtree, less the areas below for which a rule of the same kind and
code stands nearer.
"""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    Text,
    and_,
    delete,
    exists,
    literal,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import aliased

from storage.calendar.recurrence import Timing
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.errors import Refused
from storage.models import Area, Checkin, Rule, RuleClock, RuleVersion
from storage.people.areas import AreaInfo, in_subtree
from storage.reminders.topics import check_rule_topic
from storage.rules.table import BadRule, from_json, to_json
from storage.rules.terms import Terms, timing_of


class Unreadable(Refused):
    """A stored rule that cannot be read; ``id`` is its. It can only be stopped."""

    def __init__(self, rule_id: int, name: str, problem: BadRule) -> None:
        super().__init__(f"{name} cannot be read, so stop it, and add it again: {problem}")
        self.id = rule_id
        self.name = name


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """A rule and its area. ``since`` (UTC) is when it was made; ``stopped_at`` when it ended."""

    id: int
    area_id: int
    area_code: str
    area_path: str
    area_timezone: str
    terms: Terms
    version: int
    since: datetime
    stopped_at: datetime | None

    @property
    def timing(self) -> Timing:
        """The rule's arithmetic; "every second week" is counted from the day it was made, there."""
        return timing_of(self.terms, self.since.astimezone(zone_of(self.area_timezone)).date())


RULE_COLUMNS: Final = (
    Rule.id,
    Rule.area_id,
    Area.code.label("area_code"),
    Area.path.label("area_path"),
    Area.timezone.label("area_timezone"),
    Rule.terms,
    Rule.version,
    Rule.since,
    Rule.stopped_at,
)


def as_rule(row: Row[Any]) -> RuleInfo:
    """A row of :data:`RULE_COLUMNS`."""
    return RuleInfo(
        row.id,
        row.area_id,
        row.area_code,
        row.area_path,
        row.area_timezone,
        from_json(row.terms),
        row.version,
        row.since,
        row.stopped_at,
    )


async def running_rules(tx: Tx, area: AreaInfo | None = None) -> list[RuleInfo]:
    """The rules that run in an area's subtree, or everywhere; by area, then kind and code."""
    found = (
        select(*RULE_COLUMNS).join(Area, Area.id == Rule.area_id).where(Rule.stopped_at.is_(None))
    )
    if area is not None:
        found = found.where(in_subtree(Area.path, area.path))
    return _readable(await tx.execute(found.order_by(Area.path, Rule.kind, Rule.code)))


def _readable(rows: Iterable[Row[Any]]) -> list[RuleInfo]:
    """Without those that cannot be read: no page fails for them. Planning tells the operator."""
    rules: list[RuleInfo] = []
    for row in rows:
        with contextlib.suppress(BadRule):
            rules.append(as_rule(row))
    return rules


async def rules_over(tx: Tx, area: AreaInfo) -> list[RuleInfo]:
    """The rules that speak for the area itself: the nearest of each kind and code."""
    home = aliased(Area)
    rows = await tx.execute(
        select(*RULE_COLUMNS)
        .join(Area, Area.id == Rule.area_id)
        .join(home, home.id == area.id)
        .where(Rule.stopped_at.is_(None), in_subtree(home.path, type_coerce(Area.path, Text)))
        .order_by(Area.path)
    )
    nearest = {(rule.terms.kind, rule.terms.code): rule for rule in _readable(rows)}
    return list(nearest.values())


async def find_rule(tx: Tx, area: AreaInfo, code: str) -> RuleInfo:
    """The running rule of an area with this code.

    Raises :class:`Refused` when there is none, :class:`Unreadable` when it cannot be read.
    """
    row = (
        await tx.execute(
            select(*RULE_COLUMNS)
            .join(Area, Area.id == Rule.area_id)
            .where(Rule.area_id == area.id, Rule.code == code, Rule.stopped_at.is_(None))
        )
    ).first()
    if row is None:
        raise Refused(
            f"{area.code} has no rule “{code}” of its own: "
            f"`kinroom rule list --area {area.code}` shows what applies there"
        )
    try:
        return as_rule(row)
    except BadRule as problem:
        raise Unreadable(row.id, f"{area.code}/{code}", problem) from None


async def get_rule(tx: Tx, rule_id: int) -> RuleInfo:
    row = (
        await tx.execute(
            select(*RULE_COLUMNS).join(Area, Area.id == Rule.area_id).where(Rule.id == rule_id)
        )
    ).one()
    return as_rule(row)


async def add_rule(
    tx: Tx, area: AreaInfo, terms: Terms, now: datetime, *, by: int | None = None
) -> RuleInfo:
    """Make a rule of checked ``terms``.

    Raises :class:`Refused` when its code is taken there, and
    :class:`storage.reminders.topics.BadTopic` when its topic is none, or asks for another date.
    """
    await check_rule_topic(tx, terms)
    rule_id = await tx.scalar(
        tx.insert(Rule)
        .values(
            area_id=area.id,
            code=terms.code,
            kind=terms.kind,
            terms=to_json(terms),
            version=1,
            since=now,
        )
        .on_conflict_do_nothing()
        .returning(Rule.id)
    )
    if rule_id is None:
        raise Refused(f"{area.code} has a rule “{terms.code}” already: edit that one, or stop it")
    await _keep_version(tx, rule_id, 1, terms, now, by)
    return await get_rule(tx, rule_id)


async def edit_rule(
    tx: Tx, rule: RuleInfo, terms: Terms, now: datetime, *, by: int | None = None
) -> RuleInfo:
    """Let a rule say something else from now on.

    What is out was asked under the version of then, and keeps its window and its nudges. A slot
    that has come is planned to its end by that version, so that nobody is left out of it, or asked
    in it twice. All other clocks are set anew, so that no further slot of the old timing comes.
    """
    if (terms.kind, terms.code) != (rule.terms.kind, rule.terms.code):
        raise Refused("a rule keeps its kind and its code: stop it, and add another")
    await check_rule_topic(tx, terms)
    version = rule.version + 1
    changed = await tx.execute(
        update(Rule)
        .where(Rule.id == rule.id, Rule.version == rule.version, Rule.stopped_at.is_(None))
        .values(terms=to_json(terms), version=version)
    )
    if changed.rowcount != 1:
        raise Refused("somebody else changed this rule meanwhile: look at it again")
    await _keep_version(tx, rule.id, version, terms, now, by)
    await tx.execute(
        update(RuleClock)
        .where(RuleClock.rule_id == rule.id, RuleClock.planned_version.is_(None))
        .where(RuleClock.next_at <= now)
        .values(planned_version=rule.version)
    )
    await _drop_clocks(tx, rule.id, RuleClock.planned_version.is_(None))
    return await get_rule(tx, rule.id)


async def stop_rule(tx: Tx, rule: RuleInfo | Unreadable, now: datetime) -> None:
    """No slot of it comes any more. What is out may still be answered; nothing more follows it."""
    await tx.execute(
        update(Rule).where(Rule.id == rule.id, Rule.stopped_at.is_(None)).values(stopped_at=now)
    )
    await tx.execute(
        update(Checkin)
        .where(Checkin.rule_id == rule.id, Checkin.next_at.is_not(None))
        .values(next_at=None)
    )
    await _drop_clocks(tx, rule.id)


async def _keep_version(
    tx: Tx, rule_id: int, version: int, terms: Terms, now: datetime, by: int | None
) -> None:
    await tx.execute(
        tx.insert(RuleVersion).values(
            rule_id=rule_id, version=version, terms=to_json(terms), at=now, by_person_id=by
        )
    )


async def _drop_clocks(tx: Tx, rule_id: int, *which: ColumnElement[bool]) -> None:
    await tx.execute(delete(RuleClock).where(RuleClock.rule_id == rule_id, *which))


async def terms_at(tx: Tx, versions: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Terms]:
    """What rules said in the versions asked for that can be read, ``(rule id, version)``."""
    wanted = set(versions)
    rows = await tx.execute(
        select(RuleVersion.rule_id, RuleVersion.version, RuleVersion.terms).where(
            RuleVersion.rule_id.in_({rule_id for rule_id, _ in wanted})
        )
    )
    found: dict[tuple[int, int], Terms] = {}
    for row in rows:
        if (row.rule_id, row.version) in wanted:
            with contextlib.suppress(BadRule):
                found[row.rule_id, row.version] = from_json(row.terms)
    return found


# Once: making them costs more than a tick's statement does.
_NEARER: Final = aliased(Rule)
_BELOW: Final = aliased(Area)


def governed(rule: RuleInfo) -> ColumnElement[bool]:
    """Whether :class:`Area` is one that this rule speaks for."""
    nearer, below = _NEARER, _BELOW
    overridden = exists(
        select(literal(1))
        .select_from(nearer)
        .join(below, below.id == nearer.area_id)
        .where(
            nearer.stopped_at.is_(None),
            nearer.kind == rule.terms.kind,
            nearer.code == rule.terms.code,
            in_subtree(below.path, rule.area_path),
            below.path != rule.area_path,
            in_subtree(Area.path, type_coerce(below.path, Text)),
        )
    )
    return and_(in_subtree(Area.path, rule.area_path), ~overridden)

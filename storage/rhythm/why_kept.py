"""The check-in rules kept for a person's area, running or not, with all they ever said."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import and_, select

from storage.database import Tx
from storage.models import Area, Checkin, Rule, RuleVersion
from storage.rules.kept import RULE_COLUMNS, RuleInfo, as_rule
from storage.rules.table import BadRule, from_json
from storage.rules.terms import CheckinTerms, Terms

_SECOND: Final = timedelta(microseconds=1)
_MOST_STOPPED: Final = 3


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule with all it ever said, ``(at, version, terms)`` in order."""

    rule: RuleInfo
    area_name: str
    versions: tuple[tuple[datetime, int, Terms], ...]

    def version_at(self, at: datetime) -> tuple[RuleInfo, datetime]:
        """The rule as it stood, and since when it stood so."""
        since, version, terms = next(
            (each for each in reversed(self.versions) if each[0] <= at), self.versions[0]
        )
        return replace(self.rule, version=version, terms=terms), since


async def load_rules(tx: Tx, path: str) -> list[Kept]:
    """The check-in rules of an area and of those above it, running or stopped, in tree order."""
    above = [int(step) for step in path.split("/") if step]
    rows = (
        await tx.execute(
            select(*RULE_COLUMNS, Area.name.label("area_name"))
            .join(Area, Area.id == Rule.area_id)
            .where(Rule.area_id.in_(above), Rule.kind == CheckinTerms.kind)
            .order_by(Area.path, Rule.kind, Rule.code, Rule.id)
        )
    ).all()
    # What cannot be read asked nobody, and stops no answer about the others.
    said: dict[int, list[tuple[datetime, int, Terms]]] = {}
    for row in await tx.execute(
        select(RuleVersion.rule_id, RuleVersion.at, RuleVersion.version, RuleVersion.terms)
        .where(RuleVersion.rule_id.in_([row.id for row in rows]))
        .order_by(RuleVersion.rule_id, RuleVersion.version)
    ):
        with contextlib.suppress(BadRule):
            said.setdefault(row.rule_id, []).append((row.at, row.version, from_json(row.terms)))
    kept = []
    for row in rows:
        try:
            rule = as_rule(row)
        except BadRule:
            continue
        versions = said.get(rule.id) or [(rule.since, rule.version, rule.terms)]
        kept.append(Kept(rule, row.area_name, tuple(versions)))
    return kept


def held_until(
    kept: Sequence[Kept], end: datetime
) -> tuple[list[tuple[Kept, tuple[Kept, ...]]], list[Kept]]:
    """The rules that held when a day ended, each with those it took the place of, and the
    latest of those of which none of the code did.
    """
    held: dict[tuple[str, str], list[Kept]] = {}
    others: dict[tuple[str, str], list[Kept]] = {}
    for each in kept:
        rule = each.rule
        ran = rule.since < end and (rule.stopped_at is None or rule.stopped_at >= end)
        (held if ran else others).setdefault((rule.terms.kind, rule.terms.code), []).append(each)
    # In tree order the nearest comes last.
    governing = [(found[-1], tuple(found[:-1])) for found in held.values()]
    absent = [found[-1] for key, found in others.items() if key not in held]
    return governing, sorted(absent, key=_newest)[-_MOST_STOPPED:]


def _newest(each: Kept) -> datetime:
    return each.rule.stopped_at or each.rule.since


async def planned_rules(
    tx: Tx, person_id: int, start: datetime, end: datetime, day: date
) -> dict[int, str]:
    """The check-in rules by which something was planned for the day, with their codes."""
    rows = await tx.execute(
        select(Checkin.rule_id, Rule.code)
        .join(Rule, Rule.id == Checkin.rule_id)
        .where(
            Checkin.person_id == person_id,
            # A slot of the day may be due on the next where a zone left a day out.
            Checkin.due_at >= start - timedelta(days=1),
            Checkin.due_at < end + timedelta(days=2),
            and_(Checkin.slot == day.isoformat()) | Checkin.due_at.between(start, end - _SECOND),
        )
    )
    return {row.rule_id: row.code for row in rows}

"""Rules as officers look at them and change them: who may, what they said, who overrides them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Text, exists, func, literal, or_, select, type_coerce
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Area, Person, Role, Rule, RuleVersion
from storage.people.areas import in_subtree
from storage.rules.kept import RULE_COLUMNS, RuleInfo, as_rule
from storage.rules.table import from_json
from storage.rules.terms import Terms

MAY_EDIT: Final = ("supervisor", "admin")
CHANGED: Final = "somebody else changed this rule meanwhile: look at it again"


@dataclass(frozen=True, slots=True)
class Said:
    """One version: what it said from ``at`` (UTC) on; ``by`` None is the operator."""

    version: int
    at: datetime
    by: str | None
    terms: Terms


async def may_edit_rules(tx: Tx, officer_id: int, area_path: str) -> bool:
    """Whether a standing role of a supervisor or an admin covers the area."""
    held = aliased(Area)
    return bool(
        await tx.scalar(
            select(
                exists(
                    select(literal(1))
                    .select_from(Role)
                    .join(held, held.id == Role.area_id)
                    .where(
                        Role.person_id == officer_id,
                        Role.until.is_(None),
                        Role.role.in_(MAY_EDIT),
                        literal(area_path).startswith(type_coerce(held.path, Text)),
                    )
                )
            )
        )
    )


def speaks_for(officer_id: int) -> ColumnElement[bool]:
    """True where a rule's area lies under, or over, one of the officer's."""
    held = aliased(Area)
    return exists(
        select(literal(1))
        .select_from(Role)
        .join(held, held.id == Role.area_id)
        .where(
            Role.person_id == officer_id,
            Role.until.is_(None),
            or_(
                func.substr(Area.path, 1, func.length(held.path)) == held.path,
                func.substr(held.path, 1, func.length(Area.path)) == Area.path,
            ),
        )
    )


async def access_rule(tx: Tx, officer_id: int, rule_id: int) -> RuleInfo | None:
    """The rule, if it speaks for an area of the officer's or stands in one."""
    row = (
        await tx.execute(
            select(*RULE_COLUMNS)
            .join(Area, Area.id == Rule.area_id)
            .where(Rule.id == rule_id, speaks_for(officer_id))
        )
    ).first()
    return None if row is None else as_rule(row)


async def rule_history(tx: Tx, rule_id: int) -> list[Said]:
    """What a rule ever said, the newest first."""
    rows = await tx.execute(
        select(
            RuleVersion.version, RuleVersion.at, RuleVersion.terms, Person.ref, Person.name,
            RuleVersion.by_person_id,
        )
        .outerjoin(Person, Person.id == RuleVersion.by_person_id)
        .where(RuleVersion.rule_id == rule_id)
        .order_by(RuleVersion.version.desc())
        .limit(50)
    )  # fmt: skip
    found = []
    for row in rows:
        by = None
        if row.by_person_id is not None:
            by = tx.vault.open("person.name", row.ref, row.name) if row.name else ""
        found.append(Said(row.version, row.at, by, from_json(row.terms)))
    return found


async def same_code_near(
    tx: Tx, rule: RuleInfo
) -> tuple[Sequence[tuple[str, str]], Sequence[tuple[str, str]]]:
    """Running rules of the same kind and code above and below: code and name of their areas."""
    rows = await tx.execute(
        select(Area.code, Area.name, Area.path)
        .select_from(Rule)
        .join(Area, Area.id == Rule.area_id)
        .where(
            Rule.stopped_at.is_(None),
            Rule.kind == rule.terms.kind,
            Rule.code == rule.terms.code,
            Rule.id != rule.id,
            or_(
                in_subtree(Area.path, rule.area_path),
                literal(rule.area_path).startswith(type_coerce(Area.path, Text)),
            ),
        )
        .order_by(Area.path)
        .limit(200)
    )
    near = rows.all()
    above = [(row.code, row.name) for row in near if not row.path.startswith(rule.area_path)]
    below = [(row.code, row.name) for row in near if row.path.startswith(rule.area_path)]
    return above, below

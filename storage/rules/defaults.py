"""The rule that every county begins with: Sunday at ten, a week's news in one tap."""

from datetime import datetime
from typing import Final

from sqlalchemy import exists, literal, select

from storage.calendar.recurrence import Weeks
from storage.database import Tx
from storage.models import Area, Rule
from storage.people.areas import get_area
from storage.rules.kept import add_rule
from storage.rules.terms import CheckinTerms

WEEKLY: Final = CheckinTerms("weekly", Weeks(1, (6,)))


async def ensure_default_rule(tx: Tx, area_id: int, now: datetime) -> bool:
    """Give an area the default rule if it never had one; whether it was made."""
    # Of two processes at once, the second waits here, and then sees the first one's rule.
    await tx.execute(select(Area.id).where(Area.id == area_id).with_for_update(key_share=True))
    if await tx.scalar(
        select(exists(select(literal(1)).where(Rule.area_id == area_id, Rule.kind == WEEKLY.kind)))
    ):
        return False
    await add_rule(tx, await get_area(tx, area_id), WEEKLY, now)
    return True


async def roots_without_rule(tx: Tx) -> list[int]:
    """Root areas that never had a check-in rule."""
    roots = await tx.execute(
        select(Area.id).where(
            Area.parent_id.is_(None),
            ~exists(select(literal(1)).where(Rule.area_id == Area.id, Rule.kind == WEEKLY.kind)),
        )
    )
    return list(roots.scalars())


async def ensure_root_rules(tx: Tx, now: datetime) -> int:
    """Give the default rule to every root area that never had one; how many were made."""
    roots = await roots_without_rule(tx)
    return sum([await ensure_default_rule(tx, area_id, now) for area_id in roots])

"""How many unsolicited messages a week an area's workers may get: set for it, or as above it."""

from typing import Any, Final

from sqlalchemy import Text, func, select, type_coerce, update
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.errors import Refused
from storage.models import Area
from storage.people.areas import AreaInfo, in_subtree

DEFAULT: Final = 3
"""Where no area up to the root says otherwise."""
MOST: Final = 21


class BadBudget(Refused):
    """Not a number of messages that makes sense."""

    def __init__(self) -> None:
        super().__init__(
            f"A week's budget is 1 to {MOST} messages: with none, nobody would be asked how they "
            "are, and with more than three a day nobody would read them."
        )


def budget_of(path: Any) -> Any:
    """The budget that holds for the area with this path: the nearest that is set, its own first."""
    above = aliased(Area)
    nearest = (
        select(above.weekly_budget)
        .where(above.weekly_budget.is_not(None), in_subtree(type_coerce(path, Text), above.path))
        .order_by(func.length(above.path).desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(nearest, DEFAULT)


async def set_weekly_budget(tx: Tx, area: AreaInfo, budget: int | None) -> None:
    """Set it for the area and all below it that have none of their own; ``None``: as above.

    Raises :class:`BadBudget`.
    """
    if budget is not None and not 1 <= budget <= MOST:
        raise BadBudget
    await tx.execute(update(Area).where(Area.id == area.id).values(weekly_budget=budget))


async def budgets(tx: Tx) -> dict[int, tuple[int, bool]]:
    """Of every area by id: the budget that holds there, and whether it is its own."""
    found = await tx.execute(
        select(Area.id, budget_of(Area.path).label("budget"), Area.weekly_budget)
    )
    return {row.id: (row.budget, row.weekly_budget is not None) for row in found}

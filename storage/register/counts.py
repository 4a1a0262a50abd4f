"""How many stand where: the week that runs, the last weeks, and whether anything changed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select

from storage.database import Tx
from storage.models import Area, Contact, Enrolment, UtcDateTime
from storage.people.areas import AreaInfo, in_subtree
from storage.register.expected import PATH, SUBTREE, below, bounds_of
from storage.register.periods import Period, weeks_back
from storage.register.standing import STANDINGS, standings_asked


@dataclass(frozen=True, slots=True)
class Counts:
    """Expected workers by standing. Larger areas are counted anew, never averaged."""

    heard: int = 0
    vouched: int = 0
    reached: int = 0
    tried: int = 0
    silent: int = 0

    @property
    def expected(self) -> int:
        return self.heard + self.vouched + self.reached + self.tried + self.silent

    @property
    def contact_rate(self) -> float | None:
        """有效联系率, a fraction; None when nobody was expected."""
        return share_of(self.heard + self.vouched + self.reached, self.expected)

    @property
    def voluntary_rate(self) -> float | None:
        """自主联系率, a fraction; None when nobody was expected."""
        return share_of(self.heard, self.expected)


async def live_figures(tx: Tx, area: AreaInfo, now: datetime) -> dict[str, Any]:
    """This week so far: ``expected``, the five standings, and ``rate`` (a fraction or None)."""
    ((_, counts),) = await weekly_counts(tx, area, now, weeks=1)
    return {
        "expected": counts.expected,
        **{standing: getattr(counts, standing) for standing in STANDINGS},
        "rate": counts.contact_rate,
    }


async def weekly_counts(
    tx: Tx, area: AreaInfo, now: datetime, weeks: int = 12
) -> list[tuple[Period, Counts]]:
    """The last weeks, oldest first, this one last, each counted as :func:`compute_register`."""
    periods = weeks_back(now, area.timezone, weeks)
    rows = await tx.execute(_counted(weeks), bounds_of(area, periods, now))
    counted: list[dict[str, int]] = [{} for _ in periods]
    for row in rows:
        counted[row.n][row.standing] = row.number
    return [(period, Counts(**counts)) for period, counts in zip(periods, counted, strict=True)]


@cache
def _counted(weeks: int) -> Select[int, str, int]:
    found = standings_asked(weeks, silence=False).c
    return (
        select(found.n, found.standing, func.count().label("number"))
        .where(found.excluded.is_(None))
        .group_by(found.n, found.standing)
    )


async def register_version(tx: Tx, area: AreaInfo) -> str:
    """A text that changes when someone under the area is heard from, tried, joins or leaves.

    Made to be asked every second. The newest contact is one look into an index for each area;
    the number of contacts in the ten minutes before it tells those of one instant apart, and
    those whose transactions ended in another order.
    """
    newest = await tx.scalar(_NEWEST, {"subtree": area.path})
    recent = 0
    if newest is not None:
        recent = await tx.scalar(_RECENT, {"subtree": area.path, "since": newest - _RECENTLY})
    enrolled = await tx.scalar(_ENROLLED, {"subtree": area.path})
    return f"{newest.timestamp() if newest else 0:.6f}-{recent}-{enrolled}"


_RECENTLY: Final = timedelta(minutes=10)
_NEWEST: Final = select(
    func.max(
        select(func.max(Contact.at)).where(Contact.area_id == Area.id).scalar_subquery(),
        type_=UtcDateTime(),
    )
).where(in_subtree(Area.path, PATH))
_RECENT: Final = (
    select(func.count())
    .select_from(Contact)
    .where(below(Contact.area_id, PATH), Contact.at >= bindparam("since", type_=UtcDateTime()))
)
_ENROLLED: Final = (
    select(func.count()).select_from(Enrolment).where(SUBTREE, Enrolment.until.is_(None))
)


def share_of(part: int, whole: int) -> float | None:
    """A rate as a fraction; None, not 0, when there was nothing to count."""
    return part / whole if whole else None

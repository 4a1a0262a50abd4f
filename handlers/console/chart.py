"""The contact rate of the last weeks as bars from zero, drawn on the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.calendar.zone import zone_of
from storage.register.figures import Counts
from storage.register.periods import Period

PITCH = 28
BASE = 118
"""Where zero lies, in the drawing's units; it is 142 high."""
FULL = 96


@dataclass(frozen=True, slots=True)
class Week:
    """One week's figures and its bar: ``height`` is 0 where nobody was expected."""

    period: Period
    counts: Counts
    x: int
    y: float
    width: int
    height: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def in_touch(self) -> int:
        return self.counts.heard + self.counts.vouched + self.counts.reached


@dataclass(frozen=True, slots=True)
class Month:
    """A heading over the grid's weeks: those that begin in the month of ``start``."""

    start: datetime
    span: int


def draw_weeks(counted: Sequence[tuple[Period, Counts]]) -> list[Week]:
    weeks = []
    for number, (period, counts) in enumerate(counted):
        height = FULL * (counts.contact_rate or 0)
        weeks.append(Week(period, counts, number * PITCH + 4, BASE - height, PITCH - 8, height))
    return weeks


def group_months(periods: Sequence[Period], zone: str) -> list[Month]:
    """The grid's weeks by the local month their Monday lies in, in order."""
    months: list[Month] = []
    last = None
    for period in periods:
        local = period.start.astimezone(zone_of(zone))
        if (local.year, local.month) == last:
            months[-1] = Month(months[-1].start, months[-1].span + 1)
        else:
            months.append(Month(period.start, 1))
        last = (local.year, local.month)
    return months

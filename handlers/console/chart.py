"""The contact rate of the last weeks as bars from zero, drawn on the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from handlers.console.standings import IN_TOUCH, ORDER
from storage.grid import Grid
from storage.periods import Period

PITCH = 28
HEIGHT = 96
TOP = 22


@dataclass(frozen=True, slots=True)
class Week:
    """One week's figures, counted from the grid's column, so that both always agree."""

    period: Period
    counts: dict[str, int]

    @property
    def expected(self) -> int:
        return sum(self.counts.values())

    @property
    def in_touch(self) -> int:
        return sum(self.counts[standing] for standing in IN_TOUCH)

    @property
    def rate(self) -> float | None:
        return self.in_touch / self.expected if self.expected else None


@dataclass(frozen=True, slots=True)
class Bar:
    """``x y width height`` in the drawing's units; ``height`` 0 where nobody was expected."""

    x: int
    y: float
    width: int
    height: float
    middle: float
    week: Week


@dataclass(frozen=True, slots=True)
class Month:
    """A heading over the grid's weeks: those that begin in the month of ``start``."""

    start: datetime
    span: int


def group_months(periods: Sequence[Period], zone: str) -> list[Month]:
    """The grid's weeks by the local month their Monday lies in, in order."""
    months: list[Month] = []
    last = None
    for period in periods:
        local = period.start.astimezone(ZoneInfo(zone))
        if (local.year, local.month) == last:
            months[-1] = Month(months[-1].start, months[-1].span + 1)
        else:
            months.append(Month(period.start, 1))
        last = (local.year, local.month)
    return months


def count_weeks(grid: Grid) -> list[Week]:
    """The grid's columns, oldest first, as counts by standing."""
    weeks = []
    for column, period in enumerate(grid.periods):
        counts = dict.fromkeys(ORDER, 0)
        for row in grid.rows:
            standing = row.cells[column].standing
            if standing is not None:
                counts[standing] += 1
        weeks.append(Week(period, counts))
    return weeks


def draw_bars(weeks: Sequence[Week]) -> list[Bar]:
    width = PITCH - 8
    bars = []
    for number, week in enumerate(weeks):
        height = HEIGHT * (week.rate or 0)
        x = number * PITCH + 4
        bars.append(Bar(x, TOP + HEIGHT - height, width, height, x + width / 2, week))
    return bars

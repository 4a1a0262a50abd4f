"""The register of an area: the rate with its parts, the names behind each part, and the grid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from handlers.console.chart import count_weeks, draw_bars, group_months
from handlers.console.frame import CONSOLE, session_of, write_page
from handlers.console.standings import CLASSES, IN_TOUCH, ORDER
from storage.access import access_areas
from storage.areas import AreaInfo
from storage.database import Database, Tx
from storage.grid import GridRow, standing_grid
from storage.installation import DEMO, find_value
from storage.looks import looked_lately, record_look
from storage.periods import BadPeriod, Period, month_of, parse_period, week_of
from storage.register import NamedStanding, compute_register, named_register, register_version

ROWS_A_PAGE = 100

LISTS: dict[str, frozenset[str]] = {
    "expected": frozenset(ORDER),
    "in_touch": IN_TOUCH,
    **{standing: frozenset({standing}) for standing in ORDER},
}
"""What ``?show=`` may ask for, as standings; classes of silence come on top."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The period shown and the ways to others. ``later`` is None in the running one."""

    period: Period
    earlier: str
    later: str | None
    week: str
    month: str
    is_week: bool
    is_current: bool


async def show_register(request: web.Request) -> web.Response:
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    now = console.clock()
    async with console.db.read() as tx:
        areas = await access_areas(tx, officer)
        area = find_area(areas, request.query.get("area"))
        calendar = open_calendar(request.query.get("period"), area, now)
        shown = await _read(tx, request, area, calendar, now)
        seen = await looked_lately(tx, officer, now, what="register", area_id=area.id)
    if not seen:
        await write_look(console.db, officer, now, what="register", area_id=area.id)
    fragment = "fragment" in request.query
    return write_page(
        request,
        "_register.html" if fragment else "register.html",
        areas=areas,
        area=area,
        calendar=calendar,
        now=now,
        **shown,
    )


async def _read(
    tx: Tx, request: web.Request, area: AreaInfo, calendar: Calendar, now: Any
) -> dict[str, Any]:
    register = await compute_register(tx, area, calendar.period, now)
    grid = await standing_grid(tx, area, now)
    weeks = count_weeks(grid)
    rows = sorted(grid.rows, key=_by_need)
    page = _page_number(request.query.get("page"), len(rows))
    return {
        "register": register.as_json(),
        "names": await _names(tx, request.query.get("show"), area, calendar.period, now),
        "show": request.query.get("show"),
        "periods": grid.periods,
        "months": group_months(grid.periods, area.timezone),
        "weeks": weeks,
        "bars": draw_bars(weeks),
        "rows": rows[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE],
        "page": page,
        "pages": -(-len(rows) // ROWS_A_PAGE),
        "worker_count": len(rows),
        "orders": ORDER,
        "classes": CLASSES,
        "is_demo": await find_value(tx, DEMO) is not None,
        "version": await register_version(tx, area),
    }


async def _names(
    tx: Tx, show: str | None, area: AreaInfo, period: Period, now: Any
) -> list[NamedStanding] | None:
    if show is None:
        return None
    if show in LISTS:
        wanted = LISTS[show]
        belongs: Callable[[NamedStanding], bool] = lambda named: named.standing in wanted  # noqa: E731
    elif show in CLASSES:
        belongs = lambda named: named.silence == show  # noqa: E731
    else:
        raise web.HTTPNotFound
    return [named for named in await named_register(tx, area, period, now) if belongs(named)]


async def write_look(db: Database, by: int, now: Any, **look: Any) -> None:
    async with db.write() as tx:
        await record_look(tx, by, now, **look)


def find_area(areas: Sequence[AreaInfo], code: str | None) -> AreaInfo:
    """The area asked for among those the officer may open, or the first of them."""
    for area in areas:
        if code is None or area.code == code:
            return area
    raise web.HTTPNotFound


def open_calendar(key: str | None, area: AreaInfo, now: Any) -> Calendar:
    """The period asked for, this week by default; one that has not begun is not there."""
    zone = ZoneInfo(area.timezone)
    this_week, this_month = week_of(now, zone), month_of(now, zone)
    try:
        period = this_week if key is None else parse_period(key, zone)
    except BadPeriod:
        raise web.HTTPNotFound from None
    if period.start > now:
        raise web.HTTPNotFound
    is_week = "W" in period.key
    of = week_of if is_week else month_of
    is_current = period.end > now
    return Calendar(
        period=period,
        earlier=of(period.start - timedelta(hours=1), zone).key,
        later=None if is_current else of(period.end, zone).key,
        week=this_week.key if is_current else week_of(period.start, zone).key,
        month=this_month.key if is_current else month_of(period.start, zone).key,
        is_week=is_week,
        is_current=is_current,
    )


_NEED = {"silent": 0, "tried": 1, "reached": 2, "vouched": 3, "heard": 4, None: 5}


def _by_need(row: GridRow) -> tuple[int, int, str]:
    """Silent now comes first, and the longest silence first among them."""
    quiet_weeks = 0
    for cell in reversed(row.cells):
        if cell.standing in IN_TOUCH:
            break
        quiet_weeks += cell.standing is not None
    return _NEED[row.cells[-1].standing], -quiet_weeks, row.name


def _page_number(asked: str | None, rows: int) -> int:
    if asked is None:
        return 1
    if not asked.isascii() or not asked.isdigit() or len(asked) > 6:
        raise web.HTTPNotFound
    return min(max(int(asked), 1), max(-(-rows // ROWS_A_PAGE), 1))

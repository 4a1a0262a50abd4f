"""The register of an area: the rate with its parts, the names behind each part, and the grid."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from handlers.console.calendar import Calendar, open_calendar
from handlers.console.chart import draw_weeks, group_months
from handlers.console.formats import Format
from handlers.console.frame import CONSOLE, find_areas, page_number, session_of, write_page
from handlers.console.register_names import read_list
from handlers.console.standings import CLASSES, IN_TOUCH, ORDER
from storage.database import Tx
from storage.installation import DEMO, find_value
from storage.people.areas import AreaInfo
from storage.people.looks import looked_lately, record_look
from storage.register.figures import compute_register, register_version, weekly_counts
from storage.register.grid import GridRow, standing_grid

ROWS_A_PAGE = 100
ROWS_TO_SORT = 1000
"""As many workers are sorted by need as one list; more are read page by page, area by area."""
_A_REPORT = 60.0
"""Seconds that a statement may take: a county's register is no everyday question."""


async def show_register(request: web.Request) -> web.Response:
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    now = console.clock()
    form = Format(console.i18n.current_locale)
    async with console.db.read() as tx:
        await tx.take_time(_A_REPORT)
        areas, area = await find_areas(tx, request)
        calendar = open_calendar(request.query.get("period"), area, now)
        shown = await _read(tx, request.query, area, calendar, now, form)
        seen = await looked_lately(tx, officer, now, what="register", area_id=area.id)
    if not seen:
        async with console.db.write() as tx:
            await record_look(tx, officer, now, what="register", area_id=area.id)
    return write_page(
        request,
        "_register.html" if "fragment" in request.query else "register.html",
        areas=areas,
        area=area,
        calendar=calendar,
        **shown,
    )


async def _read(
    tx: Tx,
    query: Mapping[str, str],
    area: AreaInfo,
    calendar: Calendar,
    now: datetime,
    form: Format,
) -> dict[str, Any]:
    show = query.get("show")
    listed = None
    if show is not None:
        listed = await read_list(tx, show, area, calendar.period, now, form)
    page = page_number(query.get("page"))
    rows, is_last = await _rows(tx, area, now, page)
    weeks = draw_weeks(await weekly_counts(tx, area, now))
    return {
        "register": (await compute_register(tx, area, calendar.period, now)).as_json(),
        "listed": listed,
        "weeks": weeks,
        "months": group_months([week.period for week in weeks], area.timezone),
        "rows": rows,
        "page": page,
        "is_last": is_last,
        "orders": ORDER,
        "classes": CLASSES,
        "is_demo": await find_value(tx, DEMO) is not None,
        "version": await register_version(tx, area),
    }


async def _rows(tx: Tx, area: AreaInfo, now: datetime, page: int) -> tuple[list[GridRow], bool]:
    """One page of the grid, and whether it is the last."""
    start = (page - 1) * ROWS_A_PAGE
    rows = (await standing_grid(tx, area, now, limit=ROWS_TO_SORT + 1)).rows
    if len(rows) <= ROWS_TO_SORT:
        rows = sorted(rows, key=_by_need)[start : start + ROWS_A_PAGE + 1]
    else:
        rows = (await standing_grid(tx, area, now, limit=ROWS_A_PAGE + 1, offset=start)).rows
    return rows[:ROWS_A_PAGE], len(rows) <= ROWS_A_PAGE


_NEED = {"silent": 0, "tried": 1, "reached": 2, "vouched": 3, "heard": 4, None: 5}


def _by_need(row: GridRow) -> tuple[int, int, str]:
    """Silent now comes first, and the longest silence first among them."""
    quiet_weeks = 0
    for cell in reversed(row.cells):
        if cell.standing in IN_TOUCH:
            break
        quiet_weeks += cell.standing is not None
    return _NEED[row.cells[-1].standing], -quiet_weeks, row.name

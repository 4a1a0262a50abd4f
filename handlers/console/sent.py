"""What was sent to many people of an area: notices, roll calls, as a list, newest first."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from aiogram.utils.i18n import gettext as _
from aiohttp import web

from handlers.console.frame import CONSOLE, find_areas, page_number, write_page
from storage.database import Tx
from storage.installation import DEMO, find_value
from storage.people.areas import AreaInfo

Sent = TypeVar("Sent")
A_PAGE: Final = 10
NAMES_A_PAGE: Final = 100
COUNTED_UP_TO = 20_000
"""What went to more people is not counted again every other second for whoever looks on."""


def name_word(name: str | None) -> str:
    """Who sent or stopped it: None is the operator, empty someone who has left."""
    if name is None:
        return _("the operator")
    return name or _("someone who has left")


async def write_sent(
    request: web.Request,
    template: str,
    route: str,
    find: Callable[[Tx, AreaInfo, int, int], Awaitable[Sequence[Sent]]],
    count: Callable[[Tx, Sent], Awaitable[Any]],
    **shown: Any,
) -> web.Response:
    """One page of the list of an area.

    ``find`` takes the area, a limit and an offset; ``count`` gives the figures of one.
    """
    console = request.config_dict[CONSOLE]
    page = page_number(request.query.get("page"))
    async with console.db.read() as tx:
        areas, area = await find_areas(tx, request)
        found = await find(tx, area, A_PAGE + 1, (page - 1) * A_PAGE)
        listed = [(each, await count(tx, each)) for each in found[:A_PAGE]]
        is_demo = await find_value(tx, DEMO) is not None
    return write_page(
        request,
        template,
        route=route,
        areas=areas,
        area=area,
        listed=listed,
        page=page,
        is_last=len(found) <= A_PAGE,
        is_demo=is_demo,
        name_word=name_word,
        **shown,
    )

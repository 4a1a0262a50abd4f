"""Who in an area is asked too much, and what can be done about it."""

from aiohttp import web

from handlers.console.frame import CONSOLE, find_areas, page_number, session_of, write_page
from handlers.overasked import overasked_step, overasked_why, overasked_words
from storage.installation import DEMO, find_value
from storage.people.looks import looked_lately, record_look
from storage.register.overasked import list_overasked

NAMES_A_PAGE = 100
_A_REPORT = 60.0


async def show_overasked(request: web.Request) -> web.Response:
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    now = console.clock()
    page = page_number(request.query.get("page"))
    async with console.db.read() as tx:
        await tx.take_time(_A_REPORT)
        areas, area = await find_areas(tx, request)
        count, people = await list_overasked(
            tx, [area.path], now, NAMES_A_PAGE, (page - 1) * NAMES_A_PAGE
        )
        seen = not people or await looked_lately(
            tx, officer, now, what="overasked", area_id=area.id
        )
        is_demo = await find_value(tx, DEMO) is not None
    if not seen:
        async with console.db.write() as tx:
            await record_look(tx, officer, now, what="overasked", area_id=area.id)
    return write_page(
        request,
        "overasked.html",
        areas=areas,
        area=area,
        people=people,
        count=count,
        page=page,
        is_last=page * NAMES_A_PAGE >= count,
        why=overasked_why(),
        step=overasked_step(),
        overasked_words=overasked_words,
        is_demo=is_demo,
    )

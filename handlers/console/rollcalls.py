"""Roll calls of an area; one of them, how it stands, who it is, and its end."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _
from aiohttp import web

from handlers.console.frame import CONSOLE, page_number, session_of, write_page
from handlers.console.sent import COUNTED_UP_TO, NAMES_A_PAGE, name_word, write_sent
from handlers.console.stream import follow
from handlers.rollcall_words import MARKS, state_word, usual_words, where_words, whom_words
from storage.database import Tx
from storage.installation import DEMO, find_value
from storage.people.access import access_area, access_areas
from storage.people.areas import AreaInfo
from storage.people.looks import looked_lately, record_look
from storage.people.places import place_name
from storage.rhythm.rollcall_access import (
    RollcallInfo,
    access_rollcall,
    figures_of,
    list_rollcalls,
)
from storage.rhythm.rollcall_figures import STATES, Figures, Named, State, list_rollcall
from storage.rhythm.rollcalls import end_rollcall

_NAMED: tuple[State, ...] = ("help", "silent", "unreached", "heard", "safe")
_WITH_PHONES = ("help", "silent", "unreached")


@dataclass(frozen=True, slots=True)
class Line:
    """How many people stand in one state; ``named``: whether their list may be opened."""

    state: str
    mark: str
    word: str
    count: int
    named: bool


async def show_rollcalls(request: web.Request) -> web.Response:
    officer = session_of(request).person_id

    async def find(tx: Tx, area: AreaInfo, limit: int, offset: int) -> Sequence[RollcallInfo]:
        return await list_rollcalls(tx, officer, area, limit=limit, offset=offset)

    return await write_sent(
        request,
        "rollcalls.html",
        "rollcalls",
        find,
        figures_of,
        whom=_whom,
        usual=usual_words(),
        states=STATES,
        marks=MARKS,
        word=state_word,
    )


def _whom(call: RollcallInfo) -> str:
    return whom_words(call.area_name, call.where)


async def show_rollcall(request: web.Request) -> web.Response:
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    now = console.clock()
    show = request.query.get("show")
    if show is not None and show not in _NAMED:
        raise web.HTTPNotFound
    page = page_number(request.query.get("page"))
    people: list[Named] = []
    async with console.db.read() as tx:
        call = await _access(tx, request)
        figures = await figures_of(tx, call)
        if show is not None:
            people = await list_rollcall(
                tx,
                call.id,
                call.roots,
                [state for state in _NAMED if state == show],
                phones=show in _WITH_PHONES,
                limit=NAMES_A_PAGE + 1,
                offset=(page - 1) * NAMES_A_PAGE,
            )
        seen = not people or all(
            [
                await looked_lately(tx, officer, now, what="rollcall", area_id=area_id)
                for area_id in _areas(call)
            ]
        )
        is_demo = await find_value(tx, DEMO) is not None
    if not seen:
        async with console.db.write() as tx:
            for area_id in _areas(call):
                await record_look(tx, officer, now, what="rollcall", area_id=area_id)
    return write_page(
        request,
        "_rollcall.html" if "fragment" in request.query else "rollcall.html",
        call=call,
        figures=figures,
        whom=_whom(call),
        where=where_words(call.where),
        usual=usual_words(),
        lines=_lines(figures),
        word=figures.known,
        show=show,
        title=None if show is None else state_word(show),
        people=people[:NAMES_A_PAGE],
        place=_place,
        with_phones=show in _WITH_PHONES,
        page=page,
        is_last=len(people) <= NAMES_A_PAGE,
        is_demo=is_demo,
        late="late" in request.query,
        version=_version(call, figures, now.timestamp()),
        name_word=name_word,
        manner=_("at once, at night too") if call.urgent else _("not at night"),
    )


def _lines(figures: Figures) -> Sequence[Line]:
    return [
        Line(state, MARKS[state], state_word(state), figures.of(state), state in _NAMED)
        for state in STATES
    ]


def _place(one: Named) -> str | None:
    known = place_name(one.country, one.province, one.city, get_i18n().current_locale)
    return known or one.place


def _areas(call: RollcallInfo) -> list[int]:
    """The areas whose names are seen: the whole, or the officer's parts of it."""
    if call.roots is None:
        return [call.area_id]
    return [int(root.strip("/").rpartition("/")[2]) for root in call.roots]


async def end(request: web.Request) -> web.Response:
    """What the form posts; the door has looked at origin and token."""
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    async with console.db.write() as tx:
        call = await _access(tx, request)
        if call.roots is not None:
            raise web.HTTPNotFound
        ended = await end_rollcall(tx, call.id, by=officer, now=console.clock())
    here = request.app.router["rollcall"].url_for(id=str(call.id))
    raise web.HTTPSeeOther(here if ended else here.with_query(late="1"))


async def follow_rollcall(request: web.Request) -> web.StreamResponse:
    """The version of one roll call, while the session and the duty last."""
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    async with console.db.read() as tx:
        call = await _access(tx, request)
        areas = await access_areas(tx, officer)
        area = await access_area(tx, officer, call.area_code)
    if area is None:
        area = next(one for one in areas if any(one.path == root for root in call.roots or ()))
    asked = 0

    async def version(tx: Tx) -> str | None:
        nonlocal asked
        again = await access_rollcall(tx, officer, call.id)
        if again is None:
            return None
        seconds = console.clock().timestamp()
        if asked > COUNTED_UP_TO:
            return _version(again, None, seconds)
        figures = await figures_of(tx, again)
        asked = figures.asked
        return _version(again, figures, seconds)

    return await follow(request, area, version)


async def _access(tx: Tx, request: web.Request) -> RollcallInfo:
    """The roll call asked for. Raises ``HTTPNotFound`` where it is not the officer's to see."""
    officer = session_of(request).person_id
    call = await access_rollcall(tx, officer, int(request.match_info["id"]))
    if call is None:
        raise web.HTTPNotFound
    return call


def _version(call: RollcallInfo, figures: Figures | None, seconds: float) -> str:
    told = f"{call.is_open} {call.asked}"
    if figures is None or figures.asked > COUNTED_UP_TO:
        return f"{told} {int(seconds // 30)}"
    return f"{told} {figures.as_key()}"

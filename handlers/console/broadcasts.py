"""The notices of an area; one of them, how far it is and who got it; and its stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiogram.utils.i18n import gettext as _
from aiohttp import web

from handlers.console.frame import CONSOLE, LANGUAGES, page_number, session_of, write_page
from handlers.console.sent import COUNTED_UP_TO, NAMES_A_PAGE, name_word, write_sent
from handlers.reasons import reason_words, waits_words
from storage.database import Tx
from storage.installation import DEMO, find_value
from storage.outbox.broadcasts import (
    BroadcastInfo,
    access_broadcast,
    list_broadcasts,
    stop_broadcast,
)
from storage.outbox.recipients import OUTCOMES, Figures, count_recipients, list_recipients
from storage.people.areas import AreaInfo
from storage.people.looks import looked_lately, record_look

_MARKS = {
    "sent": "●",
    "waiting": "◔",
    "unknown": "◌",
    "failed": "×",
    "expired": "×",
    "cancelled": "–",
}


@dataclass(frozen=True, slots=True)
class Named:
    """``name`` is None for someone who has left; ``ref`` where their page may be opened."""

    ref: str | None
    name: str | None
    words: str | None
    at: Any


def outcome_word(outcome: str) -> str:
    return {
        "sent": _("Have it"),
        "waiting": _("Still to go"),
        "unknown": _("Not certain"),
        "failed": _("Couldn't be delivered"),
        "expired": _("Too late"),
        "cancelled": _("Held back"),
    }[outcome]


def state_word(state: str) -> str:
    return {
        "running": _("being sent"),
        "stopped": _("stopped"),
        "done": _("all done"),
    }[state]


async def show_broadcasts(request: web.Request) -> web.Response:
    async def find(tx: Tx, area: AreaInfo, limit: int, offset: int) -> Sequence[BroadcastInfo]:
        return await list_broadcasts(tx, area, limit=limit, offset=offset)

    return await write_sent(
        request, "broadcasts.html", "notices", find, count_recipients, state_word=state_word
    )


async def show_broadcast(request: web.Request) -> web.Response:
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    now = console.clock()
    show = request.query.get("show")
    if show is not None and show not in OUTCOMES:
        raise web.HTTPNotFound
    page = page_number(request.query.get("page"))
    async with console.db.read() as tx:
        sent = await _access(tx, request)
        figures = await count_recipients(tx, sent)
        people: list[Named] = []
        if show is not None:
            people = await _names(tx, officer, sent, show, page)
        seen = not people or await looked_lately(
            tx, officer, now, what="broadcast", area_id=sent.area_id
        )
        is_demo = await find_value(tx, DEMO) is not None
    if not seen:
        async with console.db.write() as tx:
            await record_look(tx, officer, now, what="broadcast", area_id=sent.area_id)
    return write_page(
        request,
        "_broadcast.html" if "fragment" in request.query else "broadcast.html",
        sent=sent,
        figures=figures,
        outcomes=[(key, _MARKS[key], outcome_word(key), figures.of(key)) for key in OUTCOMES],
        waits=waits_words(figures.waits),
        show=show,
        title=None if show is None else outcome_word(show),
        people=people[:NAMES_A_PAGE],
        page=page,
        is_last=len(people) <= NAMES_A_PAGE,
        is_demo=is_demo,
        late="late" in request.query,
        version=_version(sent, figures, now.timestamp()),
        state_word=state_word,
        stopper=_stopper(sent),
        name_word=name_word,
        reads=LANGUAGES.get(sent.language or "", sent.language),
    )


async def stop(request: web.Request) -> web.Response:
    """What the form posts; the door has looked at origin and token."""
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    async with console.db.write() as tx:
        sent = await _access(tx, request)
        stopped = await stop_broadcast(tx, sent.id, by=officer, now=console.clock())
    here = request.app.router["notice"].url_for(id=str(sent.id))
    raise web.HTTPSeeOther(here if stopped else here.with_query(late="1"))


async def _access(tx: Tx, request: web.Request) -> BroadcastInfo:
    """The notice asked for. Raises ``HTTPNotFound`` where it is not the officer's to see."""
    sent = await access_broadcast(tx, session_of(request).person_id, int(request.match_info["id"]))
    if sent is None:
        raise web.HTTPNotFound
    return sent


async def _names(tx: Tx, officer: int, sent: BroadcastInfo, outcome: str, page: int) -> list[Named]:
    found = await list_recipients(
        tx,
        officer,
        sent.id,
        [outcome],
        limit=NAMES_A_PAGE + 1,
        offset=(page - 1) * NAMES_A_PAGE,
    )
    return [
        Named(person.ref, person.name, reason_words(person.reason), person.at) for person in found
    ]


def _stopper(sent: BroadcastInfo) -> str | None:
    if sent.stopped_at is None:
        return None
    if sent.stopped_by_name is None:
        return reason_words(sent.stop_reason) or name_word(None)
    return name_word(sent.stopped_by_name)


async def read_version(tx: Tx, sent: BroadcastInfo, seconds: float) -> str:
    """What changes when the notice's page is to be looked at again."""
    if sent.audience > COUNTED_UP_TO:
        return _version(sent, None, seconds)
    return _version(sent, await count_recipients(tx, sent), seconds)


def _version(sent: BroadcastInfo, figures: Figures | None, seconds: float) -> str:
    told = f"{sent.state} {sent.ended_at is not None} {sent.expanded_at is not None}"
    if sent.audience > COUNTED_UP_TO:
        return told if sent.ended_at is not None else f"{told} {int(seconds // 30)}"
    return f"{told} {figures}"

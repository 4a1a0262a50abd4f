"""Why something was, or was not, sent to a worker on a day: beside their page, and as JSON.

Of what a worker asked to be reminded of, health among it, officers hear nothing.
"""

from datetime import date, datetime
from typing import Any

from aiohttp import web

from handlers.console.frame import CONSOLE, session_of
from handlers.why_words import PARTS, part_word, sentences, told
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.errors import Refused
from storage.people.access import WorkerInfo, access_worker
from storage.people.looks import record_look
from storage.rhythm.why import YEARS_TOLD, explain
from storage.rhythm.why_facts import Why, as_json


def read_day(asked: str | None) -> date | None:
    """The day of an address; None for today. Raises ``HTTPNotFound`` for what is none."""
    if not asked:
        return None
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        raise web.HTTPNotFound from None
    if len(asked) != len("2026-11-22") or day.year not in YEARS_TOLD:
        raise web.HTTPNotFound
    return day


async def read_why(tx: Tx, worker: WorkerInfo, asked: str | None, now: datetime) -> dict[str, Any]:
    """What the person's page shows of a day: sentences in parts, and the days around it."""
    why = await explain(tx, worker.person_id, read_day(asked), now)
    today = now.astimezone(zone_of(why.timezone)).date()
    parts = told(why, today)
    return {
        "day": why.day,
        "today": today,
        "parts": [(part_word(part), parts[part]) for part in PARTS if parts[part]],
        "open": bool(asked),
    }


async def show_why(request: web.Request) -> web.Response:
    """The facts as JSON, each with its words: ``?day=2026-11-22``, today if left out."""
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    now = console.clock()
    async with console.db.read() as tx:
        worker = await access_worker(tx, officer, request.match_info["ref"])
        if worker is None:
            raise web.HTTPNotFound
        try:
            day = read_day(request.query.get("day"))
            why = await explain(tx, worker.person_id, day, now)
        except Refused:
            raise web.HTTPNotFound from None
    async with console.db.write() as tx:
        await record_look(tx, officer, now, what="person", person_id=worker.person_id)
    return web.json_response(_as_json(why, now))


def _as_json(why: Why, now: datetime) -> dict[str, Any]:
    return {
        "person": why.ref,
        "day": why.day.isoformat(),
        "timezone": why.timezone,
        "facts": [as_json(fact) | {"words": words} for fact, words in sentences(why, now.date())],
    }

"""One worker: the standing in a period, and the contacts and check-ins it rests on."""

from typing import Any

from aiohttp import web

from handlers.console.calendar import open_calendar
from handlers.console.frame import CONSOLE, session_of, write_page
from handlers.console.why import read_why
from handlers.next_steps import steps_words
from storage.family.seen import speaks_for
from storage.family.ties import relatives_of
from storage.installation import DEMO, find_value
from storage.people.access import access_worker
from storage.people.looks import record_look
from storage.register.evidence import checkins_behind, contacts_behind
from storage.register.figures import named_register
from storage.register.next_steps import Facts
from storage.register.silence_facts import facts_of, is_silent


async def show_person(request: web.Request) -> web.Response:
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    now = console.clock()
    async with console.db.read() as tx:
        worker = await access_worker(tx, officer, request.match_info["ref"])
        if worker is None:
            raise web.HTTPNotFound
        calendar = open_calendar(request.query.get("period"), worker.area, now)
        period = calendar.period
        named = await named_register(tx, worker.area, period, now, person_id=worker.person_id)
        facts: dict[int, Facts] = {}
        if named and calendar.is_current and is_silent(named[0].standing):
            facts = await facts_of(tx, {worker.person_id: named[0].silence}, now)
        shown: dict[str, Any] = {
            "worker": worker,
            "area": worker.area,
            "calendar": calendar,
            "standing": named[0] if named else None,
            "contacts": await contacts_behind(tx, worker.person_id, period.start, period.end),
            "checkins": await checkins_behind(tx, worker.person_id, period.start, period.end),
            "steps": [
                words
                for known in facts.values()
                for words in steps_words(known, worker.area.timezone)
            ],
            "theirs": await speaks_for(tx, worker.person_id, officer),
            "family": await relatives_of(tx, worker.person_id),
            "why": await read_why(tx, worker, request.query.get("day"), now),
            "is_demo": await find_value(tx, DEMO) is not None,
        }
    async with console.db.write() as tx:
        await record_look(tx, officer, now, what="person", person_id=worker.person_id)
        for one in shown["family"]:
            await record_look(tx, officer, now, what="family", person_id=one.person_id)
    return write_page(request, "person.html", **shown)

"""What comes next in an area: what the rules will ask and remind of, week by week."""

from datetime import date, timedelta
from itertools import groupby, islice
from zoneinfo import ZoneInfo

from aiohttp import web

from handlers import rule_words
from handlers.console.frame import CONSOLE, session_of, write_page
from handlers.console.why import read_day
from handlers.moments import Moments
from storage.calendar.almanac import YEARS
from storage.installation import DEMO, find_value
from storage.people.access import access_areas
from storage.rhythm.agenda import agenda, load_dates
from storage.rhythm.reach import FEW, count_reached, may_tell
from storage.rules.kept import rules_over
from storage.rules.table import as_table

WEEKS = 8
_MOST = 500
_LAST = date(YEARS.stop - 1, 12, 31)


async def show_agenda(request: web.Request) -> web.Response:
    """Eight weeks from ``?from=``, or from today; nothing is sent."""
    console = request.config_dict[CONSOLE]
    now = console.clock()
    async with console.db.read() as tx:
        areas = await access_areas(tx, session_of(request).person_id)
        code = request.query.get("area")
        area = next((area for area in areas if code in (None, area.code)), None)
        if area is None:
            raise web.HTTPNotFound
        zone = ZoneInfo(area.timezone)
        today = now.astimezone(zone).date()
        first = min(max(read_day(request.query.get("from")) or today, today), _LAST)
        last = first + timedelta(weeks=WEEKS, days=-1)
        rules = await rules_over(tx, area)
        dates = await load_dates(tx, area, rules)
        reached = {rule.id: await count_reached(tx, rule, within=area) for rule in rules}
        told = {rule.id: may_tell(rule, reached[rule.id]) for rule in rules}
        is_demo = await find_value(tx, DEMO) is not None
    # A day that only a few have as theirs would say whose it is.
    coming = (
        entry
        for entry in agenda(rules, zone, first, last, dates)
        if entry.people is None or entry.people >= FEW
    )
    entries = list(islice(coming, _MOST))
    when = Moments(area.timezone, today)
    return write_page(
        request,
        "agenda.html",
        areas=areas,
        area=area,
        days=[
            (when.day(day), list(found))
            for day, found in groupby(entries, key=lambda entry: entry.local.date())
        ],
        first=when.day(first),
        last=when.day(last),
        tables={rule.id: as_table(rule.terms) for rule in rules},
        reached=reached,
        told=told,
        later=(last + timedelta(days=1)).isoformat() if last < _LAST else None,
        earlier=max(today, first - timedelta(weeks=WEEKS)).isoformat() if first > today else None,
        rule_words=rule_words,
        is_demo=is_demo,
    )

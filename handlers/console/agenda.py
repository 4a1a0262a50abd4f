"""What comes next in an area: what the rules will ask and remind of, week by week."""

from datetime import date, timedelta
from itertools import groupby, islice

from aiogram.utils.i18n import gettext as _
from aiohttp import web

from handlers import rule_words
from handlers.console.frame import CONSOLE, find_areas, write_page
from handlers.console.rules import read_titles
from handlers.moments import Moments
from storage.calendar.almanac import YEARS
from storage.calendar.zone import zone_of
from storage.installation import DEMO, find_value
from storage.rhythm.agenda import agenda, is_personal, load_dates, rules_ahead
from storage.rhythm.reach import FEW, count_reached, may_tell

WEEKS = 8
_MOST = 500
_LAST = date(YEARS.stop - 1, 12, 31)


async def show_agenda(request: web.Request) -> web.Response:
    """Eight weeks from ``?from=``, or from today; nothing is sent."""
    console = request.config_dict[CONSOLE]
    now = console.clock()
    async with console.db.read() as tx:
        areas, area = await find_areas(tx, request)
        zone = zone_of(area.timezone)
        today = now.astimezone(zone).date()
        first, note = _read_first(request.query.get("from"), today)
        last = min(first + timedelta(weeks=WEEKS, days=-1), _LAST)
        rules = await rules_ahead(tx, area)
        dates = await load_dates(tx, area, rules)
        reached = {rule.id: await count_reached(tx, rule, within=area) for rule in rules}
        told = {rule.id: may_tell(rule, reached[rule.id]) for rule in rules}
        titles = await read_titles(tx, rules)
        is_demo = await find_value(tx, DEMO) is not None
    entries = list(islice(agenda(rules, zone, first, last, dates), _MOST))
    when = Moments(area.timezone, today)
    return write_page(
        request,
        "agenda.html",
        status=422 if note else 200,
        note=note,
        areas=areas,
        area=area,
        days=[
            (when.day(day), list(found))
            for day, found in groupby(entries, key=lambda entry: entry.local.date())
        ],
        first=when.day(first),
        last=when.day(last),
        titles=titles,
        few=FEW,
        personal=any(is_personal(rule) for rule in rules),
        reached=reached,
        told=told,
        later=(last + timedelta(days=1)).isoformat() if last < _LAST else None,
        earlier=max(today, first - timedelta(weeks=WEEKS)).isoformat() if first > today else None,
        rule_words=rule_words,
        is_demo=is_demo,
    )


def _read_first(asked: str | None, today: date) -> tuple[date, str | None]:
    """The first day to show, and where that is not the one asked for, a sentence saying why."""
    if not asked:
        return today, None
    try:
        first = date.fromisoformat(asked)
    except ValueError:
        words = _("“{day}” is no day: write one like 2027-02-06. Shown from today.")
        return today, words.format(day=asked[:40])
    if first < today:
        words = _("{day} is past, and here is only what comes. Shown from today.")
        return today, words.format(day=first.isoformat())
    if first > _LAST:
        words = _("{day} is too late: the calendar is known until 2100. Shown from today.")
        return today, words.format(day=first.isoformat())
    return first, None

"""The rules of an area: which hold and where from, what each ever said, and its stop."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from typing import Any

from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _
from aiohttp import web

from handlers import rule_words
from handlers.console.frame import CONSOLE, find_areas, session_of, write_page
from handlers.moments import Moments
from storage.calendar.personal_dates import Personal
from storage.calendar.recurrence import slots_between
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.installation import DEMO, find_value
from storage.people.areas import AreaInfo, get_area
from storage.reminders.topics import list_topics
from storage.rhythm.reach import count_reached, may_tell
from storage.rules.editing import access_rule, may_edit_rules, rule_history, same_code_near
from storage.rules.kept import RuleInfo, rules_over, stop_rule
from storage.rules.table import as_table

_NEXT = 4
_AHEAD = timedelta(days=800)


async def show_rules(request: web.Request) -> web.Response:
    """The rules that speak for an area, its own and those from above."""
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    async with console.db.read() as tx:
        areas, area = await find_areas(tx, request)
        listed = []
        rules = await rules_over(tx, area)
        titles = await read_titles(tx, rules)
        for rule in rules:
            above, below = await same_code_near(tx, rule)
            home = await get_area(tx, rule.area_id)
            listed.append((rule, home, above, below))
        shown: dict[str, Any] = {
            "may_edit": await may_edit_rules(tx, officer, area.path),
            "is_demo": await find_value(tx, DEMO) is not None,
        }
    return write_page(
        request,
        "rules.html",
        areas=areas,
        area=area,
        titles=titles,
        listed=[(*each, as_table(each[0].terms)) for each in listed],
        rule_words=rule_words,
        **shown,
    )


async def show_rule(request: web.Request) -> web.Response:
    """One rule: what it says, whom it reaches, what comes next, and what it said before."""
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    now = console.clock()
    async with console.db.read() as tx:
        rule, area = await find_for(tx, request)
        above, below = await same_code_near(tx, rule)
        people = await count_reached(tx, rule)
        shown: dict[str, Any] = {
            "title": (await read_titles(tx, [rule]))[rule.id],
            "history": [(said, as_table(said.terms)) for said in await rule_history(tx, rule.id)],
            "people": people if may_tell(rule, people) else None,
            "may_edit": rule.stopped_at is None
            and await may_edit_rules(tx, officer, rule.area_path),
            "is_demo": await find_value(tx, DEMO) is not None,
        }
    return write_page(
        request,
        "rule.html",
        rule=rule,
        area=area,
        table=as_table(rule.terms),
        above=above,
        below=below,
        coming=coming_words(rule, now.astimezone(zone_of(area.timezone)), area),
        by_word=by_word,
        rule_words=rule_words,
        late="late" in request.query,
        **shown,
    )


async def stop(request: web.Request) -> web.Response:
    """What the form posts; the door has looked at origin and token."""
    console = request.config_dict[CONSOLE]
    async with console.db.write() as tx:
        rule, area = await find_for(tx, request, to_edit=True)
        if rule.stopped_at is None:
            await stop_rule(tx, rule, console.clock())
    raise web.HTTPSeeOther(request.app.router["rules"].url_for().with_query({"area": area.code}))


async def read_titles(tx: Tx, rules: Iterable[RuleInfo]) -> dict[int, str]:
    """What each rule is called in the reader's language, by its id."""
    language = get_i18n().current_locale
    known = await list_topics(tx, stopped=True, counted=False)
    topics = {topic.code: topic.name(language) for topic in known}
    return {rule.id: rule_words.rule_title(rule.terms, topics) for rule in rules}


async def find_for(
    tx: Tx, request: web.Request, *, to_edit: bool = False
) -> tuple[RuleInfo, AreaInfo]:
    """The rule asked for, and its area. Raises ``HTTPNotFound`` or ``HTTPForbidden``."""
    officer = session_of(request).person_id
    rule = await access_rule(tx, officer, int(request.match_info["id"]))
    if rule is None:
        raise web.HTTPNotFound
    if to_edit and not await may_edit_rules(tx, officer, rule.area_path):
        raise web.HTTPForbidden
    return rule, await get_area(tx, rule.area_id)


def coming_words(rule: RuleInfo, now: Any, area: AreaInfo) -> list[str]:
    """The next days of a rule in its area's zone; none where each person has a date of theirs."""
    if rule.stopped_at is not None or isinstance(rule.terms.when, Personal):
        return []
    zone = zone_of(area.timezone)
    slots = slots_between(rule.timing, zone, now, now + _AHEAD)
    when = Moments(area.timezone, now.date())
    return [when.at(slot.at) for slot in islice(slots, _NEXT)]


def by_word(name: str | None) -> str:
    """Who changed it: None is the operator, empty someone who has left."""
    if name is None:
        return _("the operator")
    return name or _("someone who has left")

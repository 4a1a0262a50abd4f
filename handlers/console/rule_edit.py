"""Adding and changing a rule: the form, what it would do, and then the rule."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from aiogram.utils.i18n import get_i18n
from aiohttp import web

from handlers import rule_words
from handlers.console.frame import CONSOLE, session_of, write_page
from handlers.console.rule_form import (
    NTHS,
    field_of,
    first_values,
    read_form,
    typed_values,
    values_of,
)
from handlers.console.rule_problems import problem_words
from handlers.console.rules import coming_words, find_for
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.errors import Refused
from storage.installation import DEMO, find_value
from storage.people.access import access_area
from storage.people.areas import AreaInfo
from storage.reminders.topics import BadTopic, TopicInfo, check_rule_topic, list_topics
from storage.rhythm.reach import count_reached, may_tell
from storage.rules.editing import CHANGED, may_edit_rules
from storage.rules.kept import RuleInfo, add_rule, edit_rule, rules_over
from storage.rules.overlaps import find_overlaps
from storage.rules.reading import KINDS, read_rule
from storage.rules.table import as_table
from storage.rules.terms import Problem, Terms
from storage.rules.words import WEEKDAYS


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule on its way: where, of what kind, and the one it changes."""

    area: AreaInfo
    kind: str
    before: RuleInfo | None
    topics: list[TopicInfo] = field(default_factory=list)


async def show_new(request: web.Request) -> web.Response:
    console = request.config_dict[CONSOLE]
    async with console.db.read() as tx:
        draft = await _new(tx, request)
        values = await _suggested(tx, request, draft)
        is_demo = await find_value(tx, DEMO) is not None
    return _write(request, draft, values, is_demo=is_demo)


async def show_edit(request: web.Request) -> web.Response:
    console = request.config_dict[CONSOLE]
    async with console.db.read() as tx:
        draft = await _edited(tx, request)
        is_demo = await find_value(tx, DEMO) is not None
    assert draft.before is not None
    return _write(request, draft, values_of(draft.before.terms), is_demo=is_demo)


async def add(request: web.Request) -> web.Response:
    """A new rule: looked at first, and kept with the second button."""
    return await _take(request, is_new=True)


async def edit(request: web.Request) -> web.Response:
    """A changed rule, likewise."""
    return await _take(request, is_new=False)


async def _take(request: web.Request, *, is_new: bool) -> web.Response:
    console = request.config_dict[CONSOLE]
    now = console.clock()
    form = await request.post()
    keeps = form.get("do") == "save"
    async with console.db.read() as tx:
        draft = await (_new(tx, request) if is_new else _edited(tx, request))
        before = None if draft.before is None else draft.before.terms
        terms, problems = read_rule(read_form(form, draft.kind, before))
        if terms is not None:
            problems = await _wrong_here(tx, draft, terms, now)
        version = str(form.get("version", ""))
        if draft.before is not None and version != str(draft.before.version):
            problems = [Problem("", CHANGED)]
        people = 0
        if terms is not None and not problems:
            people = await count_reached(tx, _as_kept(draft, terms, now))
        is_demo = await find_value(tx, DEMO) is not None
    values = typed_values(form, draft.kind)
    if terms is not None and not problems and keeps:
        try:
            kept = await _keep(request, draft, terms, now)
        except Refused as refused:
            problems = [Problem("code", str(refused))]
        else:
            raise web.HTTPSeeOther(request.app.router["rule"].url_for(id=str(kept.id)))
    preview = None
    if terms is not None and not problems:
        planned = _as_kept(draft, terms, now)
        local = now.astimezone(zone_of(draft.area.timezone))
        preview = {
            "people": people if may_tell(planned, people) else None,
            "schedule": rule_words.schedule_words(as_table(terms)),
            "coming": coming_words(planned, local, draft.area),
        }
    return _write(request, draft, values, problems=problems, preview=preview, is_demo=is_demo)


async def _keep(request: web.Request, draft: Draft, terms: Terms, now: datetime) -> RuleInfo:
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    async with console.db.write() as tx:
        if not await may_edit_rules(tx, officer, draft.area.path):
            raise web.HTTPForbidden
        if draft.before is None:
            return await add_rule(tx, draft.area, terms, now, by=officer)
        return await edit_rule(tx, draft.before, terms, now, by=officer)


async def _wrong_here(tx: Tx, draft: Draft, terms: Terms, now: datetime) -> list[Problem]:
    try:
        await check_rule_topic(tx, terms)
    except BadTopic as bad:
        return [Problem(bad.field, str(bad))]
    rule_id = None if draft.before is None else draft.before.id
    return await find_overlaps(tx, draft.area, terms, now, rule_id=rule_id)


def _as_kept(draft: Draft, terms: Terms, now: datetime) -> RuleInfo:
    """The rule as it would stand."""
    if draft.before is not None:
        return replace(draft.before, terms=terms)
    area = draft.area
    return RuleInfo(0, area.id, area.code, area.path, area.timezone, terms, 1, now, None)


async def _new(tx: Tx, request: web.Request) -> Draft:
    officer = session_of(request).person_id
    area = await access_area(tx, officer, request.query.get("area", ""))
    kind = request.query.get("kind", KINDS[0])
    if area is None or kind not in KINDS:
        raise web.HTTPNotFound
    if not await may_edit_rules(tx, officer, area.path):
        raise web.HTTPForbidden
    return Draft(area, kind, None, await list_topics(tx))


async def _edited(tx: Tx, request: web.Request) -> Draft:
    rule, area = await find_for(tx, request, to_edit=True)
    if rule.stopped_at is not None:
        raise web.HTTPNotFound
    return Draft(area, rule.terms.kind, rule, await list_topics(tx))


async def _suggested(tx: Tx, request: web.Request, draft: Draft) -> dict[str, Any]:
    """What a new form shows; ``?code=`` takes the words of a rule from above that it replaces."""
    values = first_values(draft.kind)
    code = request.query.get("code")
    for rule in await rules_over(tx, draft.area) if code else []:
        if (rule.terms.code, rule.terms.kind) == (code, draft.kind):
            return values_of(rule.terms) | {"repeat": "weeks"}
    return values


def _write(
    request: web.Request,
    draft: Draft,
    values: dict[str, Any],
    *,
    problems: list[Problem] | None = None,
    preview: dict[str, Any] | None = None,
    is_demo: bool,
) -> web.Response:
    wrong: dict[str, list[str]] = {}
    for problem in problems or []:
        place = field_of(problem.field, values["repeat"])
        if place == "around" and values["around_other"]:
            place = "around_other"
        wrong.setdefault(place, []).append(problem_words(problem))
    before = draft.before
    names = {topic.code: topic.name(get_i18n().current_locale) for topic in draft.topics}
    return write_page(
        request,
        "rule_form.html",
        status=422 if problems else 200,
        draft=draft,
        area=draft.area,
        values=values,
        wrong=wrong,
        elsewhere=[words for place in wrong.keys() - values.keys() for words in wrong[place]],
        preview=preview,
        name=None if before is None else rule_words.rule_title(before.terms, names),
        kept_schedule=None if before is None else rule_words.schedule_words(as_table(before.terms)),
        weekdays=list(enumerate(WEEKDAYS)),
        nths=NTHS,
        named_days=rule_words.named_days(),
        dates=sorted({topic.asks for topic in draft.topics if topic.asks}),
        rule_words=rule_words,
        is_demo=is_demo,
        action=str(request.rel_url),
    )

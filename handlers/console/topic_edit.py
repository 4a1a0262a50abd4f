"""Adding and changing a topic: the form, and what is wrong with it at its field."""

import re
from typing import Any, Final

from aiogram.utils.i18n import gettext as _
from aiohttp import web

from handlers import rule_words
from handlers.console.frame import CONSOLE, session_of, write_page
from handlers.console.rule_form import Form
from handlers.console.rule_problems import problem_words
from handlers.console.topics import find_for
from storage.database import Tx
from storage.installation import DEMO, find_value
from storage.reminders.editing import may_edit_topics, version_of
from storage.reminders.reading import read_topic
from storage.reminders.topics import (
    BadTopic,
    TopicInfo,
    TopicTerms,
    add_topic,
    edit_topic,
    list_topics,
)
from storage.rules.terms import Problem

_FIELDS: Final = ("code", "name_zh", "name_en", "about_zh", "about_en", "asks", "asks_other")
_OTHER: Final = "+"
"""What the list of dates says for one that is not in it; no date can be called so."""
_CHANGED: Final = "changed"


async def show_new(request: web.Request) -> web.Response:
    console = request.config_dict[CONSOLE]
    async with console.db.read() as tx:
        await _check_may_edit(tx, request)
        dates, is_demo = await _dates(tx), await find_value(tx, DEMO) is not None
    return _write(request, None, dict.fromkeys(_FIELDS, ""), dates, is_demo=is_demo)


async def show_edit(request: web.Request) -> web.Response:
    console = request.config_dict[CONSOLE]
    async with console.db.read() as tx:
        topic = await find_for(tx, request, to_edit=True)
        dates, is_demo = await _dates(tx), await find_value(tx, DEMO) is not None
    return _write(request, topic, _values_of(topic.terms), dates, is_demo=is_demo)


async def add(request: web.Request) -> web.Response:
    return await _take(request, is_new=True)


async def edit(request: web.Request) -> web.Response:
    """A changed topic; refused when somebody else changed it since the form was opened."""
    return await _take(request, is_new=False)


async def _take(request: web.Request, *, is_new: bool) -> web.Response:
    console = request.config_dict[CONSOLE]
    form = await request.post()
    values = {name: _text(form, name) for name in _FIELDS}
    async with console.db.write() as tx:
        await _check_may_edit(tx, request)
        before = None if is_new else await find_for(tx, request)
        if before is not None:
            values["code"] = before.code
        terms, problems = read_topic(_table(values))
        if before is not None and _text(form, "version") != version_of(before.terms):
            problems = [Problem("", _CHANGED)]
        if terms is not None and not problems:
            try:
                await (add_topic(tx, terms) if before is None else edit_topic(tx, before, terms))
            except BadTopic as bad:  # nothing was written
                problems = [Problem(bad.field, str(bad))]
        dates, is_demo = await _dates(tx), await find_value(tx, DEMO) is not None
    if problems or terms is None:
        return _write(request, before, values, dates, problems=problems, is_demo=is_demo)
    # Only here: raised within the transaction, it would undo what was written.
    raise web.HTTPSeeOther(request.app.router["topic"].url_for(code=terms.code))


async def _check_may_edit(tx: Tx, request: web.Request) -> None:
    if not await may_edit_topics(tx, session_of(request).person_id):
        raise web.HTTPForbidden


async def _dates(tx: Tx) -> list[str]:
    """The dates that topics ask for already."""
    return sorted({topic.asks for topic in await list_topics(tx, stopped=True) if topic.asks})


def _text(form: Form, name: str) -> str:
    given = form.get(name, "")
    return given.strip().replace("\r\n", "\n") if isinstance(given, str) else ""


def _table(values: dict[str, str]) -> dict[str, Any]:
    table: dict[str, Any] = {"code": values["code"]}
    for key in ("name", "about"):
        table[key] = {language: values[f"{key}_{language}"] for language in ("zh", "en")}
    if _asks_other(values):
        return table | {"asks": values["asks_other"]}
    return table | {"asks": values["asks"]} if values["asks"] else table


def _asks_other(values: dict[str, str]) -> bool:
    """Whether a date was written rather than chosen; what was written is never passed over."""
    return bool(values["asks_other"]) or values["asks"] == _OTHER


def _values_of(terms: TopicTerms) -> dict[str, str]:
    values = {"code": terms.code, "asks": terms.asks or "", "asks_other": ""}
    for language in ("zh", "en"):
        values[f"name_{language}"] = terms.names.get(language, "")
        values[f"about_{language}"] = terms.about.get(language, "")
    return values


def _field_of(problem: Problem, values: dict[str, str]) -> str:
    if problem.field == "asks" and _asks_other(values):
        return "asks_other"
    return problem.field.replace(".", "_")


def _problem_words(problem: Problem, values: dict[str, str]) -> str:
    reason, field = problem.reason, _field_of(problem, values)
    if reason == _CHANGED:
        return _("Somebody else changed this meanwhile: open it again, and look.")
    if field in values and not values[field]:
        return _("Something is missing here.")
    if field in ("code", "asks_other") and reason.startswith("use small letters"):
        return _("Use small letters, digits and dashes, such as health-check.")
    if found := re.search(r"one line of at most (\d+)", reason):
        return _("Write one line of {n} characters at most: it stands on a button.").format(
            n=found[1]
        )
    if field == "code" and reason.startswith("there is a topic"):
        return _("There is a topic of this short name already: change that one, or start it again.")
    if found := re.match(r"rule (\S+) follows", reason):
        return _(
            "The rule {rule} counts from the date it asks for now: stop that rule first."
        ).format(rule=found[1])
    return problem_words(problem)


def _write(
    request: web.Request,
    before: TopicInfo | None,
    values: dict[str, str],
    dates: list[str],
    *,
    problems: list[Problem] | None = None,
    is_demo: bool,
) -> web.Response:
    wrong: dict[str, list[str]] = {}
    for problem in problems or []:
        told = wrong.setdefault(_field_of(problem, values), [])
        if (words := _problem_words(problem, values)) not in told:
            told.append(words)
    return write_page(
        request,
        "topic_form.html",
        status=422 if problems else 200,
        before=before,
        version="" if before is None else version_of(before.terms),
        values=values,
        wrong=wrong,
        elsewhere=[words for place in wrong.keys() - values.keys() for words in wrong[place]],
        other=_OTHER,
        dates=[(code, rule_words.personal_date(code)) for code in dates],
        is_demo=is_demo,
        action=str(request.rel_url),
    )

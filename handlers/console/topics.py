"""What workers may be reminded of: all topics, one of them, its stop and its new start."""

from aiogram.utils.i18n import get_i18n, ngettext
from aiogram.utils.i18n import gettext as _
from aiohttp import web

from handlers import rule_words
from handlers.console.formats import Format
from handlers.console.frame import CONSOLE, session_of, write_page
from storage.calendar.personal_dates import lies_behind
from storage.database import Tx
from storage.errors import Refused
from storage.installation import DEMO, find_value
from storage.people.access import access_areas
from storage.reminders.editing import TopicRule, may_edit_topics, rules_by_topic
from storage.reminders.topics import TopicInfo, find_topic, list_topics, start_topic, stop_topic
from storage.rhythm.reach import FEW
from storage.rules.table import as_table


async def show_topics(request: web.Request) -> web.Response:
    """Every topic; the stopped ones last."""
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    async with console.db.read() as tx:
        if not await access_areas(tx, officer):
            raise web.HTTPNotFound
        topics = await list_topics(tx, stopped=True)
        rules = await rules_by_topic(tx, officer)
        may_edit = await may_edit_topics(tx, officer)
        is_demo = await find_value(tx, DEMO) is not None
    topics.sort(key=lambda topic: topic.stopped_at is not None)
    return write_page(
        request,
        "topics.html",
        topics=[(topic, rules.get(topic.code, [])) for topic in topics],
        heard_words=heard_words,
        asked_words=asked_words,
        when_words=when_words,
        may_edit=may_edit,
        is_demo=is_demo,
    )


async def show_topic(request: web.Request) -> web.Response:
    """One topic: its words in both languages, its date, and the rules that remind of it."""
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    async with console.db.read() as tx:
        areas = await access_areas(tx, officer)
        if not areas:
            raise web.HTTPNotFound
        topic = await find_for(tx, request)
        rules = await rules_by_topic(tx, officer, stopped=True)
        may_edit = await may_edit_topics(tx, officer)
        is_demo = await find_value(tx, DEMO) is not None
    return write_page(
        request,
        "topic.html",
        topic=topic,
        rules=rules.get(topic.code, []),
        zone=areas[0].timezone,
        heard_words=heard_words,
        asked_words=asked_words,
        when_words=when_words,
        may_edit=may_edit,
        is_demo=is_demo,
    )


async def stop(request: web.Request) -> web.Response:
    """What the form posts; the door has looked at origin and token."""
    console = request.config_dict[CONSOLE]
    async with console.db.write() as tx:
        topic = await find_for(tx, request, to_edit=True)
        await stop_topic(tx, topic, console.clock())
    raise web.HTTPSeeOther(request.app.router["topic"].url_for(code=topic.code))


async def start(request: web.Request) -> web.Response:
    """The same, the other way."""
    console = request.config_dict[CONSOLE]
    async with console.db.write() as tx:
        topic = await find_for(tx, request, to_edit=True)
        await start_topic(tx, topic)
    raise web.HTTPSeeOther(request.app.router["topic"].url_for(code=topic.code))


async def find_for(tx: Tx, request: web.Request, *, to_edit: bool = False) -> TopicInfo:
    """The topic asked for. Raises ``HTTPNotFound`` or ``HTTPForbidden``."""
    if to_edit and not await may_edit_topics(tx, session_of(request).person_id):
        raise web.HTTPForbidden
    try:
        return await find_topic(tx, request.match_info["code"])
    except Refused:
        raise web.HTTPNotFound from None


def heard_words(topic: TopicInfo) -> str:
    """How many chose it, never who: of a few people not even how many."""
    if topic.subscribers < FEW:
        return _("Fewer than {n} people chose it.").format(n=FEW)
    number = Format(get_i18n().current_locale).number(topic.subscribers)
    return ngettext("{n} person chose it.", "{n} people chose it.", topic.subscribers).format(
        n=number
    )


def when_words(rule: TopicRule) -> str:
    """When a rule reminds of its topic."""
    return rule_words.as_line(rule_words.schedule_words(as_table(rule.terms)))


def asked_words(topic: TopicInfo) -> str:
    """Which date each person is asked for, if any."""
    if topic.asks is None:
        return _("It asks for no date.")
    day = rule_words.personal_date(topic.asks)
    if lies_behind(topic.asks):
        return _("It asks each person for a day that has been: {day}.").format(day=day)
    return _("It asks each person for a day to come: {day}.").format(day=day)

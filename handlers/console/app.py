"""The console as one aiohttp application, to be mounted under ``/console/``."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from aiogram.utils.i18n import I18n
from aiohttp import web

from handlers.console.agenda import show_agenda
from handlers.console.broadcasts import show_broadcast, show_broadcasts, stop
from handlers.console.door import at_the_door, guard_headers
from handlers.console.entrance import enter, leave, show_entrance
from handlers.console.frame import CONSOLE, Console, make_pages
from handlers.console.live import LiveFeed
from handlers.console.overasked import show_overasked
from handlers.console.person import show_person
from handlers.console.register import show_register
from handlers.console.rollcalls import end, follow_rollcall, show_rollcall, show_rollcalls
from handlers.console.rule_edit import add, edit, show_edit, show_new
from handlers.console.rules import show_rule, show_rules
from handlers.console.rules import stop as stop_rule
from handlers.console.stream import follow_notice, follow_register
from handlers.console.tasks import show_tasks
from handlers.console.topic_edit import add as add_topic
from handlers.console.topic_edit import edit as edit_topic
from handlers.console.topic_edit import show_edit as show_topic_edit
from handlers.console.topic_edit import show_new as show_new_topic
from handlers.console.topics import show_topic, show_topics
from handlers.console.topics import start as start_topic
from handlers.console.topics import stop as stop_topic
from handlers.console.why import show_why
from storage.database import Database

_STATIC = Path(__file__).parent / "static"
# No more digits than the databases take for a number.
_NOTICE = r"/notices/{id:[0-9]{1,15}}"
_ROLLCALL = r"/rollcalls/{id:[0-9]{1,15}}"
_RULE = r"/rules/{id:[0-9]{1,15}}"
# Not under /topics/, where a topic may be called new.
_TOPIC = r"/topic/{code:[a-z0-9-]{1,40}}"


def console_app(
    db: Database,
    i18n: I18n,
    *,
    secure: bool,
    clock: Callable[[], datetime],
    live: LiveFeed,
    origin: str | None = None,
) -> web.Application:
    """Mount with ``app.add_subapp("/console/", console_app(...))``.

    ``secure``: pages are reached over TLS, so the cookie is a ``__Host-`` one. ``origin``: the
    public ``scheme://host``, accepted beside the host of the request itself. ``live`` is closed
    when the server shuts down, which ends its streams.
    """
    app = web.Application(middlewares=[at_the_door], client_max_size=64 * 1024)
    app[CONSOLE] = Console(db, i18n, clock, live, secure, origin, make_pages())
    app.on_response_prepare.append(guard_headers)
    app.on_shutdown.append(_close_live)
    app.router.add_get("", _to_register)
    app.router.add_get("/", show_register, name="register")
    app.router.add_get("/person/{ref}", show_person, name="person")
    app.router.add_get("/person/{ref}/why", show_why, name="why")
    app.router.add_get("/tasks", show_tasks, name="tasks")
    app.router.add_get("/notices", show_broadcasts, name="notices")
    app.router.add_get("/overasked", show_overasked, name="overasked")
    app.router.add_get(_NOTICE, show_broadcast, name="notice")
    app.router.add_get(f"{_NOTICE}/live", follow_notice, name="notice_live")
    app.router.add_post(f"{_NOTICE}/stop", stop, name="notice_stop")
    app.router.add_get("/rollcalls", show_rollcalls, name="rollcalls")
    app.router.add_get(_ROLLCALL, show_rollcall, name="rollcall")
    app.router.add_get(f"{_ROLLCALL}/live", follow_rollcall, name="rollcall_live")
    app.router.add_post(f"{_ROLLCALL}/end", end, name="rollcall_end")
    app.router.add_get("/agenda", show_agenda, name="agenda")
    app.router.add_get("/rules", show_rules, name="rules")
    new_rule = app.router.add_resource("/rules/new", name="rule_new")
    new_rule.add_route("GET", show_new)
    new_rule.add_route("POST", add)
    app.router.add_get(_RULE, show_rule, name="rule")
    edited = app.router.add_resource(f"{_RULE}/edit", name="rule_edit")
    edited.add_route("GET", show_edit)
    edited.add_route("POST", edit)
    app.router.add_post(f"{_RULE}/stop", stop_rule, name="rule_stop")
    app.router.add_get("/topics", show_topics, name="topics")
    new_topic = app.router.add_resource("/topics/new", name="topic_new")
    new_topic.add_route("GET", show_new_topic)
    new_topic.add_route("POST", add_topic)
    app.router.add_get(_TOPIC, show_topic, name="topic")
    edited_topic = app.router.add_resource(f"{_TOPIC}/edit", name="topic_edit")
    edited_topic.add_route("GET", show_topic_edit)
    edited_topic.add_route("POST", edit_topic)
    app.router.add_post(f"{_TOPIC}/stop", stop_topic, name="topic_stop")
    app.router.add_post(f"{_TOPIC}/start", start_topic, name="topic_start")
    app.router.add_get("/live", follow_register, name="live")
    enter_page = app.router.add_resource("/enter", name="enter")
    enter_page.add_route("GET", show_entrance)
    enter_page.add_route("POST", enter)
    app.router.add_post("/leave", leave, name="leave")
    app.router.add_static("/static", _STATIC, name="static")
    return app


async def _to_register(request: web.Request) -> web.Response:
    raise web.HTTPFound(request.app.router["register"].url_for())


async def _close_live(app: web.Application) -> None:
    app[CONSOLE].live.close()

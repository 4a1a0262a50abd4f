"""What every page shares: the parts the console is built from, and how a page is written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiogram.utils.i18n import I18n, gettext, ngettext
from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from handlers.console import evidence, standings
from handlers.console.formats import Format
from handlers.console.live import LiveFeed
from storage.database import Database, Tx
from storage.people.access import access_areas
from storage.people.areas import AreaInfo
from storage.people.logins import Session

LANGUAGES = {"zh": "中文", "en": "English"}
"""What the console speaks, each in its own name."""

_HTML_LANG = {"zh": "zh-CN", "en": "en"}


@dataclass(frozen=True, slots=True)
class Console:
    """What the wiring hands in. ``clock`` gives the time in UTC; ``origin`` is the public one."""

    db: Database
    i18n: I18n
    clock: Callable[[], datetime]
    live: LiveFeed
    secure: bool
    origin: str | None
    pages: Environment


CONSOLE: web.AppKey[Console] = web.AppKey("console", Console)
SESSION: web.RequestKey[Session] = web.RequestKey("session", Session)


def session_of(request: web.Request) -> Session:
    return request[SESSION]


def make_pages() -> Environment:
    pages = Environment(
        loader=PackageLoader("handlers.console"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    # Old style: sentences keep the braces of the other catalogs, and are filled with .format().
    pages.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        gettext, ngettext, newstyle=False
    )
    pages.globals.update(languages=LANGUAGES, words=standings, evidence=evidence)
    return pages


def write_page(
    request: web.Request, template: str, *, status: int = 200, **shown: Any
) -> web.Response:
    """The page in the language that was set for this request."""
    console = request.config_dict[CONSOLE]
    locale = console.i18n.current_locale
    page = console.pages.get_template(template).render(
        locale=locale,
        html_lang=_HTML_LANG.get(locale, locale),
        session=request.get(SESSION),
        url=_urls(request),
        format=Format(locale, console.clock()),
        switch=_switch(request),
        here=str(request.rel_url),
        **shown,
    )
    response = web.Response(text=page, content_type="text/html", status=status)
    response.enable_compression()
    return response


def _urls(request: web.Request) -> Callable[..., str]:
    routes = request.app.router

    def url(name: str, *, query: dict[str, Any] | None = None, **parts: str) -> str:
        found = routes[name].url_for(**parts)
        return str(found.with_query(query) if query else found)

    return url


def _switch(request: web.Request) -> Callable[[str], str]:
    """The same page in another language; what was posted cannot be asked for again."""
    if request.method not in {"GET", "HEAD"}:
        return lambda code: _urls(request)("enter", query={"lang": code})
    return lambda code: str(request.rel_url.update_query(lang=code))


async def find_areas(tx: Tx, request: web.Request) -> tuple[list[AreaInfo], AreaInfo]:
    """The areas the officer looks after, and the one that is asked for: the first where none is.

    Raises ``HTTPNotFound`` for any other.
    """
    areas = await access_areas(tx, session_of(request).person_id)
    code = request.query.get("area")
    area = next((area for area in areas if code in (None, area.code)), None)
    if area is None:
        raise web.HTTPNotFound
    return areas, area


def page_number(asked: str | None) -> int:
    """The number in ``?page=``, 1 without. Raises ``HTTPNotFound`` for what is none."""
    if asked is None:
        return 1
    if not asked.isascii() or not asked.isdigit() or not 1 <= len(asked) <= 6 or int(asked) < 1:
        raise web.HTTPNotFound
    return int(asked)

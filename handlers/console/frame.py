"""What every page shares: the parts the console is built from, and how a page is written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiogram.utils.i18n import I18n, gettext, ngettext
from aiohttp import web
from babel import dates, numbers
from jinja2 import Environment, PackageLoader, StrictUndefined

from handlers.console import evidence, standings
from handlers.console.live import LiveFeed
from storage.database import Database
from storage.logins import Session
from storage.periods import Period

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
        format=Format(locale),
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


class Format:
    """Numbers and dates as the reader writes them."""

    def __init__(self, locale: str) -> None:
        self._locale = locale

    def number(self, value: int) -> str:
        return numbers.format_decimal(value, locale=self._locale)

    def rate(self, rate: float | None) -> str:
        """A fraction as a percentage, ``—`` where there is none; 99.96 % does not become 100 %."""
        if rate is None:
            return "—"
        if 0 < rate < 1:
            rate = min(max(rate, 0.001), 0.999)
            return numbers.format_percent(rate, "0.0%", locale=self._locale)
        return numbers.format_percent(rate, "0%", locale=self._locale)

    def short_rate(self, rate: float | None) -> str:
        """The same without its sign, for where a column says what it is."""
        return "—" if rate is None else str(int(rate * 100))

    def moment(self, at: datetime, zone: str) -> str:
        local = at.astimezone(ZoneInfo(zone))
        day = dates.format_skeleton("MMMEd", local, locale=self._locale)
        return f"{day} {local:%H:%M}"

    def day(self, at: datetime, zone: str) -> str:
        return dates.format_skeleton(
            "MMMd", at, tzinfo=dates.get_timezone(zone), locale=self._locale
        )

    def short_day(self, at: datetime, zone: str) -> str:
        return dates.format_skeleton("Md", at, tzinfo=dates.get_timezone(zone), locale=self._locale)

    def month(self, at: datetime, zone: str) -> str:
        return dates.format_skeleton(
            "MMM", at, tzinfo=dates.get_timezone(zone), locale=self._locale
        )

    def day_number(self, at: datetime, zone: str) -> str:
        return str(at.astimezone(ZoneInfo(zone)).day)

    def span(self, period: Period, zone: str) -> str:
        """A week's or month's days, both ends included."""
        first = period.start.astimezone(ZoneInfo(zone)).date()
        last = (period.end.astimezone(ZoneInfo(zone)) - timedelta(microseconds=1)).date()
        if first.day == 1 and (last.month, last.year) == (first.month, first.year):
            return dates.format_skeleton("yMMMM", first, locale=self._locale)
        return dates.format_interval(first, last, "yMMMd", locale=self._locale)

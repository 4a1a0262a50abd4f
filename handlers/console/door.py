"""The one door every request comes through: language, session, origin, and errors as pages."""

import hmac
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import ClientConnectionResetError, web
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from handlers.console.frame import CONSOLE, LANGUAGES, SESSION, Console, write_page
from storage.people.logins import find_session

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_OPEN_TO_ALL = frozenset({"enter", "static"})
_LANGUAGE_COOKIE = "kinroom_language"
_YEAR = 365 * 24 * 3600

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Closed(Exception):
    """Nobody is signed in, and the page is not for everybody."""


def cookie_name(*, secure: bool) -> str:
    return "__Host-kinroom_console" if secure else "kinroom_console"


async def guard_headers(request: web.Request, response: web.StreamResponse) -> None:
    """On every answer, the streams and the errors included."""
    headers = response.headers
    headers["Content-Security-Policy"] = _POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    # Not "no-referrer": under it browsers send "Origin: null" with a form, and the check of the
    # origin could tell our own form from nobody's. Other hosts see nothing under either.
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if _route_name(request) == "static":
        headers.setdefault("Cache-Control", "no-cache")
    else:
        headers["Cache-Control"] = "no-store"


@web.middleware
async def at_the_door(request: web.Request, handler: Handler) -> web.StreamResponse:
    if _route_name(request) == "static":
        return await handler(request)
    console = request.config_dict[CONSOLE]
    chosen = _chosen_language(request)
    with console.i18n.context(), console.i18n.use_locale(chosen or _accepted_language(request)):
        response = await _answer(console, request, handler, keep_language=chosen is not None)
        asked = request.query.get("lang")
        if asked in LANGUAGES and not response.prepared:
            response.set_cookie(
                _LANGUAGE_COOKIE,
                asked,
                max_age=_YEAR,
                httponly=True,
                samesite="Lax",
                secure=console.secure,
            )
        return response


async def _answer(
    console: Console, request: web.Request, handler: Handler, *, keep_language: bool
) -> web.StreamResponse:
    try:
        await _admit(console, request, keep_language=keep_language)
        return await handler(request)
    except Closed:
        return write_page(request, "closed.html", status=HTTPStatus.UNAUTHORIZED)
    except web.HTTPForbidden:
        return write_page(request, "forbidden.html", status=HTTPStatus.FORBIDDEN)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as missing:
        return write_page(request, "missing.html", status=missing.status)
    except web.HTTPException:
        raise
    except ClientConnectionResetError:
        raise  # the browser has gone; there is nobody to tell
    except (SQLAlchemyError, OSError, TimeoutError) as problem:
        if isinstance(problem, SQLAlchemyError) and not _database_is_away(problem):
            log.exception("a console page failed: %s", request.path)
            return write_page(request, "failed.html", status=HTTPStatus.INTERNAL_SERVER_ERROR)
        log.warning("the database is away: %s", type(problem).__name__)
        return write_page(request, "away.html", status=HTTPStatus.SERVICE_UNAVAILABLE)
    except Exception:  # the last door: whatever went wrong is logged and said
        log.exception("a console page failed: %s", request.path)
        return write_page(request, "failed.html", status=HTTPStatus.INTERNAL_SERVER_ERROR)


async def _admit(console: Console, request: web.Request, *, keep_language: bool) -> None:
    """Find who is there, and let through what they may do. Raises what the page will say."""
    if request.method not in {"GET", "HEAD"} and not _is_our_origin(request, console.origin):
        raise web.HTTPForbidden
    name = _route_name(request)
    cookie = request.cookies.get(cookie_name(secure=console.secure))
    if cookie and name != "enter":
        async with console.db.read() as tx:
            session = await find_session(tx, cookie, console.clock())
        if session is not None:
            request[SESSION] = session
            if not keep_language and session.language in LANGUAGES:
                console.i18n.current_locale = session.language
    if name in _OPEN_TO_ALL or name is None:
        return
    if SESSION not in request:
        raise Closed
    if request.method == "POST":
        given = (await request.post()).get("csrf", "")
        expected = request[SESSION].csrf.encode()
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), expected):
            raise web.HTTPForbidden


def _database_is_away(problem: SQLAlchemyError) -> bool:
    if not isinstance(problem, DBAPIError):
        return "timeout" in type(problem).__name__.lower()  # the pool gave none in time
    return problem.connection_invalidated or type(problem).__name__ in {
        "OperationalError",
        "InterfaceError",
        "DBAPIError",
    }


def _is_our_origin(request: web.Request, public: str | None) -> bool:
    origin = request.headers.get("Origin", "")
    if public is not None and origin == public:
        return True
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and parts.netloc == request.host


def _route_name(request: web.Request) -> str | None:
    return request.match_info.route.name


def _chosen_language(request: web.Request) -> str | None:
    for choice in (request.query.get("lang"), request.cookies.get(_LANGUAGE_COOKIE)):
        if choice in LANGUAGES:
            return choice
    return None


def _accepted_language(request: web.Request) -> str:
    for part in request.headers.get("Accept-Language", "").split(","):
        language = part.split(";")[0].strip().lower().split("-")[0]
        if language in LANGUAGES:
            return language
    return "zh"

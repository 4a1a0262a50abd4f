"""The way in and out: a one-time link becomes a session; signing out ends it."""

from http import HTTPStatus

from aiohttp import web

from handlers.console.door import cookie_name
from handlers.console.frame import CONSOLE, SESSION, session_of, write_page
from storage.people.logins import SESSION_LIFETIME, BadLogin, close_session, open_session

_LONGEST_FORM = 4096


async def show_entrance(request: web.Request) -> web.Response:
    """The link's page. The token is in the fragment, which only a browser's script sees."""
    return write_page(request, "enter.html", why=None)


async def enter(request: web.Request) -> web.Response:
    console = request.config_dict[CONSOLE]
    if (request.content_length or 0) > _LONGEST_FORM:
        raise web.HTTPForbidden
    token = (await request.post()).get("token", "")
    # Whoever pastes the whole link means the code in it.
    token = token.rpartition("#")[2].strip() if isinstance(token, str) else ""
    try:
        async with console.db.write() as tx:
            session = await open_session(tx, token, console.clock())
    except BadLogin as bad:
        return write_page(request, "enter.html", status=HTTPStatus.FORBIDDEN, why=bad.why)
    response = web.Response(
        status=HTTPStatus.SEE_OTHER,
        headers={"Location": str(request.app.router["register"].url_for())},
    )
    response.set_cookie(
        cookie_name(secure=console.secure),
        session.cookie or "",
        max_age=int(SESSION_LIFETIME.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=console.secure,
    )
    return response


async def leave(request: web.Request) -> web.Response:
    console = request.config_dict[CONSOLE]
    async with console.db.write() as tx:
        await close_session(tx, session_of(request).login_id, console.clock())
    del request[SESSION]
    response = write_page(request, "left.html")
    response.del_cookie(
        cookie_name(secure=console.secure), httponly=True, samesite="Lax", secure=console.secure
    )
    return response

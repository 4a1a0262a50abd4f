"""Server-sent events: an open page hears the version of its area's register, or of its notice."""

from collections.abc import Awaitable, Callable

from aiohttp import ClientConnectionResetError, web

from handlers.console.broadcasts import read_version
from handlers.console.door import cookie_name
from handlers.console.frame import CONSOLE, session_of
from storage.database import Tx
from storage.outbox.broadcasts import access_broadcast
from storage.people.access import access_area
from storage.people.areas import AreaInfo
from storage.people.logins import find_session

NOTICE_EVERY = 2.0
"""Seconds between two looks at a notice that someone has open."""
HEARTBEAT = 15.0
"""Seconds of quiet after which the line, the session and the duty are looked at again."""


async def follow_register(request: web.Request) -> web.StreamResponse:
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    code = request.query.get("area", "")
    cookie = request.cookies[cookie_name(secure=console.secure)]
    async with console.db.read() as tx:
        area = await access_area(tx, officer, code)
    if area is None:
        raise web.HTTPNotFound
    stream = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    await stream.prepare(request)
    try:
        await stream.write(b"retry: 2000\n\n")
        async with console.live.follow(area) as follower:
            while True:
                version = await follower.next(HEARTBEAT)
                if version is not None:
                    await stream.write(f"event: version\ndata: {version}\n\n".encode())
                    continue
                if console.live.closed:
                    break
                async with console.db.read() as tx:
                    session = await find_session(tx, cookie, console.clock())
                    may = session is not None and await access_area(tx, officer, code)
                if not may:
                    await stream.write(b"event: ended\ndata:\n\n")
                    break
                await stream.write(b": still here\n\n")
    except ClientConnectionResetError:
        pass  # the page was closed
    return stream


async def follow_notice(request: web.Request) -> web.StreamResponse:
    """The version of one notice, while the session and the duty last."""
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    number = int(request.match_info["id"])
    async with console.db.read() as tx:
        sent = await access_broadcast(tx, officer, number)
        area = None if sent is None else await access_area(tx, officer, sent.area_code)
    if area is None:
        raise web.HTTPNotFound

    async def version(tx: Tx) -> str | None:
        sent = await access_broadcast(tx, officer, number)
        return None if sent is None else await read_version(tx, sent, console.clock().timestamp())

    return await follow(request, area, version)


async def follow(
    request: web.Request, area: AreaInfo, version: Callable[[Tx], Awaitable[str | None]]
) -> web.StreamResponse:
    """Say ``version`` whenever it is another, until it is None or the session is over."""
    console = request.config_dict[CONSOLE]
    cookie = request.cookies[cookie_name(secure=console.secure)]
    stream = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    await stream.prepare(request)
    told = None
    try:
        await stream.write(b"retry: 2000\n\n")
        async with console.live.follow(area) as follower:
            while not console.live.closed:
                async with console.db.read() as tx:
                    session = await find_session(tx, cookie, console.clock())
                    newest = None if session is None else await version(tx)
                if newest is None:
                    await stream.write(b"event: ended\ndata:\n\n")
                    break
                if newest != told:
                    told = newest
                    await stream.write(f"event: version\ndata: {newest}\n\n".encode())
                else:
                    await stream.write(b": still here\n\n")
                await follower.next(NOTICE_EVERY)
    except ClientConnectionResetError:
        pass  # the page was closed
    return stream

"""GET /chat/file/REF: a file of the visitor's own conversation."""

from typing import Final
from urllib.parse import quote

from aiohttp import web

from bot.channels.web.channel import WebChannel
from bot.channels.web.pictures import PICTURES, SOUNDS

_SHOWN: Final = PICTURES | SOUNDS


async def serve_file(channel: WebChannel, request: web.Request) -> web.StreamResponse:
    """404 for another's file as for one that is not there. Serves byte ranges, for sound."""
    visitor = await channel.visitors.find(request)
    file = await channel.conversations.find_file(request.match_info["ref"])
    if visitor is None or file is None or file.chat_id != visitor.chat_id:
        raise web.HTTPNotFound
    # Only what a browser shows as itself is shown in the page; the rest is saved to the device.
    shown = file.mime in _SHOWN and "download" not in request.query
    headers = {
        "Content-Type": file.mime if file.mime in _SHOWN else "application/octet-stream",
        "Content-Disposition": _disposition(file.name, shown=shown),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, max-age=86400, immutable",
        "Accept-Ranges": "bytes",
    }
    size = len(file.content)
    try:
        wanted = request.http_range
    except ValueError:
        raise web.HTTPRequestRangeNotSatisfiable from None
    if wanted.start is None and wanted.stop is None:
        return web.Response(body=file.content, headers=headers)
    start, stop, _step = slice(wanted.start, wanted.stop).indices(size)
    if start >= stop:
        raise web.HTTPRequestRangeNotSatisfiable
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return web.Response(status=206, body=file.content[start:stop], headers=headers)


def _disposition(name: str, *, shown: bool) -> str:
    kind = "inline" if shown else "attachment"
    return f"{kind}; filename*=UTF-8''{quote(name or 'file', safe='')}"

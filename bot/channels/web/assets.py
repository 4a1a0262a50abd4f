"""GET /chat/static/*: the page's own files, packed once, kept by browsers under their digest."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".png": "image/png",
}
_LEAST: Final = 400  # bytes; below, packing does not pay


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    packed: bytes
    mime: str
    digest: str


class Assets:
    """Every file of a folder, read at start."""

    def __init__(self, folder: Path, base: str) -> None:
        self._base = base
        self._assets = {
            path.name: _read(path) for path in folder.iterdir() if path.suffix in _TYPES
        }

    def address(self, name: str) -> str:
        """The file's address. Modules name each other plainly, so the digest is not in it: the
        browser asks with ``If-None-Match`` and mostly hears 304.
        """
        if name not in self._assets:
            raise KeyError(name)
        return f"{self._base}{name}"

    def serve(self, request: web.Request) -> web.Response:
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        headers = {
            "ETag": f'"{asset.digest}"',
            "Cache-Control": "public, max-age=300, stale-while-revalidate=86400",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        if asset.mime == "image/svg+xml":
            headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
        known = request.headers.get("If-None-Match", "")
        if asset.digest in known:
            return web.Response(status=304, headers=headers)
        body = asset.content
        if _takes_gzip(request) and len(asset.packed) < len(body):
            body, headers["Content-Encoding"] = asset.packed, "gzip"
        return web.Response(
            body=body, content_type=asset.mime, charset=_charset(asset.mime), headers=headers
        )

    def packed(self, request: web.Request, body: bytes, mime: str) -> web.Response:
        """A response made for this request only."""
        headers = {"Vary": "Accept-Encoding, Accept-Language, Cookie"}
        if _takes_gzip(request) and len(body) > _LEAST:
            body, headers["Content-Encoding"] = gzip.compress(body, 6, mtime=0), "gzip"
        return web.Response(body=body, content_type=mime, charset=_charset(mime), headers=headers)


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(
        content,
        gzip.compress(content, 9, mtime=0),
        _TYPES[path.suffix],
        hashlib.sha256(content).hexdigest()[:20],
    )


def _takes_gzip(request: web.Request) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _charset(mime: str) -> str | None:
    return None if mime == "image/png" else "utf-8"

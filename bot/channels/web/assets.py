"""GET /chat/static/BUILD/*: the page's own files, packed once, kept by browsers for good."""

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
    """Every file of a folder, read at start.

    Their addresses hold a digest of them all: modules name each other relatively, so a page's
    parts are always of one build.
    """

    def __init__(self, folder: Path, base: str) -> None:
        self._assets = {
            path.name: _read(path) for path in folder.iterdir() if path.suffix in _TYPES
        }
        digests = "".join(name + asset.digest for name, asset in sorted(self._assets.items()))
        self._build = hashlib.sha256(digests.encode()).hexdigest()[:12]
        self._base = f"{base}{self._build}/"

    def address(self, name: str) -> str:
        """The file's address in this build."""
        if name not in self._assets:
            raise KeyError(name)
        return f"{self._base}{name}"

    def serve(self, request: web.Request) -> web.Response:
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        headers = {
            "ETag": f'"{asset.digest}"',
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        if asset.mime == "image/svg+xml":
            headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
        if request.match_info["build"] == self._build:
            headers["Cache-Control"] = "public, max-age=31536000, immutable"
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

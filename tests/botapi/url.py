"""Addresses that buttons and links may carry."""

from __future__ import annotations

import re
from urllib.parse import urlsplit


def check_link(url: str) -> str:
    """The address, with a scheme. Raises ValueError where Telegram sees no address.

    A host needs a dot or must be an IPv6 address: `localhost` is refused, as Telegram does.
    """
    url = url.strip()
    if any(char.isspace() for char in url):
        raise ValueError("Wrong HTTP URL")
    if url.lower().startswith(("tg:", "ton:", "tonsite:")):
        return url
    if "://" not in url:
        if re.match(r"[A-Za-z]+:\D", url):
            raise ValueError("Unsupported URL protocol")
        url = f"http://{url}"
    parts = urlsplit(url)
    if parts.scheme.lower() not in {"http", "https"}:
        raise ValueError("Unsupported URL protocol")
    host = parts.hostname or ""
    if ":" not in host and "." not in host.strip("."):
        raise ValueError("Wrong HTTP URL")
    if not parts.path and not parts.query and not parts.fragment:
        url += "/"
    return url

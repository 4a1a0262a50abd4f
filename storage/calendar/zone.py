"""Time zones by their names, as rows hold them."""

from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FALLBACK: Final = "Asia/Shanghai"


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone of this name; that of most workers when the tz database does not know it.

    A name is checked at entry. But a database may come from a machine that knows more zones than
    this one, and then no page, and no tick, may fail for all.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(_FALLBACK)

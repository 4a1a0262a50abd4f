"""A date among a command's options."""

import re
from calendar import month_name, monthrange
from datetime import date
from typing import Final

_WRITTEN: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


def read_date(option: str, text: str) -> date:
    """The day ``text`` (``2027-02-06``). Raises ``Refused`` saying why there is none."""
    from storage.errors import Refused

    written = _WRITTEN.fullmatch(text.strip())
    if written is None:
        raise Refused(f"{option}: “{text}” is no day: write one like 2027-02-06")
    year, month, day = (int(part) for part in written.groups())
    if year == 0:
        raise Refused(f"{option}: {text} is no day: there is no year 0")
    if month not in range(1, 13):
        raise Refused(f"{option}: {text} is no day: months run from 01 to 12")
    longest = monthrange(year, month)[1]
    if day not in range(1, longest + 1):
        raise Refused(f"{option}: {text} is no day: {month_name[month]} {year} has {longest}")
    return date(year, month, day)

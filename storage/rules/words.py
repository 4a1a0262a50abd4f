"""How a rule's values are written: ``2 weeks``, ``first sunday``, ``72h``, ``30d``, ``10:00``.

Each reader takes what a file or a form gives, whatever it is, and returns the value or raises
:class:`Miswritten` with the sentence that says what to write instead. Each writer gives what its
reader reads.
"""

import re
from datetime import date, datetime, time
from difflib import get_close_matches
from typing import Final

from storage.calendar.recurrence import Hours, MonthDays, MonthWeekdays, Weeks

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NTH: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_NTH_WORDS: Final = {n: word for word, n in _NTH.items()}

_EVERY = re.compile(r"(?:(-?[0-9]{1,9}) *)?(week|month|day|year)s?")
_SPAN = re.compile(r"(-?[0-9]{1,9}) ?(h|d)")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Miswritten(ValueError):
    """A value that is not written as it should be; the message says how it is."""


def shown(value: object) -> str:
    """The value as it may stand in a sentence."""
    try:
        text = on_one_line(str(value).lower() if isinstance(value, bool) else str(value))
    except ValueError:  # Python writes no number of more than some thousand digits
        text = "a number without end"
    return f"“{text}”" if len(text) <= 40 else f"“{text[:39]}…”"


def on_one_line(text: str) -> str:
    """What cannot be printed, such as the end of a line, as its escape."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def suggest(word: str, known: "list[str] | tuple[str, ...]") -> str:
    """“did you mean …?”, or nothing."""
    near = get_close_matches(word.strip().lower(), known, n=1)
    return f"did you mean {near[0]}?" if near else ""


def read_word(value: object) -> str:
    """A short text."""
    if not isinstance(value, str):
        raise Miswritten(f"give a text in quotes, not {shown(value)}.")
    return value


def read_list(value: object) -> list[object]:
    """A list; one value alone is a list of one."""
    return value if isinstance(value, list) else [value]


def read_number(value: object) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Miswritten(f"give a whole number, not {shown(value)}.")
    if abs(value) > 1_000_000:
        raise Miswritten(f"{shown(value)} is too large.")
    return value


def read_every(value: object) -> tuple[int, str]:
    """``2 weeks``: how many, and ``week`` or ``month``."""
    found = _EVERY.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if not found or found[2] in {"day", "year"}:
        raise Miswritten(f"write it as “1 week” or “3 months”, not {shown(value)}.")
    return int(found[1] or 1), found[2]


def every_words(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"


def read_hours(value: object) -> int:
    """``72h`` or ``3d``, in hours."""
    count, unit = _span(value, "72h or 3d")
    return count * 24 if unit == "d" else count


def read_days(value: object) -> int:
    """``30d``, in days."""
    count, unit = _span(value, "30d")
    if unit != "d":
        raise Miswritten(f"write it in days, as 30d, not {shown(value)}.")
    return count


def _span(value: object, example: str) -> tuple[int, str]:
    found = _SPAN.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if not found:
        raise Miswritten(f"write it as {example}, in quotes, not {shown(value)}.")
    return int(found[1]), found[2]


def read_time(value: object) -> time:
    """``10:00``, or a time as TOML writes it."""
    if isinstance(value, time):
        return value
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise Miswritten(f"write the time as 10:00, not {shown(value)}.")
    hour, minute = int(found[1]), int(found[2])
    if hour > 23 or minute > 59:
        raise Miswritten(f"there is no time {shown(value)}: they run from 00:00 to 23:59.")
    return time(hour, minute)


def read_between(value: object) -> tuple[time, time]:
    """``["08:00", "21:00"]``."""
    if not isinstance(value, list) or len(value) != 2:
        raise Miswritten(f"give two times, as [“08:00”, “21:00”], not {shown(value)}.")
    return read_time(value[0]), read_time(value[1])


def between_words(hours: Hours) -> list[str]:
    return [f"{hours.opens:%H:%M}", f"{hours.closes:%H:%M}"]


def read_date(value: object) -> date:
    """``2026-12-06``, in quotes or not."""
    if isinstance(value, datetime):
        raise Miswritten(f"give a date without a time, not {shown(value)}.")
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise Miswritten(f"there is no day {shown(value)} in the calendar.") from None
    raise Miswritten(f"write the date as 2026-12-06, not {shown(value)}.")


def read_weekday(value: object) -> int:
    """``sunday`` or ``sun``; 0 is Monday."""
    word = value.strip().lower() if isinstance(value, str) else ""
    for number, name in enumerate(WEEKDAYS):
        if word in {name, name[:3]}:
            return number
    hint = suggest(word, WEEKDAYS) or "give monday to sunday."
    raise Miswritten(f"{shown(value)} is not a weekday: {hint}")


def read_nth_weekday(value: object) -> tuple[int, int]:
    """``first sunday``: which, and the weekday."""
    words = value.split() if isinstance(value, str) else []
    if len(words) != 2:
        raise Miswritten(f"in a rule by months write “first sunday” or a day, not {shown(value)}.")
    if words[0].lower() not in _NTH:
        known = ", ".join(_NTH)
        raise Miswritten(f"{shown(words[0])} is none of {known}.")
    return _NTH[words[0].lower()], read_weekday(words[1])


def read_on(value: object) -> object:
    """What may stand in ``on`` of any rule: a weekday, a month's, or a day of the month."""
    if isinstance(value, str):
        return read_nth_weekday(value) if " " in value.strip() else read_weekday(value)
    return read_number(value)


def on_words(when: Weeks | MonthDays | MonthWeekdays) -> list[object]:
    if isinstance(when, Weeks):
        return [WEEKDAYS[weekday] for weekday in when.weekdays]
    if isinstance(when, MonthDays):
        return list(when.days)
    return [f"{_NTH_WORDS[n]} {WEEKDAYS[weekday]}" for n, weekday in when.weekdays]

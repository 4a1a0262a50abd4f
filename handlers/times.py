"""Times of day as people write them: 20:00, 8pm, 晚上8点, 凌晨一点, and spans of two of them."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_DIGITS: Final = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
}
_NUMBER: Final = re.compile("[〇零一二两三四五六七八九十]+")
_AROUND: Final = re.compile(
    r"^(?:(?:it'?s|it is|at|about|around|from|between|现在是?|大概|大约|差不多|从|每天|在) ?)+"
    r"| ?(?:左右|吧|now)$"
)
_TO: Final = re.compile(r" ?(?:到|至|[-–—~]|to|until|till|and) ?")
_TIME: Final = re.compile(
    r"(?:(?P<part>凌晨|清晨|早上|早晨|早|上午|中午|下午|午后|傍晚|晚上|晚|夜里|半夜) ?)?"
    r"(?P<hour>\d{1,2})"
    r"(?:[:.](?P<minute>\d{2})|[点點时時]钟?整?(?:(?P<half>半)|(?P<quarter>[13])刻|(?P<more>\d{1,2})分?)?)?"
    r" ?(?:(?P<noon>[ap])\.?m\.?|o'?clock)?"
)
_NOON: Final = frozenset({"noon", "midday", "中午", "正午"})
_MORNING: Final = frozenset({"凌晨", "清晨", "早上", "早晨", "早", "上午", "a"})
_NIGHT: Final = frozenset({"夜里", "半夜", "晚上", "晚"})
_HALF_DAY: Final = 12 * 60
_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class TimeSaid:
    """``minutes`` after midnight that may be meant: two where the half of the day is not said.

    ``exact`` where the minute was said as well as the hour.
    """

    minutes: tuple[int, ...]
    exact: bool


def read_time(text: str) -> TimeSaid | None:
    """The time of day that a text names and nothing besides, or ``None``."""
    return _time(_plain(text))


def read_span(text: str) -> tuple[TimeSaid, TimeSaid] | None:
    """Two times of day, from and until, or ``None``."""
    ends = _TO.split(_plain(text))
    if len(ends) != 2:
        return None
    start, end = map(_time, ends)
    return None if start is None or end is None else (start, end)


def _plain(text: str) -> str:
    said = " ".join(unicodedata.normalize("NFKC", text).strip(" 。．.!！~～?？").lower().split())
    said = _NUMBER.sub(lambda found: str(_number(found[0])), said.replace("’", "'"))
    return _AROUND.sub("", said)


def _number(said: str) -> int:
    """十二 is 12, 二十 is 20, 零五 is 5."""
    tens, ten, ones = said.rpartition("十")
    number = (_digits(tens) if tens else 1) * 10 if ten else 0
    return number + _digits(ones)


def _digits(said: str) -> int:
    return int("".join(str(_DIGITS.get(sign, 0)) for sign in said) or "0")


def _time(said: str) -> TimeSaid | None:
    if said in _NOON:
        return TimeSaid((_HALF_DAY,), False)
    found = _TIME.fullmatch(said)
    if found is None:
        return None
    hour, minute = int(found["hour"]), _minute(found)
    if hour > 24 or minute > 59:
        return None
    part = found["part"] or found["noon"]
    if part is None:
        twofold = 1 <= hour <= 12 and not found["hour"].startswith("0")
        hours = (hour % 24, (hour + 12) % 24) if twofold else (hour % 24,)
    else:
        hours = (_in_part(part, hour),)
    exact = any(found[name] for name in ("minute", "half", "quarter", "more"))
    return TimeSaid(tuple(each * 60 + minute for each in hours), exact)


def _minute(found: re.Match[str]) -> int:
    if found["half"]:
        return 30
    if found["quarter"]:
        return int(found["quarter"]) * 15
    return int(found["minute"] or found["more"] or 0)


def _in_part(part: str, hour: int) -> int:
    """The hour of twenty-four that an hour in a part of the day is."""
    if hour > 12:
        return hour % 24
    if part in _MORNING:
        return hour % 12 if part in {"凌晨", "a"} else hour
    if part in _NIGHT:
        return hour + 12 if 5 <= hour < 12 else hour % 12
    return hour if part == "中午" and hour >= 10 else hour % 12 + 12


def apart(one: int, other: int) -> int:
    """How many minutes lie between two times of day, the shorter way round."""
    span = abs(one - other) % _DAY
    return min(span, _DAY - span)

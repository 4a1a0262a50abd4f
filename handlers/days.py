"""Days as people write them: read in Chinese and English, in full or in part, and written out."""

import calendar
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from aiogram.utils.i18n import get_i18n
from babel.dates import format_date

from storage.calendar.almanac import YEARS, days_in

_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_YEARS: Final = {"今年": 0, "明年": 1, "后年": 2, "去年": -1, "前年": -2}
_NEAR: Final = {
    "today": 0,
    "今天": 0,
    "今日": 0,
    "tomorrow": 1,
    "明天": 1,
    "后天": 2,
    "yesterday": -1,
    "昨天": -1,
    "前天": -2,
}
_DIGITS: Final = {sign: str(value) for value, sign in enumerate("〇一二三四五六七八九")} | {
    "零": "0"
}
_SIGNS: Final = "[〇零一二三四五六七八九十廿卅]+"
_CHINESE: Final = re.compile(f"{_SIGNS}(?=[年月日号])|(?<=月){_SIGNS}|(?<=月初){_SIGNS}")
_RATHER: Final = re.compile(
    r"^(?:(?:no|sorry)\b[,. ]*|(?:不|不是)[,. ]+|(?:不对|错了)[,. ]*|应该是|是)(?=\S)"
)
"""How a day begins that corrects another."""
_LUNAR: Final = re.compile(
    r"(?:(?:农历|阴历) ?(?P<month>\d{1,2}|[正冬腊])|(?P<name>[正冬腊]))"
    r"月(?:初(?P<early>\d{1,2})|(?P<day>\d{1,2}))[日号]?"
)
_LUNAR_MONTHS: Final = {"正": 1, "冬": 11, "腊": 12}
_NAMED: Final = "|".join(_MONTHS)
_MONTH: Final = rf"(?P<name>{_NAMED})[a-z]*\.?"
_FORMS: Final = tuple(
    re.compile(form)
    for form in (
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
        r"(?P<year>\d{4}) ?[-/.年] ?(?P<month>\d{1,2})"
        r"(?: ?[-/.月] ?(?P<day>\d{1,2}) ?[日号]?| ?月)?",
        rf"(?P<word>{'|'.join(_YEARS)}) ?(?P<month>\d{{1,2}}) ?月"
        r"(?: ?(?P<day>\d{1,2}) ?[日号]?)?",
        r"(?P<short>\d{2}) ?年 ?(?P<month>\d{1,2}) ?月(?: ?(?P<day>\d{1,2}) ?[日号]?)?",
        r"(?P<short>[2-4]\d)(?P<between>[-/.])(?P<month>\d{1,2})(?P=between)(?P<day>[01]?\d)",
        r"(?P<month>\d{1,2})-(?P<day>\d{1,2})",
        r"(?P<month>\d{1,2}) ?月 ?(?P<day>\d{1,2}) ?[日号]?",
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? (?P<year>\d{{4}}))?",
        rf"{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<year>\d{{4}}))?",
        rf"{_MONTH} (?P<year>\d{{4}})",
    )
)
_LOOKS: Final = re.compile(rf"\d|[年月日号]|\b(?:{_NAMED})[a-z]*\b")
_LEFT: Final = 6
"""So many letters besides those of a day are still a way of saying one."""


@dataclass(frozen=True, slots=True)
class NoSuchDay:
    """A month has no such day; ``days`` is how many it has, 0 where there is no such month."""

    year: int
    month: int
    day: int
    days: int


@dataclass(frozen=True, slots=True)
class OnlyMonth:
    """A month without a day."""

    year: int
    month: int


def read_day(text: str, today: date, *, behind: bool) -> date | OnlyMonth | NoSuchDay | None:
    """The day a text names, as far as it does; None when it names none that is sure.

    Without a year it is the next such day from ``today`` on, or the last one where the date asked
    for lies ``behind``.
    """
    said = _plain(text)
    if said in _NEAR:
        return today + timedelta(days=_NEAR[said])
    for form in _FORMS:
        found = form.fullmatch(said)
        if found:
            return _day(found.groupdict(), today, behind=behind)
    lunar = _LUNAR.fullmatch(said)
    return _lunar_day(lunar, today, behind=behind) if lunar else None


def looks_like_day(text: str) -> bool:
    """Whether it is about a day at all, and not something else that somebody wants to say."""
    said = _plain(text)
    left = re.sub(r"[\W\d_]", "", _LOOKS.sub("", said))
    return _LOOKS.search(said) is not None and len(left) <= _LEFT


def _plain(text: str) -> str:
    said = " ".join(unicodedata.normalize("NFKC", text).strip(" 。．.!！~～").lower().split())
    return _CHINESE.sub(lambda found: _number(found[0]), _RATHER.sub("", said))


def _number(said: str) -> str:
    """二〇二七 is 2027, 二十五 is 25, 十 is 10."""
    said = said.replace("廿", "二十").replace("卅", "三十")
    if "十" not in said:
        return "".join(_DIGITS[sign] for sign in said)
    tens, _, ones = said.partition("十")
    return (_DIGITS.get(tens, "1") if tens else "1") + (_DIGITS.get(ones, "0") if ones else "0")


def _day(
    parts: dict[str, str | None], today: date, *, behind: bool
) -> date | OnlyMonth | NoSuchDay | None:
    name = parts.get("name")
    month = _MONTHS.index(name) + 1 if name else int(parts.get("month") or 0)
    written, word = parts.get("year"), parts.get("word")
    year = int(written) if written else None
    if short := parts.get("short"):
        year = 2000 + int(short)
    if word:
        year = today.year + _YEARS[word]
    if year is not None and not 1900 <= year <= 2199:
        return None
    number = parts.get("day")
    if not 1 <= month <= 12:
        return NoSuchDay(year or today.year, month, int(number or 1), 0)
    if number is None:
        return OnlyMonth(year or today.year, month)
    if year is not None:
        return _in(year, month, int(number))
    return _without_year(month, int(number), today, behind=behind)


def _in(year: int, month: int, day: int) -> date | NoSuchDay:
    days = calendar.monthrange(year, month)[1]
    return date(year, month, day) if 1 <= day <= days else NoSuchDay(year, month, day, days)


def _without_year(month: int, day: int, today: date, *, behind: bool) -> date | NoSuchDay:
    tried: Iterator[date | NoSuchDay] = (
        _in(today.year + (-step if behind else step), month, day) for step in range(9)
    )
    for found in tried:
        if isinstance(found, date) and (found <= today if behind else found >= today):
            return found
    # A month that is still to come, or the last that was.
    passed = month > today.month if behind else month < today.month
    return _in(today.year + (-passed if behind else passed), month, day)


def _lunar_day(found: re.Match[str], today: date, *, behind: bool) -> date | None:
    """The next such day of the Chinese calendar, or the last."""
    name = found["month"] or found["name"]
    month = _LUNAR_MONTHS.get(name) or int(name)
    day = int(found["early"] or found["day"])
    if not 1 <= month <= 12 or not 1 <= day <= 30 or (found["early"] and day > 10):
        return None
    near = [year for year in range(today.year - 1, today.year + 3) if year in YEARS]
    days = [each for year in near for each in days_in(year, f"lunar {month:02}-{day:02}")]
    if behind:
        return max((each for each in days if each <= today), default=None)
    return min((each for each in days if each >= today), default=None)


def day_words(day: date) -> str:
    """The day in the current language, with its year."""
    return format_date(day, "long", locale=get_i18n().current_locale)


def month_words(year: int, month: int) -> str:
    """The month in the current language, with its year."""
    pattern = "y年M月" if get_i18n().current_locale == "zh" else "MMMM y"
    return format_date(date(year, month, 1), pattern, locale=get_i18n().current_locale)


def month_name(month: int) -> str:
    """The month alone, as short as it stands on a button."""
    pattern = "M月" if get_i18n().current_locale == "zh" else "MMM"
    return format_date(date(2000, month, 1), pattern, locale=get_i18n().current_locale)

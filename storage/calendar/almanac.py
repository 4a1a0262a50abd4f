"""The calendar people live by: festivals, lunar dates, solar terms and fixed days, 1950 to 2100.

A day is written as

- a name of :data:`NAMED`: ``spring-festival``, ``qingming`` …,
- ``lunar MM-DD``: of a month that comes twice the first counts, not the leap month; day 30 of a
  month of 29 days is its last day,
- ``MM-DD``: of the Gregorian year; 29 February is the 28th in a common year.

The Chinese calendar is reckoned in Beijing's civil time (UTC+8) wherever people are. The *date*
that comes out is then a date of each person's own zone: Spring Festival 2027 is 6 February in
Madrid too, from midnight to midnight there.

``lunar_years.csv`` holds a row for each lunar year: the day it begins, which month is followed by
a leap month, the months from the first to the last (``L`` has 30 days, ``S`` 29), and the days of
two solar terms of the Gregorian year. It is data, not code, because no arithmetic short of an
ephemeris gets every year right (2027 and 2030 are where many fail), and because a library would be
a thing to import for 152 facts. ``tests/test_almanac.py`` works out every month and both terms anew
from the positions of moon and sun. One new moon is too near to midnight for anyone to tell today:
that of 28 or 29 September 2057, which the tables of JPL's ephemerides put on the 29th.
"""

import calendar
import csv
import re
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib import resources
from typing import Final

YEARS: Final = range(1950, 2101)
"""The Gregorian years of which every day is known."""

NAMED: Final = {
    "new-year": "01-01",
    "labour-day": "05-01",
    "national-day": "10-01",
    "spring-festival": "lunar 01-01",
    "lantern": "lunar 01-15",
    "dragon-boat": "lunar 05-05",
    "qixi": "lunar 07-07",
    "ghost": "lunar 07-15",
    "mid-autumn": "lunar 08-15",
    "double-ninth": "lunar 09-09",
    "laba": "lunar 12-08",
    # The north keeps it on the 23rd. Where it is kept on the 24th: "lunar 12-24".
    "little-new-year": "lunar 12-23",
    # The last day of the year, whether its last month has 30 days or 29.
    "new-years-eve": "lunar 12-30",
    "qingming": "term qingming",
    "winter-solstice": "term winter-solstice",
}
"""Days with a name, by code. Other fixed days, such as 29 May, need no name: ``05-29``."""

_FORMS: Final = (
    "give a name such as spring-festival, a day such as 05-29, or a lunar day such as lunar 08-15."
)
_WRITTEN = re.compile(r"(?:(lunar) +)?([0-9]{2})-([0-9]{2})")


@dataclass(frozen=True, slots=True)
class _LunarYear:
    starts: date
    months: dict[int, tuple[date, int]]  # first day and length; without the leap month
    qingming: date
    winter_solstice: date


@cache
def _lunar_years() -> dict[int, _LunarYear]:
    text = resources.files(__package__).joinpath("lunar_years.csv").read_text(encoding="utf-8")
    return {int(row["year"]): _lunar_year(row) for row in csv.DictReader(text.splitlines())}


def _lunar_year(row: dict[str, str]) -> _LunarYear:
    def on(column: str) -> date:
        return date.fromisoformat(f"{row['year']}-{row[column]}")

    day, leap = on("spring_festival"), int(row["leap_month"] or 0)
    months: dict[int, tuple[date, int]] = {}
    for place, length in enumerate(row["months"]):
        # The leap month bears the number of the one before it, which came first and counts.
        number = place if leap and place >= leap else place + 1
        days = 30 if length == "L" else 29
        months.setdefault(number, (day, days))
        day += timedelta(days=days)
    return _LunarYear(on("spring_festival"), months, on("qingming"), on("winter_solstice"))


def check_day(day: str) -> None:
    """Raise ValueError, in a sentence, unless ``day`` is written as a day of the almanac."""
    if day in NAMED:
        return
    written = _WRITTEN.fullmatch(day)
    if not written:
        near = get_close_matches(day.strip().lower(), NAMED, n=1)
        hint = f"did you mean “{near[0]}”?" if near else _FORMS
        raise ValueError(f"“{_short(day)}” is not a day of the almanac: {hint}")
    lunar, month, number = written[1] is not None, int(written[2]), int(written[3])
    if not 1 <= month <= 12:
        raise ValueError(f"There is no month {written[2]}: months run from 01 to 12.")
    longest = 30 if lunar else calendar.monthrange(2024, month)[1]  # 2024 had a 29 February
    if not 1 <= number <= longest:
        whose = "a lunar month" if lunar else calendar.month_name[month]
        raise ValueError(
            f"There is no day {written[3]} in {whose}: its days run from 01 to {longest}."
        )


def days_in(year: int, day: str) -> tuple[date, ...]:
    """The dates on which ``day`` falls in the Gregorian ``year``, in order.

    Almost always one. A lunar day near the turn of the year may come twice in one year and not at
    all in the next: laba was on 10 January and on 30 December 2022, and not in 2023.

    Raises ValueError for a year outside :data:`YEARS` and a day that is none.
    """
    if year not in YEARS:
        raise ValueError(
            f"The almanac knows the years {YEARS.start} to {YEARS.stop - 1}, not {year}."
        )
    check_day(day)
    return _days_in(year, NAMED.get(day, day))


@lru_cache(maxsize=1024)
def _days_in(year: int, written: str) -> tuple[date, ...]:
    if written == "term qingming":
        return (_lunar_years()[year].qingming,)
    if written == "term winter-solstice":
        return (_lunar_years()[year].winter_solstice,)
    month, number = int(written[-5:-3]), int(written[-2:])
    if not written.startswith("lunar"):
        return (date(year, month, min(number, calendar.monthrange(year, month)[1])),)
    # The lunar year that begins in this one, and the end of the one before.
    dates = (_lunar_day(which, month, number) for which in (year - 1, year))
    return tuple(found for found in dates if found.year == year)


def _lunar_day(year: int, month: int, number: int) -> date:
    first, length = _lunar_years()[year].months[month]
    return first + timedelta(days=min(number, length) - 1)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"

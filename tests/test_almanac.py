"""The calendar people live by: against dates everybody knows, and against moon and sun."""

import itertools
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from storage.calendar.almanac import NAMED, YEARS, check_day, days_in
from tests.sky import moon_near, sun_at

# The new moon is so near to midnight that nobody can tell today; see storage/calendar/almanac.py.
UNDECIDED = {date(2057, 9, 29)}


def day_in(year: int, day: str) -> date:
    """The first, if it comes twice in a year."""
    return days_in(year, day)[0]


@pytest.mark.parametrize(
    ("code", "dates"),
    [
        (
            "spring-festival",
            "1950-02-17 1966-01-21 1976-01-31 1985-02-20 1989-02-06 1997-02-07 2000-02-05 "
            "2008-02-07 2012-01-23 2015-02-19 2018-02-16 2019-02-05 2020-01-25 2021-02-12 "
            "2022-02-01 2023-01-22 2024-02-10 2025-01-29 2026-02-17 2027-02-06 2028-01-26 "
            "2029-02-13 2030-02-03 2031-01-23 2032-02-11 2033-01-31 2034-02-19 2050-01-23 "
            "2057-02-04 2100-02-09",
        ),
        ("new-years-eve", "2022-01-31 2023-01-21 2024-02-09 2025-01-28 2026-02-16 2027-02-05"),
        ("little-new-year", "2023-01-14 2024-02-02 2025-01-22 2026-02-10"),
        ("lantern", "2022-02-15 2023-02-05 2024-02-24 2025-02-12 2026-03-03 2027-02-20"),
        (
            "qingming",
            "2020-04-04 2021-04-04 2022-04-05 2023-04-05 2024-04-04 2025-04-04 2026-04-05",
        ),
        ("dragon-boat", "2013-06-12 2020-06-25 2022-06-03 2023-06-22 2024-06-10 2025-05-31"),
        ("qixi", "2020-08-25 2022-08-04 2023-08-22 2024-08-10 2025-08-29"),
        ("ghost", "2022-08-12 2023-08-30 2024-08-18 2025-09-06"),
        ("mid-autumn", "1978-09-17 2020-10-01 2022-09-10 2023-09-29 2024-09-17 2025-10-06"),
        ("double-ninth", "2022-10-04 2023-10-23 2024-10-11 2025-10-29"),
        ("winter-solstice", "2020-12-21 2021-12-21 2022-12-22 2023-12-22 2024-12-21 2025-12-21"),
        ("laba", "2024-01-18 2025-01-07 2026-01-26"),
        ("new-year", "2026-01-01"),
        ("labour-day", "2026-05-01"),
        ("national-day", "2026-10-01"),
        ("05-29", "2026-05-29"),
        ("07-11", "2026-07-11"),
        ("02-29", "2027-02-28 2028-02-29 2100-02-28"),
        ("lunar 08-15", "2025-10-06"),
        ("lunar 12-24", "2026-02-11"),
    ],
)
def test_days_everybody_knows(code: str, dates: str) -> None:
    known = [date.fromisoformat(day) for day in dates.split()]
    assert [day_in(day.year, code) for day in known] == known


def test_every_lunar_month_begins_with_the_new_moon() -> None:
    firsts = [f"lunar {month:02}-01" for month in range(1, 13)]
    starts = sorted({day for year in YEARS for first in firsts for day in days_in(year, first)})
    wrong = {day for day in starts if moon_near(day).date() != day}
    assert wrong == UNDECIDED
    for day, following in itertools.pairwise(starts):
        months, days = divmod((following - day).days, 29)
        assert months in {1, 2}, "a leap month at most lies between"
        assert days in range(months + 1)


def test_leap_months_hold_no_major_term() -> None:
    """The rule of the calendar (GB/T 33661-2017), worked out from the sky instead of the table.

    The eleventh month holds the winter solstice. Where thirteen months lie between two eleventh
    months, the first of them without a major term is the leap month.
    """
    for year in range(1951, 2100):
        moons = list(_moons(day_in(year - 1, "winter-solstice"), day_in(year, "winter-solstice")))
        terms = [_term(which, at) for which in (year - 1, year) for at in range(0, 360, 30)]
        number, leap = 10, len(moons) == 14
        for moon, following in itertools.pairwise(moons):
            if leap and not any(moon <= term < following for term in terms):
                leap = False
                continue
            number = number % 12 + 1
            first = date(2057, 9, 29) if moon == date(2057, 9, 28) else moon
            assert first in days_in(first.year, f"lunar {number:02}-01"), (year, number)
        assert number == 10
        assert not leap


def _moons(solstice: date, following: date) -> Iterator[date]:
    """The first days of the months from one solstice's to the next one's."""
    moon = moon_near(solstice).date()
    if moon > solstice:
        moon = moon_near(moon - timedelta(days=29)).date()
    while moon <= following:
        yield moon
        moon = moon_near(moon + timedelta(days=30)).date()


def _term(year: int, longitude: int) -> date:
    if longitude == 270:
        return day_in(year, "winter-solstice")
    return sun_at(year, longitude).date()


@pytest.mark.parametrize(("code", "longitude"), [("qingming", 15), ("winter-solstice", 270)])
def test_solar_terms_are_where_the_sun_is(code: str, longitude: int) -> None:
    for year in YEARS:
        day = day_in(year, code)
        noon = datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001  # in Beijing's time
        # To the quarter of an hour that the test's sun is right to.
        assert abs(sun_at(year, longitude) - noon) < timedelta(hours=12, minutes=15), year


def test_festivals_keep_their_season_and_moon() -> None:
    for year in YEARS:
        festival = day_in(year, "spring-festival")
        assert date(year, 1, 21) <= festival <= date(year, 2, 21)
        assert day_in(year, "lantern") - festival == timedelta(days=14)
        assert day_in(year, "new-years-eve") == festival - timedelta(days=1)
        assert (festival - day_in(year, "little-new-year")).days in {7, 8}
        full = moon_near(day_in(year, "mid-autumn"), full=True).date()
        assert (full - day_in(year, "mid-autumn")).days in {-1, 0, 1, 2}


def test_a_lunar_day_may_come_twice_a_year_or_not_at_all() -> None:
    assert days_in(2022, "laba") == (date(2022, 1, 10), date(2022, 12, 30))
    assert days_in(2023, "laba") == ()
    # Over the years, each lunar year has its own.
    every = [day for year in YEARS for day in days_in(year, "laba")]
    years = {(later - day).days for day, later in itertools.pairwise(every)}
    assert years <= {353, 354, 355, 383, 384, 385}
    assert len(every) == 151


def test_the_first_of_two_months_counts() -> None:
    # 2025 had a sixth month and a leap sixth month, 2023 a second.
    assert day_in(2025, "lunar 06-15") == date(2025, 7, 9)
    assert day_in(2023, "lunar 02-01") == date(2023, 2, 20)
    assert day_in(2033, "lunar 11-15") == date(2033, 12, 6)


def test_day_thirty_of_a_short_month_is_its_last() -> None:
    assert day_in(2027, "lunar 12-30") == day_in(2027, "spring-festival") - timedelta(days=1)
    assert day_in(2022, "lunar 12-30") == day_in(2022, "lunar 12-29")  # the month had 29 days


@given(some.sampled_from(YEARS), some.integers(1, 12), some.integers(1, 30))
def test_every_lunar_day_is_in_its_month(year: int, month: int, number: int) -> None:
    for day in days_in(year, f"lunar {month:02}-{number:02}"):
        first = moon_near(day - timedelta(days=number - 1)).date()
        assert day.year == year
        assert (day - first).days in {number - 1, 28 if number == 30 else number - 1} or (
            first == date(2057, 9, 28)
        )


@pytest.mark.parametrize("year", [1949, 2101, 0, -1, 10_000])
def test_years_beyond_are_refused(year: int) -> None:
    with pytest.raises(ValueError, match=f"knows the years 1950 to 2100, not {year}"):
        days_in(year, "spring-festival")


@pytest.mark.parametrize("code", NAMED)
def test_every_name_has_its_days_in_the_first_year_and_the_last(code: str) -> None:
    check_day(code)
    for year in (1950, 2027, 2100):
        assert all(day.year == year for day in days_in(year, code))
    assert sum(len(days_in(year, code)) for year in YEARS) == 151


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ("02-30", "no day 30 in February: its days run from 01 to 29"),
        ("04-31", "no day 31 in April"),
        ("05-00", "no day 00 in May"),
        ("13-01", "no month 13"),
        ("lunar 13-01", "no month 13"),
        ("lunar 08-31", "no day 31 in a lunar month: its days run from 01 to 30"),
        ("spring-festval", "did you mean “spring-festival”"),
        ("Mid-Autumn", "did you mean “mid-autumn”"),
        ("5-29", "give a name such as"),
        ("", "give a name such as"),
        ("term qingming", "is not a day of the almanac"),
        ("x" * 1000, "xxx…"),
    ],
)
def test_what_is_no_day_is_refused(day: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        check_day(day)
    with pytest.raises(ValueError, match=why):
        days_in(2026, day)

"""Weeks and months of a zone: nothing twice, nothing left out."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import Refused
from storage.register.periods import (
    BadPeriod,
    month_of,
    parse_period,
    start_of_day,
    week_of,
    weeks_back,
)

_FIRST = datetime(1971, 1, 1, tzinfo=UTC)
_SECONDS = int((datetime(2200, 1, 1, tzinfo=UTC) - _FIRST).total_seconds())
instants = st.integers(0, _SECONDS).map(lambda seconds: _FIRST + timedelta(seconds=seconds))
zones = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))


@given(instants, zones)
def test_every_instant_is_in_one_week_and_one_month(now: datetime, zone: str) -> None:
    for of in (week_of, month_of):
        period = of(now, zone)
        assert period.start <= now < period.end
        tick = timedelta(microseconds=1)
        before, after = of(period.start - tick, zone), of(period.end, zone)
        assert before.end == period.start
        assert after.start == period.end
        assert of(period.start, zone) == of(period.end - tick, zone) == period
        assert parse_period(period.key, zone) == period
        assert before.key < period.key < after.key


@given(instants, zones)
def test_weeks_are_seven_local_days_from_monday(now: datetime, zone: str) -> None:
    week = week_of(now, zone)
    year, number = (int(part) for part in week.key.split("-W"))
    monday = date.fromisocalendar(year, number, 1)
    assert week.start == start_of_day(monday, ZoneInfo(zone))
    assert week.end == start_of_day(monday + timedelta(days=7), ZoneInfo(zone))
    # Clocks move by some hours; once, in Samoa, by a day.
    assert abs(week.end - week.start - timedelta(days=7)) <= timedelta(days=1)


@given(instants, zones, st.integers(1, 60))
def test_weeks_back_run_without_gaps_up_to_now(now: datetime, zone: str, n: int) -> None:
    weeks = weeks_back(now, zone, n)
    assert len(weeks) == n
    assert weeks[-1] == week_of(now, zone)
    assert all(earlier.end == later.start for earlier, later in pairwise(weeks))


@pytest.mark.parametrize(
    ("key", "zone", "start", "end"),
    [
        ("2026-W47", "Asia/Shanghai", "2026-11-15T16:00Z", "2026-11-22T16:00Z"),
        ("2026-11", "Asia/Shanghai", "2026-10-31T16:00Z", "2026-11-30T16:00Z"),
        ("2026-W53", "UTC", "2026-12-28T00:00Z", "2027-01-04T00:00Z"),
        ("2020-W01", "UTC", "2019-12-30T00:00Z", "2020-01-06T00:00Z"),
        ("2026-12", "UTC", "2026-12-01T00:00Z", "2027-01-01T00:00Z"),
        ("2024-02", "UTC", "2024-02-01T00:00Z", "2024-03-01T00:00Z"),
        # An hour short, and an hour long.
        ("2026-W13", "Europe/Madrid", "2026-03-22T23:00Z", "2026-03-29T22:00Z"),
        ("2026-W43", "Europe/Madrid", "2026-10-18T22:00Z", "2026-10-25T23:00Z"),
        # Midnight comes twice on 1 November: the first one counts.
        ("2026-10", "America/Havana", "2026-10-01T04:00Z", "2026-11-01T04:00Z"),
    ],
)
def test_a_period_is_cut_in_its_zone(key: str, zone: str, start: str, end: str) -> None:
    period = parse_period(key, zone)
    assert period.start == datetime.fromisoformat(start)
    assert period.end == datetime.fromisoformat(end)
    assert period.start.tzinfo is UTC
    assert parse_period(f" {key}\n", ZoneInfo(zone)) == period


def test_midnight_that_is_skipped_is_when_the_clock_would_have_shown_it() -> None:
    cairo = ZoneInfo("Africa/Cairo")  # 24 April 2026 begins at 01:00
    start = start_of_day(date(2026, 4, 24), cairo)
    assert start == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert (start - timedelta(microseconds=1)).astimezone(cairo).date() == date(2026, 4, 23)


def test_where_the_old_day_comes_back_the_new_one_has_begun() -> None:
    # St John's put its clocks back at 00:01: 23:01 to 24:00 of Sunday came twice.
    zone = ZoneInfo("America/St_Johns")
    change = datetime(2010, 11, 7, 2, 31, tzinfo=UTC)
    assert change.astimezone(zone).strftime("%a %H:%M") == "Sat 23:01"
    november = datetime(2009, 11, 1, 2, 45, tzinfo=UTC)
    assert november.astimezone(zone).strftime("%d %H:%M") == "31 23:15"
    assert month_of(november, zone).key == "2009-11"


@pytest.mark.parametrize(
    "text",
    [
        "2026-W54",
        "2025-W53",
        "2026-W00",
        "2026-13",
        "2026-00",
        "2026-W4",
        "2026-W471",
        "26-W47",
        "2026W47",
        "2026-w47",
        "2026-1",
        "2026-11-22",
        "2026",
        "1969-W50",
        "0000-01",
        "9999-12",
        "9999-W52",
        "week",
        "",
        "２０２６-11",
        "-2026-11",
        "2026-W47; DROP TABLE area",
        "x" * 5000,
    ],
)
def test_bad_input_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(BadPeriod) as refused:
        parse_period(text, "Asia/Shanghai")
    sentence = str(refused.value)
    assert isinstance(refused.value, Refused)
    assert sentence.endswith(".")
    assert sentence.count(". ") == 0
    assert "\n" not in sentence
    assert len(sentence) < 130


def test_a_week_that_is_not_there_says_how_many_there_are() -> None:
    with pytest.raises(BadPeriod, match="the ISO year 2025 has weeks 01 to 52"):
        parse_period("2025-W53", "UTC")
    with pytest.raises(BadPeriod, match="the ISO year 2026 has weeks 01 to 53"):
        parse_period("2026-W54", "UTC")

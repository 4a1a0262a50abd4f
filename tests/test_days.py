"""Days as people write them, read and refused."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from handlers.days import NoSuchDay, OnlyMonth, looks_like_day, read_day

TODAY = date(2026, 11, 22)
FIFTH = date(2027, 3, 5)


@pytest.mark.parametrize(
    "text",
    [
        "2027-03-05",
        "2027-3-5",
        "2027/03/05",
        "2027.3.5",
        "20270305",
        "2027年3月5日",
        "2027年3月5号",
        "2027 年 3 月 5 日",
        "２０２７年３月５日",
        "二〇二七年三月五日",
        "二零二七年三月五号。",
        "明年3月5日",
        "3月5日",
        "03-05",
        "三月五号",
        "5 March 2027",
        "5th of March 2027",
        "March 5, 2027",
        "5 mar",
        "Mar 5",
        "March 5 2027",
        "27.3.5",
        "27-03-05",
        "27年3月5日",
        "no, 5 March 2027",
        "No. March 5, 2027",
        "不对，三月五号",
        "不是，3月5日",
        "三月五",
    ],
)
def test_a_day_in_many_forms(text: str) -> None:
    assert read_day(text, TODAY, behind=False) == FIFTH
    assert looks_like_day(text)


def test_without_a_year_it_is_the_next_or_the_last() -> None:
    assert read_day("3月5日", TODAY, behind=True) == date(2026, 3, 5)
    assert read_day("11月22日", TODAY, behind=False) == TODAY
    assert read_day("11月22日", TODAY, behind=True) == TODAY
    assert read_day("29 February", TODAY, behind=False) == date(2028, 2, 29)
    assert read_day("2月29日", TODAY, behind=True) == date(2024, 2, 29)
    assert read_day("今天", TODAY, behind=False) == read_day("today", TODAY, behind=True) == TODAY
    assert read_day("十二月二十五日", TODAY, behind=False) == date(2026, 12, 25)
    assert read_day("十二月二十", TODAY, behind=False) == date(2026, 12, 20)
    assert read_day("2月30日", TODAY, behind=True) == NoSuchDay(2026, 2, 30, 28)
    assert read_day("12月32日", TODAY, behind=True) == NoSuchDay(2025, 12, 32, 31)
    assert read_day("十月十日", TODAY, behind=False) == date(2027, 10, 10)


@pytest.mark.parametrize(
    ("text", "coming", "last"),
    [
        ("腊月二十三", date(2027, 1, 30), date(2026, 2, 10)),
        ("腊月廿三", date(2027, 1, 30), date(2026, 2, 10)),
        ("正月初一", date(2027, 2, 6), date(2026, 2, 17)),
        ("农历八月十五", date(2027, 9, 15), date(2026, 9, 25)),
    ],
)
def test_a_day_of_the_lunar_calendar(text: str, coming: date, last: date) -> None:
    assert read_day(text, TODAY, behind=False) == coming
    assert read_day(text, TODAY, behind=True) == last


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2027-02-30", NoSuchDay(2027, 2, 30, 28)),
        ("2028年2月30日", NoSuchDay(2028, 2, 30, 29)),
        ("02-30", NoSuchDay(2027, 2, 30, 28)),
        ("二月三十号", NoSuchDay(2027, 2, 30, 28)),
        ("11月31日", NoSuchDay(2026, 11, 31, 30)),
        ("30 February", NoSuchDay(2027, 2, 30, 28)),
        ("4月31日", NoSuchDay(2027, 4, 31, 30)),
        ("2027-13-01", NoSuchDay(2027, 13, 1, 0)),
        ("2027-00-01", NoSuchDay(2027, 0, 1, 0)),
        ("2027-03-00", NoSuchDay(2027, 3, 0, 31)),
        ("2027-03", OnlyMonth(2027, 3)),
        ("明年三月", OnlyMonth(2027, 3)),
        ("March 2027", OnlyMonth(2027, 3)),
        ("05/03/2027", None),
        ("27.3.26", None),
        ("no", None),
        ("不是3月5日", None),
        ("腊月三十五", None),
        ("0001-03-05", None),
        ("9999-12-31", None),
        ("下个月", None),
        ("工资还没发", None),
        ("", None),
    ],
)
def test_what_is_no_day(text: str, found: object) -> None:
    assert read_day(text, TODAY, behind=False) == found


def test_what_somebody_says_is_told_from_a_day() -> None:
    assert looks_like_day("05/03/2027")
    assert looks_like_day("下个月吧")
    assert not looks_like_day("老板不给钱怎么办")
    assert not looks_like_day("3月的工资到现在还没有发")
    assert not looks_like_day("my boss has not paid since March")


@given(some.dates(date(1970, 1, 1), date(2100, 1, 1)), some.booleans())
def test_every_day_reads_as_it_is_written(day: date, behind: bool) -> None:
    for text in (f"{day.year}年{day.month}月{day.day}日", day.isoformat(), f"{day:%-d %B %Y}"):
        assert read_day(text, TODAY, behind=behind) == day


@given(some.text(max_size=60))
def test_nothing_that_is_written_breaks_it(text: str) -> None:
    read_day(text, TODAY, behind=False)
    looks_like_day(text)

"""Times of day as people write them, read and refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from handlers.times import read_span, read_time


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("20:00", [20]),
        ("晚上8点", [20]),
        ("8pm", [20]),
        ("8 p.m.", [20]),
        ("８：００ ＰＭ", [20]),
        ("二十点", [20]),
        ("晚上十二点", [0]),
        ("凌晨一点", [1]),
        ("早上八点半", [8.5]),
        ("下午两点三刻", [14.75]),
        ("半夜两点", [2]),
        ("夜里11点", [23]),
        ("中午1点", [13]),
        ("中午", [12]),
        ("12am", [0]),
        ("12pm", [12]),
        ("8点", [8, 20]),
        ("9:30", [9.5, 21.5]),
        ("09:30", [9.5]),
        ("It’s about 2pm", [14]),
        ("大概下午3点左右", [15]),
        ("八点十五分", [8.25, 20.25]),
        ("7 o'clock", [7, 19]),
    ],
)
def test_a_time_in_many_forms(text: str, hours: list[float]) -> None:
    read = read_time(text)
    assert read is not None
    assert list(read.minutes) == [hour * 60 for hour in hours]


@pytest.mark.parametrize(
    "text", ["", "25:00", "8:75", "平安", "明天", "2027-03-05", "八点上班太早"]
)
def test_what_is_no_time(text: str) -> None:
    assert read_time(text) is None


@pytest.mark.parametrize(
    "text", ["12点到1点", "12:00-13:00", "12-13", "中午12点至下午1点", "from 12 to 1pm", "12–13"]
)
def test_a_span(text: str) -> None:
    span = read_span(text)
    assert span is not None
    assert (12 * 60 in span[0].minutes, 13 * 60 in span[1].minutes) == (True, True)


@given(some.text(max_size=40))
def test_nothing_that_is_written_breaks_it(text: str) -> None:
    read_time(text)
    read_span(text)

"""The hour of asking follows the hour of answering, slowly, and within what is allowed."""

from hypothesis import given
from hypothesis import strategies as st

from scheduler.hour_drift import drift

minutes = st.integers(0, 24 * 60 - 1)


def test_it_drifts_towards_the_answers() -> None:
    hour = 10 * 60
    for _ in range(12):
        hour = drift(hour, 19 * 60 + 30, 8 * 60, 21 * 60)
    assert 15 * 60 < hour < 17 * 60
    for _ in range(40):
        hour = drift(hour, 19 * 60 + 30, 8 * 60, 21 * 60)
    assert hour == 19 * 60 + 30


def test_one_odd_evening_changes_little() -> None:
    assert drift(10 * 60, 20 * 60, 8 * 60, 21 * 60) == 10 * 60 + 30


def test_an_answer_at_night_pulls_to_the_nearer_end() -> None:
    assert drift(12 * 60, 2 * 60, 8 * 60, 21 * 60) > 12 * 60
    assert drift(12 * 60, 6 * 60, 8 * 60, 21 * 60) < 12 * 60


@given(minutes, minutes, minutes, minutes)
def test_it_stays_within_what_is_allowed(usual: int, answered: int, one: int, other: int) -> None:
    earliest, latest = sorted((one, other))
    assert earliest <= drift(usual, answered, earliest, latest) <= latest


@given(minutes, minutes, minutes, minutes)
def test_it_arrives(usual: int, answered: int, one: int, other: int) -> None:
    earliest, latest = sorted((one, other))
    for _ in range(200):
        usual = drift(usual, answered, earliest, latest)
    assert drift(usual, answered, earliest, latest) == usual
    if earliest <= answered <= latest:
        assert usual == answered

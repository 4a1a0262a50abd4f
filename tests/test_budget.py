"""The burden budget: no seven days hold more than they may, and nothing waits for ever."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduler.budget import waits_until
from storage.outbox.burden import WEEK

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_within_the_budget_it_leaves() -> None:
    assert waits_until([], NOW, 3, asks=True) is None
    assert waits_until([NOW - HOUR, NOW - 2 * HOUR], NOW, 3, asks=True) is None


def test_a_notice_leaves_room_for_the_check_in() -> None:
    sent = [NOW - HOUR, NOW - 2 * HOUR]
    assert waits_until(sent, NOW, 3, asks=False) == NOW - 2 * HOUR + WEEK
    assert waits_until(sent, NOW, 3, asks=True) is None


def test_a_budget_of_one_is_for_whatever_comes_first() -> None:
    assert waits_until([], NOW, 1, asks=False) is None


def test_a_budget_of_none_is_looked_at_again_in_a_week() -> None:
    assert waits_until([], NOW, 0, asks=True) == NOW + WEEK


@given(
    st.lists(st.tuples(st.integers(0, 60 * 24 * 30), st.booleans()), max_size=60),
    st.integers(1, 5),
)
def test_no_seven_days_hold_more(wanted: list[tuple[int, bool]], budget: int) -> None:
    sent: list[datetime] = []
    for minute, asks in sorted(wanted):
        at = NOW + timedelta(minutes=minute)
        while (until := waits_until(sent, at, budget, asks=asks)) is not None:
            assert until > at
            at = until
        sent.append(at)
    sent.sort()
    for at in sent:
        assert sum(at - WEEK < other <= at for other in sent) <= budget

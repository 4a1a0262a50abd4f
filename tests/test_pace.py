"""Pace, as arithmetic on a virtual clock."""

import math

from hypothesis import given
from hypothesis import strategies as some

from scheduler.pace import GROUP, PRIVATE, Bucket, Lane, back_off

STEPS = some.lists(some.floats(0, 0.7), min_size=1, max_size=300)
RATES = some.sampled_from([1.0, 5.0, 25.0, 30.0, 100.0, 1000.0])


def most_within(times: list[float], seconds: float) -> int:
    """The most events in any window of this length."""
    most, first = 0, 0
    for last, at in enumerate(times):
        while at - times[first] > seconds - 1e-9:
            first += 1
        most = max(most, last - first + 1)
    return most


@given(RATES, STEPS)
def test_no_second_holds_more_than_a_tenth_above_the_rate(rate: float, steps: list[float]) -> None:
    lane, now, sent = Lane(1, rate), 0.0, []
    for step in steps:
        now += step
        for number in range(lane.room(now, 5000)):
            lane.spoke(now, number)
            sent.append(now)
    assert most_within(sent, 1.0) <= max(rate * 1.1, rate + 1) + 1e-6


@given(RATES)
def test_a_busy_lane_reaches_its_rate(rate: float) -> None:
    lane, now, sent = Lane(1, rate), 0.0, 0
    while now < 60:
        wait = lane.wait(now)
        if wait > 0:
            now += wait
            continue
        for number in range(lane.room(now, 5000)):
            lane.spoke(now, number)
            sent += 1
        now += 0.01  # what claiming takes
    assert sent >= 60 * rate * 0.98


@given(some.lists(some.floats(0, 40), min_size=1, max_size=100), some.booleans())
def test_chats_have_their_own_pace(steps: list[float], group: bool) -> None:
    chat = -7 if group else 7
    lane, now, sent = Lane(1, 1000.0), 0.0, []
    for step in steps:
        now += step
        while lane.chat_wait(now, chat, 1) == 0:
            lane.spoke(now, chat)
            sent.append(now)
    if group:
        assert most_within(sent, 60.0) <= 20
    else:
        rate, burst = PRIVATE
        assert most_within(sent, 10.0) <= 10 * rate + burst


@given(some.floats(0.1, 100), some.floats(1, 50), STEPS, some.integers(1, 20))
def test_what_waits_is_let_through_after_its_wait(
    rate: float, capacity: float, steps: list[float], amount: int
) -> None:
    bucket, now = Bucket(rate, capacity), 0.0
    for step in steps:
        now += step
        wait = bucket.wait(now, amount)
        assert math.isfinite(wait)
        assert bucket.wait(now + wait + 1e-6, amount) == 0
        bucket.take(now, amount)


def test_clock_set_back_gives_nothing_and_takes_nothing() -> None:
    bucket = Bucket(1, 2)
    bucket.take(100, 2)
    assert bucket.level(40) == 0
    assert bucket.level(41) == 1


def test_no_limit() -> None:
    lane = Lane(1, 0)
    assert lane.room(0, 64) == 64
    lane.spoke(0, 5, 500)
    assert lane.room(0, 64) == 64
    assert lane.chat_wait(0, 5, 1) == 0


def test_one_chats_429_holds_that_chat_only() -> None:
    lane = Lane(1, 30)
    assert lane.throttled(10, 5, 7) == 17
    assert lane.chat_wait(10, 5, 1) == 7
    assert lane.chat_wait(10, 6, 1) == 0
    assert lane.wait(10) == 0
    assert lane.chat_wait(17, 5, 1) == 0


def test_429s_with_others_getting_through_hold_no_lane() -> None:
    lane = Lane(1, 30)
    for chat in range(20):
        lane.throttled(float(chat), chat, 30)
        lane.throttled(chat + 0.1, 100 + chat, 30)
        lane.got_through(started=chat + 0.2)
    assert lane.held_until == 0


def test_three_chats_in_a_row_are_the_lane() -> None:
    lane = Lane(1, 30)
    lane.throttled(10.0, 5, 7)
    lane.got_through(started=9.9)  # left before the first 429: it proves nothing
    assert lane.throttled(10.5, 5, 7) == 17.5
    assert lane.throttled(10.6, 6, 7) == 17.6
    assert lane.held_until == 0
    assert lane.throttled(11.0, 7, 7) == 18
    assert lane.wait(11.0) == 7
    assert lane.wait(18.0) == 0
    assert lane.chat_wait(18.0, 5, 1) == 0


def test_no_connection_rests_the_lane_longer_each_time() -> None:
    lane, now = Lane(1, 30), 100.0
    rests = []
    for _ in range(8):
        until = lane.unsent(now)
        assert lane.unsent(now + 0.01) == until  # in flight together: counted once
        rests.append(until - now)
        now = until
    assert rests == [0.5, 1, 2, 4, 8, 15, 15, 15]
    lane.got_through(started=now)
    assert lane.unsent(now) == now + 0.5


def test_stopped_lane_never_opens() -> None:
    lane = Lane(1, 30)
    lane.stopped = "the token is wrong"
    assert lane.room(1e9, 10) == 0
    assert lane.wait(1e9) == math.inf


def test_idle_chats_are_forgotten() -> None:
    lane = Lane(1, 30)
    lane.spoke(0, 5)
    lane.spoke(0, -6)
    lane.throttled(0, 7, 30)
    lane.forget_idle(2)
    assert lane.chat_wait(2, 7, 1) == 28
    assert set(lane._chats) == {-6, 7}


def test_back_off_grows_to_five_minutes() -> None:
    assert [back_off(n) for n in (1, 2, 3, 8, 9, 500)] == [2, 4, 8, 256, 300, 300]
    assert GROUP[0] * 60 + GROUP[1] <= 20

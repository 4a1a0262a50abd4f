"""Pace, as arithmetic on a virtual clock."""

import math
import random
from collections import deque
from collections.abc import Callable, Iterator
from itertools import cycle, repeat

import pytest
from hypothesis import given, settings
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


def run_lane(
    lane: Lane, seconds: float, stalls: Iterator[float], late: Iterator[float]
) -> list[float]:
    """When messages left a lane that always has more to send.

    ``stalls``: how long each claim takes. ``late``: how late each timer comes.
    """
    now, waiting, times = 0.0, deque[float](), list[float]()
    claim_at = 0.0
    while now < seconds:
        if now >= claim_at:
            room = lane.room(now)
            if room:
                slot = lane.reserve(now, room)
                lane.in_flight += room
                now += next(stalls)
                waiting.extend(slot + n * lane.gap for n in range(room))
            claim_at = now + max(lane.wait(now), 0.001)
        while waiting and lane.leaves_at(waiting[0]) <= now:
            lane.left(now, waiting.popleft())
            lane.in_flight -= 1
            times.append(now)
        then = min(claim_at, lane.leaves_at(waiting[0])) if waiting else claim_at
        now = max(now, then) + next(late)
    return times


@settings(deadline=None, max_examples=50)
@given(RATES, STEPS, some.lists(some.floats(0, 0.2), min_size=1))
def test_no_second_holds_more_than_a_twentieth_above_the_rate(
    rate: float, stalls: list[float], late: list[float]
) -> None:
    times = run_lane(Lane(1, rate), 4, cycle(stalls), cycle(late))
    assert most_within(times, 1.0) <= max(rate * 1.05, rate + 1)


@pytest.mark.parametrize("rate", [1.0, 5.0, 25.0, 30.0, 100.0, 1000.0])
def test_a_busy_lane_reaches_its_rate(rate: float) -> None:
    seconds = max(10.0, 300 / rate)
    times = run_lane(Lane(1, rate), seconds, repeat(0.02), cycle([0.0, 0.004, 0.001]))
    assert len(times) >= seconds * rate * 0.99


def test_thirty_a_second_are_never_more_than_thirty_one() -> None:
    stalls = cycle([0.002, 0.01, 0.5, 0.003, 0.08, 0.002])
    times = run_lane(Lane(1, 30.0), 120, stalls, cycle([0, 0.03, 0.002]))
    assert most_within(times, 1.0) <= 31


def test_a_lane_keeps_its_mean_though_a_timer_is_late_now_and_then() -> None:
    chance = random.Random(5)
    late = (chance.choice([0.0005] * 30 + [0.012, 0.04]) for _ in cycle([0]))
    times = run_lane(Lane(1, 30.0), 120, repeat(0.01), late)
    assert len(times) >= 120 * 30 * 0.985
    assert most_within(times, 1.0) <= 31


def run_together(seconds: float, rate: float, chance: random.Random) -> list[float]:
    """When messages left two lanes of one bot, whose slots follow one another, on one clock.

    Now and then one of them stalls for up to a second: its claims and its timers come late.
    """
    lanes = [Lane(1, rate), Lane(1, rate)]
    waiting = [deque[float](), deque[float]()]
    awake, free_at, now, times = [0.0, 0.0], 0.0, 0.0, list[float]()
    while now < seconds:
        now += 0.002
        for lane, slots, which in zip(lanes, waiting, (0, 1), strict=True):
            if now < awake[which]:
                continue
            if chance.random() < 0.0003:
                awake[which] = now + chance.choice([0.03, 0.1, 0.3, 1.0])
                continue
            lane.with_others = True
            lane.share_slack(between=2)
            if room := lane.room(now):
                owed = lane.owed
                start = max(free_at, now - lane.slack)
                free_at = start + (room + owed) * lane.gap
                lane.reserved(start, room + owed)
                slots.extend(start + n * lane.gap for n in range(owed, room + owed))
            if slots and lane.missed(now, slots[0]):
                slots.clear()
            while slots and lane.leaves_at(slots[0]) <= now:
                lane.left(now, slots.popleft())
                times.append(now)
    return times


@pytest.mark.parametrize("seed", range(5))
def test_two_that_stall_never_leave_more_than_two_above_the_rate_together(seed: int) -> None:
    times = run_together(60, 30.0, random.Random(seed))
    assert most_within(times, 1.0) <= 32
    assert len(times) > 60 * 30 * 0.9


@given(some.lists(some.tuples(some.floats(0, 0.3), some.booleans()), min_size=1, max_size=200))
def test_replies_take_up_the_second_for_what_leaves_after_them(
    steps: list[tuple[float, bool]],
) -> None:
    lane, now, left = Lane(1, 30.0), 0.0, list[tuple[float, bool]]()
    for step, reply in steps * 3:
        now += step
        if reply:
            lane.spoke(now, 5)
        elif lane.leaves_at(now) <= now:
            lane.left(now, now)
        else:
            continue
        left.append((now, reply))
        within = sum(at > now - 1 + 1e-9 for at, _ in left)
        assert reply or within <= 31


@given(RATES, some.lists(some.floats(0, 1), min_size=1, max_size=200))
def test_what_is_claimed_is_soon_gone(rate: float, steps: list[float]) -> None:
    lane, now = Lane(1, rate), 0.0
    for step in steps:
        now += step
        room = lane.room(now)
        if room:
            last = lane.reserve(now, room) + (room - 1) * lane.gap
            assert last <= now + max(0.25, 0.1 + lane.gap)


def test_a_flood_of_replies_does_not_silence_bulk_for_longer_than_a_second() -> None:
    lane = Lane(1, 30.0)
    for _ in range(500):
        lane.spoke(10.0, 5)
    assert 0.8 < lane.wait(10.0) <= 1
    assert lane.owed == 29


@given(some.lists(some.floats(0, 40), min_size=1, max_size=100), some.booleans())
def test_chats_have_their_own_pace(steps: list[float], group: bool) -> None:
    chat = -7 if group else 7
    lane, now, sent = Lane(1, 1000.0), 0.0, []
    for step in steps:
        now += step
        while lane.chat_wait(now, chat, 1) == 0:
            lane.chat_takes(now, chat)
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
    lane = Lane(1, 0, 64)
    assert lane.room(0) == 64
    lane.spoke(0, 5, 500)
    assert lane.room(0) == 64
    assert lane.chat_wait(0, 5, 1) == 0


def test_one_chats_429_holds_that_chat_only() -> None:
    lane = Lane(1, 30)
    assert lane.throttled(10, 5, 7, 9.9) == 17
    assert lane.chat_wait(10, 5, 1) == 7
    assert lane.chat_held(10, 5) == 7
    assert lane.chat_wait(10, 6, 1) == 0
    assert lane.wait(10) == 0
    assert lane.chat_wait(17, 5, 1) == 0


def test_five_chats_in_a_row_are_the_lane() -> None:
    lane = Lane(1, 30)
    lane.throttled(10.0, 5, 7, 9.9)
    lane.got_through(started=9.8)  # left before the first of them: it proves nothing
    assert lane.throttled(10.5, 5, 7, 10.4) == 17.5
    assert lane.throttled(10.6, 6, 7, 10.5) == 17.6
    assert not lane.strikes.in_doubt
    assert lane.throttled(10.7, 7, 7, 10.6) == 17.7
    assert lane.strikes.in_doubt
    assert lane.room(10.7) == 1
    assert lane.throttled(10.8, 8, 7, 10.7) == 17.8
    assert lane.held_until == 0
    assert lane.throttled(11.0, 9, 6, 10.9) == 17.8
    assert lane.wait(11.0) == 17.8 - 11.0
    assert lane.room(17.8) > 1
    assert lane.chat_wait(17.8, 5, 1) == 0


def test_one_that_gets_through_ends_the_doubt() -> None:
    lane = Lane(1, 30)
    for chat in range(3):
        lane.throttled(10.0, chat, 7, 9.9)
    lane.got_through(started=9.95)
    assert not lane.strikes.in_doubt
    assert lane.room(10.2) > 1


def answered(
    refused: Callable[[int], bool], late: list[float], rate: float = 30.0, number: int = 300
) -> Lane:
    """A lane after so many messages, each to its own chat, whose answers overtake each other."""
    lane = Lane(1, rate)
    answers = [(n / rate + late[n % len(late)], n / rate, n) for n in range(number)]
    for at, started, chat in sorted(answers):
        if refused(chat):
            lane.throttled(at, chat, 5, started)
        else:
            lane.got_through(started)
    return lane


LATE = some.lists(some.floats(0.01, 2), min_size=1, max_size=30)


@given(some.lists(some.floats(0.01, 0.2), min_size=1, max_size=30), some.integers(0, 2))
def test_two_chats_in_five_hold_no_lane_however_answers_come(late: list[float], row: int) -> None:
    lane = answered(lambda chat: chat % 5 < row, late)
    assert lane.held_until == 0


@given(LATE, some.integers(5, 100))
def test_a_bot_that_is_refused_is_held_however_answers_come(late: list[float], row: int) -> None:
    lane = answered(lambda chat: chat >= 300 - row, late)
    assert lane.held_until > 0


def test_a_tenth_of_the_chats_throttled_holds_hardly_any_lane() -> None:
    held = 0
    for seed in range(100):
        chances = random.Random(seed)
        bad = {chat for chat in range(300) if chances.random() < 0.1}
        late = [chances.random() for _ in range(30)]
        held += answered(bad.__contains__, late).held_until > 0
    assert held <= 2


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
    assert lane.room(1e9) == 0
    assert lane.wait(1e9) == math.inf


def test_idle_chats_are_forgotten() -> None:
    lane = Lane(1, 30)
    lane.spoke(0, 5)
    lane.spoke(0, -6)
    lane.throttled(0, 7, 30, 0)
    lane.forget_idle(2)
    assert lane.chat_wait(2, 7, 1) == 28
    assert set(lane._chats) == {-6, 7}


def test_back_off_grows_to_five_minutes() -> None:
    assert [back_off(n) for n in (1, 2, 3, 8, 9, 500)] == [2, 4, 8, 256, 300, 300]
    assert GROUP[0] * 60 + GROUP[1] <= 20

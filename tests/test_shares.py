"""Shares between queues, as arithmetic: nobody starves, and nobody waits behind bulk."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as some

from scheduler.shares import CLASSES, Shares

WAITING = some.sets(some.sampled_from(sorted(CLASSES)), min_size=1)
ROOMS = some.lists(some.integers(1, 40), min_size=1, max_size=60)


def classes() -> Shares[int]:
    return Shares(CLASSES.__getitem__)


@given(WAITING, ROOMS)
def test_shares_come_near_the_weights(waiting: set[int], rooms: list[int]) -> None:
    shares, sent = classes(), Counter[int]()
    for room in rooms:
        planned = shares.plan(room, sorted(waiting))
        assert sum(planned.values()) == room
        sent.update(planned)
    whole = sum(CLASSES[it] for it in waiting)
    for it in waiting:
        # Never further off than one message of each of the others.
        assert abs(sent[it] - sum(rooms) * CLASSES[it] / whole) <= len(CLASSES)


@given(some.lists(WAITING, min_size=1, max_size=200))
def test_nobody_starves(rounds: list[set[int]]) -> None:
    shares, since = classes(), Counter[int]()
    for waiting in rounds:
        (next_one,) = shares.plan(1, sorted(waiting))
        for it in CLASSES:
            since[it] = since[it] + 1 if it in waiting and it != next_one else 0
            # A whole round of shares, while it waited all the time, and one of each of the others.
            assert since[it] <= sum(CLASSES.values()) / CLASSES[it] + len(CLASSES)


@given(some.integers(0, 5000), some.integers(2, 40))
def test_a_call_for_help_leaves_with_the_next_claim(before: int, room: int) -> None:
    shares = classes()
    shares.plan(before, [1, 2, 3])
    assert shares.plan(room, [0, 1, 2, 3]).get(0, 0) >= room // 2


@given(some.integers(1, 5000))
def test_idling_saves_nothing_up(idle: int) -> None:
    shares = classes()
    shares.plan(10, [1, 3])
    shares.plan(idle, [3])
    assert shares.plan(50, [1, 3])[1] <= 41


def test_what_was_not_there_is_given_back() -> None:
    shares = classes()
    assert shares.plan(90, [0, 3]) == {0: 80, 3: 10}
    shares.give_back(0, 80)
    assert shares.plan(90, [0, 3])[0] >= 89


@given(some.integers(1, 60), some.lists(some.integers(1, 64), min_size=50, max_size=80))
def test_broadcasts_go_in_turn(number: int, rooms: list[int]) -> None:
    shares: Shares[str] = Shares(lambda _: 1.0)
    waiting = [f"broadcast {n}" for n in range(number)]
    sent: Counter[str] = Counter()
    for room in rooms:
        planned = shares.plan(room, waiting)
        assert len(planned) <= 8
        sent.update(planned)
    assert max(sent[it] for it in waiting) - min(sent[it] for it in waiting) <= 64


def test_those_gone_are_forgotten() -> None:
    shares: Shares[int] = Shares(lambda _: 1.0)
    for number in range(1000):
        shares.plan(3, [number])
    assert len(shares._readings) < 5

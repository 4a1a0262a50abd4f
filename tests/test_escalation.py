"""What follows silence: the steps in their order, and that any word ends them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduler.escalation import (
    RELATIVE_HAS,
    AskLiaison,
    AskRelative,
    Decision,
    End,
    Nudge,
    Policy,
    TellSupervisor,
    Unanswered,
    Wait,
    decide,
)

DUE = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
H = timedelta(hours=1)
POLICY = Policy((24 * H, 48 * H), ask_relative=True, ask_liaison=True, raise_after=72 * H)
ASKED = Unanswered(
    due_at=DUE,
    window_until=DUE + 72 * H,
    delivered_at=DUE,
    answered=False,
    heard_at=None,
    reached_at=None,
    expected=True,
    reachable=True,
    nudged=0,
    relative=True,
    relative_asked_at=None,
    relative_said=None,
    task_at=None,
    raised=False,
)


def live(case: Unanswered, policy: Policy, *, until: datetime) -> list[tuple[datetime, Decision]]:
    """Do what is decided, when it is, and nobody says a word; what was done, and when."""
    now = case.due_at
    done: list[tuple[datetime, Decision]] = []
    while now < until:
        step = decide(case, now, policy)
        if isinstance(step, Wait):
            assert step.until > now
            now = step.until
            continue
        done.append((now, step))
        match step:
            case End():
                return done
            case Nudge(n):
                case = replace(case, nudged=n)
            case AskRelative():
                case = replace(case, relative_asked_at=now)
            case AskLiaison():
                case = replace(case, task_at=now)
            case TellSupervisor():
                case = replace(case, raised=True)
    return done


def test_the_whole_way() -> None:
    assert live(ASKED, POLICY, until=DUE + 400 * H) == [
        (DUE + 24 * H, Nudge(1)),
        (DUE + 48 * H, Nudge(2)),
        (DUE + 72 * H, AskRelative()),
        (DUE + 96 * H, AskLiaison("unanswered")),
        (DUE + 168 * H, TellSupervisor()),
        (DUE + 168 * H, End("with the liaison")),
    ]


def test_who_cannot_be_reached_is_not_nudged() -> None:
    steps = [step for _, step in live(replace(ASKED, reachable=False), POLICY, until=DUE + 400 * H)]
    assert steps[:2] == [AskRelative(), AskLiaison("unreachable")]


def test_without_a_relative_the_liaison_is_next() -> None:
    steps = [step for _, step in live(replace(ASKED, relative=False), POLICY, until=DUE + 80 * H)]
    assert steps == [Nudge(1), Nudge(2), AskLiaison("unanswered")]


def test_what_the_relative_says_goes_on_at_once() -> None:
    asked = replace(ASKED, nudged=2, relative_asked_at=DUE + 72 * H)
    at = DUE + 73 * H
    assert decide(asked, at, POLICY) == Wait(DUE + 72 * H + RELATIVE_HAS)
    assert decide(replace(asked, relative_said="no"), at, POLICY) == AskLiaison("no")
    assert decide(replace(asked, relative_said="call"), at, POLICY) == AskLiaison("call")
    fine = replace(asked, relative_said="fine")
    assert decide(fine, at, POLICY) == End("a relative says they are fine")


def test_a_relative_who_withdrew_is_not_waited_for() -> None:
    asked = replace(ASKED, nudged=2, relative_asked_at=DUE + 72 * H, relative=False)
    assert decide(asked, DUE + 73 * H, POLICY) == AskLiaison("unanswered")


def test_after_a_standstill_there_is_one_nudge() -> None:
    assert decide(ASKED, DUE + 50 * H, POLICY) == Nudge(2)


def test_an_edited_rule_with_fewer_nudges_ends_sanely() -> None:
    fewer = replace(POLICY, nudges=())
    assert decide(replace(ASKED, nudged=2), DUE + 50 * H, fewer) == Wait(DUE + 72 * H)


times = st.integers(0, 24 * 60).map(lambda n: DUE + timedelta(minutes=30 * n))
cases = st.builds(
    Unanswered,
    due_at=st.just(DUE),
    window_until=st.just(DUE + 72 * H),
    delivered_at=st.none() | times,
    answered=st.booleans(),
    heard_at=st.none() | times,
    reached_at=st.none() | times,
    expected=st.booleans(),
    reachable=st.booleans(),
    nudged=st.integers(0, 3),
    relative=st.booleans(),
    relative_asked_at=st.none() | times,
    relative_said=st.sampled_from([None, "fine", "no", "call"]),
    task_at=st.none() | times,
    raised=st.booleans(),
)
policies = st.builds(
    Policy,
    nudges=st.lists(st.integers(1, 71), max_size=3, unique=True).map(
        lambda hours: tuple(sorted(n * H for n in hours))
    ),
    ask_relative=st.booleans(),
    ask_liaison=st.booleans(),
    raise_after=st.none() | st.integers(1, 200).map(lambda n: n * H),
)


@given(cases, times, policies)
def test_a_step_is_never_taken_twice_and_waiting_ends(
    case: Unanswered, now: datetime, policy: Policy
) -> None:
    match decide(case, now, policy):
        case Nudge(n):
            assert n > case.nudged
        case AskRelative():
            assert case.relative
            assert case.relative_asked_at is None
        case AskLiaison():
            assert case.task_at is None
        case TellSupervisor():
            assert not case.raised
        case Wait(until):
            assert until > now


@given(cases, times, policies)
def test_any_word_ends_it(case: Unanswered, now: datetime, policy: Policy) -> None:
    heard = replace(case, heard_at=DUE + H)
    assert isinstance(decide(heard, now, policy), End)
    assert isinstance(decide(replace(case, answered=True), now, policy), End)
    assert isinstance(decide(replace(case, expected=False), now, policy), End)


@given(cases, policies)
def test_every_silence_comes_to_an_end(case: Unanswered, policy: Policy) -> None:
    done = live(replace(case, relative_asked_at=None, task_at=None), policy, until=DUE + 2000 * H)
    assert isinstance(done[-1][1], End)
    steps = [step for _, step in done[:-1]]
    assert len(steps) == len(set(steps))


def test_a_question_that_arrives_late_is_asked_again_all_the_same() -> None:
    """It was looked at before it was delivered; its nudges count from when it was."""
    waiting = replace(ASKED, delivered_at=None)
    first = decide(waiting, DUE + 24 * H, POLICY)
    assert first == Wait(DUE + 25 * H)
    arrived = replace(waiting, delivered_at=DUE + 24.5 * H)
    assert decide(arrived, DUE + 25 * H, POLICY) == Wait(DUE + 48.5 * H)
    assert decide(arrived, DUE + 48.5 * H, POLICY) == Nudge(1)

"""Every silence has one class and something to do next, in words, in both languages."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.next_steps import step_words, steps_words
from storage.database import Database
from storage.register.next_steps import STEPS, Facts, next_steps
from storage.register.silence_facts import facts_of, is_silent
from storage.register.standing import SILENCES, standings
from tests.liaison_chat import CATALOGS
from tests.register_world import World
from tests.register_worlds import worlds

NOON = datetime(2026, 11, 18, 4, tzinfo=UTC)
ZONE = "Asia/Shanghai"
_TIMES = st.none() | st.datetimes(
    min_value=datetime(2026, 11, 1),  # noqa: DTZ001  # the strategy adds the zone
    max_value=datetime(2027, 3, 1),  # noqa: DTZ001  # as above
    timezones=st.just(UTC),
)
FACTS = st.builds(
    Facts,
    silence=st.sampled_from([None, *SILENCES]),
    account=st.booleans(),
    phone=st.booleans(),
    family=st.booleans(),
    said=st.sampled_from([None, "fine", "no", "call"]),
    said_at=_TIMES,
    asking=st.booleans(),
    held=st.sampled_from([None, "quiet hours", "waits for its channel", "something new"]),
    held_until=_TIMES,
    next_at=_TIMES,
    task=st.booleans(),
    habit=st.sampled_from([None, "never", "fading"]),
)


@given(FACTS)
def test_there_is_always_a_step_and_it_has_words(facts: Facts) -> None:
    steps = next_steps(facts)
    assert steps
    assert len(set(steps)) == len(steps)
    for language in ("zh", "en"):
        with CATALOGS.context(), CATALOGS.use_locale(language):
            words = steps_words(facts, ZONE)
        assert len(words) == len(steps)
        assert all(it.strip() and "{" not in it for it in words)


@given(FACTS)
def test_what_the_family_wants_comes_first_and_a_habit_last(facts: Facts) -> None:
    steps = next_steps(facts)
    if facts.said == "call":
        assert steps[0] == "family-call"
    if facts.said == "no":
        assert steps[0] == "family-no"
    if facts.silence == "unreachable":
        # What never arrives says nothing of someone's habits.
        assert not {"never", "fading"} & set(steps)
        assert "new-link" in steps
    elif facts.habit is not None:
        assert steps[-1] == facts.habit


@given(FACTS)
def test_nobody_is_sent_to_a_number_that_is_not_there(facts: Facts) -> None:
    if not facts.phone:
        assert not {"call", "call-only", "number-changed", "number-changed-family"} & set(
            next_steps(facts)
        )
    if not facts.family:
        assert not {"ask-family", "number-changed-family"} & set(next_steps(facts))


@pytest.mark.parametrize(
    ("facts", "steps"),
    [
        (Facts("unreachable", phone=True), ("call-only", "new-link")),
        (Facts("unreachable", account=False, family=True), ("ask-family", "new-link")),
        (Facts("unreachable"), ("ask-village", "new-link")),
        (Facts("unanswered", phone=True), ("call",)),
        (Facts("unanswered", phone=True, said="fine", said_at=NOON), ("family-fine",)),
        (Facts("unanswered", phone=True, asking=True), ("family-asked",)),
        (Facts("unanswered", phone=True, said="no", said_at=NOON), ("family-no", "call")),
        (Facts("unasked", held="quiet hours", held_until=NOON), ("waits",)),
        (Facts("unasked", next_at=NOON), ("asked-on",)),
        (Facts("unasked"), ("no-rule",)),
        (Facts("unasked", phone=True, next_at=NOON, task=True), ("call",)),
        (Facts("quiet", next_at=NOON, task=True), ("ask-village",)),
        (Facts("quiet", next_at=NOON), ("quiet-until",)),
        (Facts("quiet"), ("quiet",)),
        (Facts(None, phone=True, family=True), ("number-changed-family",)),
        (Facts(None, phone=True), ("number-changed",)),
        (Facts("unanswered", phone=True, habit="never"), ("call", "never")),
    ],
)
def test_steps_by_example(facts: Facts, steps: tuple[str, ...]) -> None:
    assert next_steps(facts) == steps


def test_every_step_can_be_said() -> None:
    facts = Facts("unasked", held="quiet hours", held_until=NOON, next_at=NOON, said_at=NOON)
    said = set()
    with CATALOGS.context(), CATALOGS.use_locale("zh"):
        for step in STEPS:
            said.add(step_words(step, facts, ZONE))
    assert len(said) == len(STEPS)
    assert any("夜" in it or "早上" in it for it in said)
    assert all("11月18日" in it for it in said if "{" in it)


@settings(
    max_examples=15,
    deadline=None,
    # One database serves all examples: each is rolled back with its transaction.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(world=worlds())
async def test_every_silence_of_a_world_has_one_class_and_a_next_step(
    sqlite_db: Database, world: World
) -> None:
    async with sqlite_db.read() as tx:
        await world.store(tx)
        stand = standings(world.area(1), [world.period], world.now)
        rows = (await tx.execute(stand.select())).all()
        silent = {row.person_id: row.silence for row in rows if is_silent(row.standing)}
        for row in rows:
            assert (row.silence in SILENCES) == (row.standing == "silent")
        facts = await facts_of(tx, silent, world.now)
        assert set(facts) == set(silent)
        assert all(next_steps(it) for it in facts.values())


def test_a_day_is_the_readers() -> None:
    late = Facts("unasked", next_at=NOON + timedelta(hours=14))
    with CATALOGS.context(), CATALOGS.use_locale("en"):
        assert "18 Nov" in steps_words(late, "Europe/Madrid")[0]
        assert "19 Nov" in steps_words(late, ZONE)[0]

"""Corrections, the classes of silence, and feedback: the finer readings, case by case."""

from datetime import timedelta

from storage.database import Database
from storage.register.periods import parse_period
from tests.register_cases import (
    DAY,
    HOUR,
    LATER,
    MIDWEEK,
    SUNDAY,
    TICK,
    WEEK,
    ZONE,
    count,
    make_world,
    silence_of,
    standing_of,
)


async def test_a_correction_takes_the_place_of_what_it_corrects(db: Database) -> None:
    """Also its place in time: last week's call is not this week's for being corrected now."""
    world = make_world(now=LATER)
    person_id = world.settled()
    wrong = world.contact(person_id, MIDWEEK, "liaison", success=True)
    world.contact(person_id, LATER - HOUR, "liaison", success=False, corrects_id=wrong)
    assert standing_of(await count(db, world)) == "tried"
    world.period = parse_period("2026-W49", ZONE)
    assert world.period.start <= LATER - HOUR < LATER
    assert standing_of(await count(db, world)) == "silent"


async def test_the_last_of_several_corrections_counts(db: Database) -> None:
    world = make_world()
    person_id = world.settled()
    wrong = world.contact(person_id, MIDWEEK, "liaison", success=False)
    world.contact(person_id, SUNDAY, "liaison", success=False, corrects_id=wrong)
    world.contact(person_id, SUNDAY, "liaison", success=True, corrects_id=wrong)
    assert standing_of(await count(db, world)) == "reached"


async def test_a_call_taken_back_stands_for_nothing(db: Database) -> None:
    world = make_world()
    person_id = world.settled()
    wrong = world.contact(person_id, MIDWEEK, "liaison", success=True)
    world.contact(person_id, SUNDAY, "liaison", success=False, corrects_id=wrong, outcome="undone")
    assert standing_of(await count(db, world)) == "silent"


async def test_a_relative_who_could_not_answer_vouches_for_nothing(db: Database) -> None:
    world = make_world()
    world.contact(world.settled(), MIDWEEK, "relative", success=False)
    assert standing_of(await count(db, world)) == "silent"


async def _silence(db: Database, *facts: str) -> str:
    world = make_world(now=LATER)
    person_id = world.settled()
    world.accounts.clear()
    for fact in facts:
        match fact.split():
            case ["account", state]:
                world.account(person_id, WEEK.start - DAY, state, MIDWEEK)
            case ["blocked", "afterwards"]:
                world.account(person_id, WEEK.start - DAY, "blocked", WEEK.end)
            case ["checkin"]:
                world.checkin(person_id, MIDWEEK, MIDWEEK)
            case ["checkin", "undelivered"]:
                world.checkin(person_id, MIDWEEK, None)
            case ["checkin", "before"]:
                world.checkin(person_id, WEEK.start - HOUR, WEEK.start - HOUR)
            case ["checkin", "first"]:
                world.checkin(person_id, WEEK.start, WEEK.start)
            case ["checkin", "after"]:
                world.checkin(person_id, MIDWEEK, WEEK.end)
            case ["slower"]:
                world.change(person_id, MIDWEEK, "away", slower=True)
            case ["slower", "afterwards"]:
                world.change(person_id, WEEK.end, "away", slower=True)
            case [state]:
                world.delivery(person_id, state, None if state == "queued" else MIDWEEK)
            case _:
                raise AssertionError(fact)
    return silence_of(await count(db, world))


SILENCES = {
    "unasked": [
        (),
        ("account reachable",),
        ("checkin undelivered",),
        ("checkin before",),
        ("checkin after",),
        ("queued",),
        ("expired",),
        ("cancelled",),
        ("slower afterwards",),
    ],
    "unanswered": [
        ("checkin",),
        ("checkin first",),
        ("sent",),
        ("unknown",),
        ("failed", "sent"),
        ("failed", "checkin"),
        ("slower", "checkin"),
        ("account blocked", "account reachable", "checkin"),
        ("blocked afterwards", "checkin"),
    ],
    "unreachable": [
        ("account blocked",),
        ("account gone", "account blocked"),
        ("account blocked", "checkin", "sent", "slower"),
        ("failed",),
        ("failed", "expired"),
        ("failed", "slower"),
    ],
    "quiet": [
        ("slower",),
        ("slower", "sent"),
        ("slower", "checkin before"),
    ],
}


async def test_silence_has_one_class_by_a_stated_order(db: Database) -> None:
    for silence, cases in SILENCES.items():
        for facts in cases:
            assert await _silence(db, *facts) == silence, facts


async def test_feedback_is_by_the_slots_due_in_the_period(db: Database) -> None:
    world = make_world(now=LATER)
    one, other = world.settled(), world.settled()
    window = timedelta(hours=48)
    last = WEEK.end - HOUR
    world.checkin(one, WEEK.start - TICK, MIDWEEK, MIDWEEK)  # last week's
    world.checkin(one, WEEK.start, WEEK.start, WEEK.start + 10 * HOUR)
    world.checkin(one, MIDWEEK, MIDWEEK, MIDWEEK + window - TICK)
    world.checkin(one, MIDWEEK, MIDWEEK, MIDWEEK + window)  # the window has closed
    world.checkin(other, MIDWEEK, None)
    world.checkin(other, MIDWEEK, MIDWEEK)
    world.checkin(other, last, WEEK.end + HOUR, WEEK.end + 2 * HOUR)  # sent after the night
    world.checkin(other, WEEK.end, WEEK.end, WEEK.end)  # next week's
    register = await count(db, world)
    assert register.as_json()["checkins"] == {"delivered": 5, "answered": 3}
    assert register.feedback_rate == 3 / 5
    assert register.feedback.median == 10 * HOUR
    assert register.feedback.ninetieth == window


async def test_what_the_answer_is_changes_no_feedback(db: Database) -> None:
    """Who answers "going home" is expected no more, and has answered."""
    world = make_world()
    for _ in range(2):
        world.checkin(world.settled(), MIDWEEK, MIDWEEK, MIDWEEK + HOUR)
    before = await count(db, world)
    world.change(1, MIDWEEK + HOUR, "home")
    after = await count(db, world)
    assert (after.expected, after.excluded["home"]) == (1, 1)
    assert after.feedback == before.feedback
    assert after.as_json()["checkins"] == {"delivered": 2, "answered": 2}


async def test_a_slot_stays_with_the_village_it_was_asked_in(db: Database) -> None:
    world = make_world()
    mover = world.settled()
    world.checkin(mover, MIDWEEK, MIDWEEK, MIDWEEK + HOUR)
    world.enrolments[-1].update(until=MIDWEEK + DAY, ended_as="moved")
    world.enrol(mover, 5, MIDWEEK + DAY)
    assert (await count(db, world, area_id=3)).feedback_rate == 1
    assert (await count(db, world, area_id=5)).feedback_rate is None


async def test_what_an_officer_or_a_relative_is_told_is_no_question_to_a_worker(
    db: Database,
) -> None:
    for template, silence in (("broadcast", "unanswered"), ("kin_ask", "unasked")):
        world = make_world()
        world.delivery(world.settled(), "sent", MIDWEEK)
        world.deliveries[0]["template"] = template
        assert silence_of(await count(db, world)) == silence

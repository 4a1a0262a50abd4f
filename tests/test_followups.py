"""What follows a check-in without an answer, on both databases: nudges, a task, the supervisor."""

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest
from sqlalchemy import func, insert, select, update

from scheduler.checkins import plan_due_checkins, set_clocks
from scheduler.followups import end_tasks, follow_up
from storage.calendar.recurrence import Weeks
from storage.database import Database
from storage.family.words import answer_question
from storage.models import Account, Checkin, Contact, Delivery, Kin, KinQuestion, Person, Step, Task
from storage.people.areas import find_area
from storage.people.enrolment import RELATIVE, record_consent
from storage.people.who import load_who
from storage.rhythm.checkins import answer_checkin
from storage.rhythm.tasks import close_tasks, reopen_task
from storage.rules.kept import add_rule, edit_rule, find_rule, stop_rule
from storage.rules.terms import CheckinTerms
from tests.outbox_people import LANE, make_area, make_person

THURSDAY = datetime(2026, 11, 19, 12, tzinfo=UTC)
DUE = datetime(2026, 11, 22, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
TERMS = CheckinTerms("weekly", Weeks(1, (6,)))


async def asked(db: Database) -> int:
    """A worker of a village who was asked on Sunday at ten, and has the question."""
    area = await make_area(db, THURSDAY)
    async with db.write() as tx:
        worker = await make_person(tx, THURSDAY, area=area)
        await add_rule(tx, area, TERMS, THURSDAY)
    await set_clocks(db, THURSDAY)
    await plan_due_checkins(db, DUE)
    async with db.write() as tx:
        await tx.execute(update(Checkin).values(delivered_at=DUE))
    return worker


async def live(db: Database, hours: int, start: datetime = DUE) -> None:
    """The clock of so many hours, a tick each."""
    for hour in range(hours + 1):
        await follow_up(db, start + hour * HOUR)


async def steps(db: Database) -> list[tuple[str, int]]:
    """The steps, with the hours since the check-in was due."""
    async with db.read() as tx:
        rows = await tx.execute(select(Step.kind, Step.at).order_by(Step.id))
        return [(row.kind, int((row.at - DUE) / HOUR)) for row in rows]


async def nudges(db: Database) -> list[str]:
    async with db.read() as tx:
        rows = await tx.execute(
            select(Delivery.template)
            .where(Delivery.template.like("nudge%"))
            .order_by(Delivery.not_before)
        )
        return list(rows.scalars())


async def test_nudges_then_the_liaison_then_the_supervisor(db: Database) -> None:
    await asked(db)
    await live(db, 200)
    assert await steps(db) == [("nudge", 24), ("nudge", 48), ("liaison", 72), ("supervisor", 144)]
    assert await nudges(db) == ["nudge", "nudge_again"]
    async with db.read() as tx:
        task = (await tx.execute(select(Task.__table__))).one()
        assert await tx.scalar(select(Checkin.next_at)) is None
    assert (task.why, task.closed_at) == ("unanswered", None)
    assert task.raised_at == DUE + 144 * HOUR


async def test_silence_that_goes_on_adds_to_the_task_that_is_open(db: Database) -> None:
    await asked(db)
    await live(db, 7 * 24)
    later = DUE + 7 * 24 * HOUR
    await plan_due_checkins(db, later)
    async with db.write() as tx:
        await tx.execute(update(Checkin).where(Checkin.due_at == later).values(delivered_at=later))
    await live(db, 30 * 24, later)
    assert (await steps(db))[4:] == [("nudge", 192), ("nudge", 216), ("liaison", 240)]
    async with db.read() as tx:
        assert await tx.scalar(select(func.count(Checkin.next_at))) == 0
        (task,) = (await tx.execute(select(Task.__table__))).all()
    assert (task.opened_at, task.raised_at) == (DUE + 72 * HOUR, DUE + 144 * HOUR)


async def test_an_answer_ends_it(db: Database) -> None:
    worker = await asked(db)
    await live(db, 30)
    async with db.write() as tx:
        checkin = await tx.scalar(select(Checkin.id))
        await answer_checkin(
            tx, checkin_id=checkin, person_id=worker, answer="ok", now=DUE + 31 * HOUR
        )
    await live(db, 200)
    assert await steps(db) == [("nudge", 24)]


@pytest.mark.parametrize("evidence", ["self", "relative", "liaison"])
async def test_any_word_ends_it(db: Database, evidence: str) -> None:
    worker = await asked(db)
    await live(db, 30)
    async with db.write() as tx:
        area = await tx.scalar(select(Person.area_id))
        await tx.execute(
            insert(Contact).values(
                person_id=worker,
                area_id=area,
                at=DUE + 31 * HOUR,
                evidence=evidence,
                kind="message",
                outcome="x",
                success=True,
            )
        )
    await live(db, 200)
    assert await steps(db) == [("nudge", 24)]


async def test_word_after_the_task_closes_it(db: Database) -> None:
    worker = await asked(db)
    await live(db, 80)
    assert await end_tasks(db, DUE + 80 * HOUR) == 0
    async with db.write() as tx:
        area = await tx.scalar(select(Person.area_id))
        await tx.execute(
            insert(Contact).values(
                person_id=worker,
                area_id=area,
                at=DUE + 81 * HOUR,
                evidence="liaison",
                kind="call",
                outcome="reached",
                success=True,
            )
        )
    assert await end_tasks(db, DUE + 82 * HOUR) == 1
    await live(db, 200)
    assert [kind for kind, _ in await steps(db)] == ["nudge", "nudge", "liaison"]


async def test_a_call_that_is_taken_back_opens_the_task_again(db: Database) -> None:
    worker = await asked(db)
    await live(db, 80)
    at = DUE + 81 * HOUR
    async with db.write() as tx:
        area = await tx.scalar(select(Person.area_id))
        call = {
            "person_id": worker,
            "area_id": area,
            "at": at,
            "evidence": "liaison",
            "kind": "call",
            "outcome": "reached",
            "success": True,
        }
        noted = await tx.scalar(insert(Contact).values(call).returning(Contact.id))
        assert await close_tasks(tx, at, worker + 1) == 0
        assert await close_tasks(tx, at, worker) == 1
        undone = {"outcome": "undone", "success": False, "corrects_id": noted}
        await tx.execute(insert(Contact).values(call | undone))
        await reopen_task(tx, worker, at)
    assert await end_tasks(db, at + HOUR) == 0
    async with db.read() as tx:
        assert await tx.scalar(select(Task.closed_at)) is None


async def test_who_cannot_be_reached_is_for_the_liaison_at_once(db: Database) -> None:
    await asked(db)
    async with db.write() as tx:
        await tx.execute(update(Account).values(state="blocked"))
    await live(db, 30)
    assert await steps(db) == [("liaison", 24)]
    assert await nudges(db) == []


async def test_a_pause_ends_it(db: Database) -> None:
    await asked(db)
    async with db.write() as tx:
        await tx.execute(update(Person).values(status="paused"))
    await live(db, 200)
    assert await steps(db) == []


async def test_twice_and_late_is_once(db: Database) -> None:
    await asked(db)
    for _ in range(3):
        await follow_up(db, DUE + 50 * HOUR)
    assert await steps(db) == [("nudge", 50)]
    assert await nudges(db) == ["nudge_again"]


async def test_an_edited_rule_leaves_what_is_out_as_it_was(db: Database) -> None:
    await asked(db)
    async with db.write() as tx:
        area = await find_area(tx, "village")
        rule = await find_rule(tx, area, "weekly")
        gentle = CheckinTerms("weekly", Weeks(2, (0,)), nudges=(), then="none", supervisor=None)
        await edit_rule(tx, rule, gentle, DUE + HOUR)
    await live(db, 80)
    assert [kind for kind, _ in await steps(db)] == ["nudge", "nudge", "liaison"]


async def test_a_stopped_rule_asks_no_further(db: Database) -> None:
    await asked(db)
    async with db.write() as tx:
        area = await find_area(tx, "village")
        await stop_rule(tx, await find_rule(tx, area, "weekly"), DUE + HOUR)
    await live(db, 80)
    assert await steps(db) == []


@pytest.mark.parametrize(
    ("said", "steps_then"),
    [
        ("fine", ["nudge", "nudge", "relative"]),
        ("no", ["nudge", "nudge", "relative", "liaison"]),
        ("call", ["nudge", "nudge", "relative"]),  # the task is there with the answer
        (None, ["nudge", "nudge", "relative", "liaison", "supervisor"]),
    ],
)
async def test_the_family_is_asked_before_the_liaison(
    db: Database, said: Literal["fine", "no", "call"] | None, steps_then: list[str]
) -> None:
    worker = await asked(db)
    async with db.write() as tx:
        mother = await make_person(tx, THURSDAY, name="妈妈", chat_id=77)
        await tx.execute(
            insert(Kin).values(
                worker_id=worker, relative_id=mother, agreed_at=THURSDAY, accepted_at=THURSDAY
            )
        )
        await record_consent(
            tx, mother, purpose=RELATIVE, given=True, channel="telegram", now=THURSDAY
        )
    await live(db, 73)
    async with db.write() as tx:
        question = await tx.scalar(select(KinQuestion.id))
        assert question is not None
        if said is not None:
            who = await load_who(tx, LANE, 77)
            assert who is not None
            noted = await answer_question(tx, who, question, said, DUE + 74 * HOUR)
            assert noted.what == "noted"
    await live(db, 60, DUE + 75 * HOUR)
    if said is None:
        await live(db, 200, DUE + 75 * HOUR)
    found = [kind for kind, _ in await steps(db)]
    assert found == steps_then
    async with db.read() as tx:
        why = await tx.scalar(select(Task.why))
    assert why == {"fine": None, "no": "no", "call": "call", None: "unanswered"}[said]

"""Silence from the check-in to the supervisor, on Telegram: every step stops on any word."""

from datetime import timedelta
from typing import Any

from sqlalchemy import insert, update

from scheduler.digests import tell_officers
from scheduler.followups import follow_up
from storage.models import (
    Account,
    Case,
    Checkin,
    Contact,
    Delivery,
    Kin,
    KinQuestion,
    Person,
    Rule,
    RuleVersion,
    Step,
    Task,
)
from storage.people.areas import find_area
from storage.people.erasure import erase_without_purpose
from storage.rhythm.tasks import NewTask, add_tasks, close_tasks
from storage.rules.defaults import WEEKLY
from storage.rules.table import to_json
from tests.botapi import Message, PrivateConversation
from tests.one_family import ask_kin
from tests.test_story_relatives import ASKED, OVER, pair
from tests.town import Town, eventually, says, tap, town, word, write

__all__ = ["town"]

DIGEST = "{n} person could use a word from you: we have asked, and heard nothing."
WISH = "A family asks to be called about someone of theirs."


async def asked(town: Town, phone: PrivateConversation, *, hours: float = 1) -> int:
    """A check-in of a rule that was delivered so many hours ago: its id."""
    who = await town.known(phone)
    at = town.clock() - timedelta(hours=hours)
    async with town.db.write() as tx:
        area = await find_area(tx, "V")
        # A rule of the past: the town's own clock plans nothing by it.
        rule = await tx.scalar(
            insert(Rule)
            .values(
                area_id=area.id,
                code=f"told-{who.person_id}",
                terms=to_json(WEEKLY),
                since=at,
                stopped_at=at,
            )
            .returning(Rule.id)
        )
        await tx.execute(
            insert(RuleVersion).values(rule_id=rule, version=1, terms=to_json(WEEKLY), at=at)
        )
        checkin: int = await tx.scalar(
            insert(Checkin)
            .values(
                person_id=who.person_id,
                area_id=area.id,
                rule_id=rule,
                version=1,
                slot="2026-11-22",
                due_at=at,
                window_until=at + timedelta(hours=72),
                delivered_at=at,
            )
            .returning(Checkin.id)
        )
    return checkin


async def hold_a_nudge(town: Town, checkin: int, person_id: int) -> None:
    """A nudge that waits for its hour."""
    now = town.clock()
    async with town.db.write() as tx:
        await tx.execute(
            insert(Delivery).values(
                person_id=person_id,
                template="nudge",
                priority=1,
                lane=town.account.id,
                checkin_id=checkin,
                dedupe_key=f"nudge:{checkin}:1",
                not_before=now + timedelta(minutes=20),
                expires_at=now + timedelta(hours=40),
                created_at=now,
            )
        )


async def nudge_of(town: Town) -> Any:
    async def over() -> Any:
        rows = await town.rows(Delivery, Delivery.template == "nudge")
        return rows[0] if rows and rows[0].finished_at is not None else None

    town.move(minutes=21)
    return await eventually(over)


async def test_a_waiting_nudge_stops_on_a_word_in_another_way(town: Town) -> None:
    fang = await town.worker("小芳")
    who = await town.known(fang)
    checkin = await asked(town, fang)
    await hold_a_nudge(town, checkin, who.person_id)
    page = await write(fang, "换地方了")  # a status, not the check-in's button
    assert page.from_bot
    (row,) = await town.rows(Checkin, Checkin.id == checkin)
    async with town.db.write() as tx:  # as if the words had not been taken for its answer
        await tx.execute(update(Checkin).values(answered_at=None))
    assert row.person_id == who.person_id
    ended = await nudge_of(town)
    assert (ended.state, ended.reason) == ("cancelled", "there was word of them meanwhile")


async def test_a_waiting_nudge_stops_on_the_familys_word(town: Town) -> None:
    fang, mum = await pair(town)
    async with town.db.write() as tx:
        await tx.execute(update(Contact).values(at=town.clock() - timedelta(days=9)))
    who = await town.known(fang)
    checkin = await asked(town, fang)
    await hold_a_nudge(town, checkin, who.person_id)
    page = await write(mum, word("I've heard from my family"))
    await tap(mum, page, "kn:fine")
    ended = await nudge_of(town)
    assert (ended.state, ended.reason) == ("cancelled", "there was word of them meanwhile")


async def test_a_nudge_leaves_when_there_was_none(town: Town) -> None:
    fang = await town.worker("小芳")
    who = await town.known(fang)
    await hold_a_nudge(town, await asked(town, fang), who.person_id)
    assert (await nudge_of(town)).state == "sent"


async def with_task(town: Town, phone: PrivateConversation, why: str = "unanswered") -> None:
    who = await town.known(phone)
    assert who.area_id is not None
    async with town.db.write() as tx:
        raise_at = town.clock() + timedelta(hours=72)
        task = NewTask(who.person_id, who.area_id, None, why, raise_at)
        await add_tasks(tx, [task], town.clock())
    await tell_officers(town.db, town.clock())
    town.service.delivery.nudge()


async def tasks_page(phone: PrivateConversation) -> Message:
    return await write(phone, "任务")


async def test_the_liaison_is_told_and_calls_in_two_taps(town: Town) -> None:
    liaison = await town.officer("老韦")
    fang = await town.worker("小芳")
    await with_task(town, fang)
    (digest,) = await liaison.heard()
    assert says(digest, DIGEST)
    assert "小芳" not in digest.text  # who it is, is one tap away, and that look is written down
    listed = await tap(liaison, digest, "lm:tasks")
    assert "小芳" in listed
    card = await tap(liaison, digest, "lp:")
    assert word("There is no number: ask their household, or the neighbours' liaison.") in card
    noted = await tap(liaison, digest, data_of_call(digest, reached=True))
    assert "小芳" in noted
    (task,) = await town.rows(Task)
    assert (task.closed_as, task.closed_at is not None) == ("reached", True)
    # Taken back, it is open again; and back leads to the list of tasks.
    await tap(liaison, digest, "lu:")
    (task,) = await town.rows(Task)
    assert (task.closed_as, task.closed_at) == (None, None)
    assert "小芳" in await tap(liaison, digest, "lt:")


def data_of_call(message: Message, *, reached: bool) -> str:
    for row in message.buttons:
        for button in row:
            data = str(button.get("callback_data", ""))
            if data.startswith("ll:") and data.split(":")[2] == str(int(reached)):
                return data
    raise LookupError(message.buttons)


async def test_a_task_closes_on_any_word_and_is_not_told_then(town: Town) -> None:
    liaison = await town.officer("老韦")
    fang = await town.worker("小芳")
    town.move(hours=2)  # ten at night: the digest waits for the morning
    await with_task(town, fang)
    await write(fang, "平安")
    async with town.db.write() as tx:
        await close_tasks(tx, town.clock())
    (task,) = await town.rows(Task)
    assert task.closed_as == "heard"
    town.move(hours=10, minutes=5)

    async def over() -> Any:
        rows = await town.rows(Delivery, Delivery.template == "tasks")
        return rows[0] if rows[0].finished_at is not None else None

    ended = await eventually(over)
    assert (ended.state, ended.reason) == ("cancelled", "there was word of them meanwhile")
    assert liaison.messages == []
    # The morning is of the next week, for which nobody has written yet.
    assert "眼下没有要打电话的，但这周有 1 人还没消息" in (await tasks_page(liaison)).text


async def test_a_familys_wish_reaches_the_liaison_at_once(town: Town) -> None:
    liaison = await town.officer("老韦")
    fang = await town.worker("小芳")
    await with_task(town, fang)
    await liaison.heard()
    await with_task(town, fang, why="call")
    (wish,) = await liaison.heard()
    assert says(wish, WISH)


async def test_needing_help_skips_every_step(town: Town) -> None:
    liaison = await town.officer("老韦")
    boss = await town.officer("镇主任", "T", role="supervisor")
    fang, mum = await pair(town)
    async with town.db.write() as tx:
        await tx.execute(update(Contact).values(at=town.clock() - timedelta(days=9)))
    who = await town.known(fang)
    checkin = await asked(town, fang, hours=80)
    async with town.db.write() as tx:
        await tx.execute(update(Checkin).values(next_at=town.clock()))
    await follow_up(town.db, town.clock())
    (step,) = await town.rows(Step)
    assert step.kind == "relative"
    await with_task(town, fang)
    await liaison.heard()
    mum.skip()

    page = await write(fang, "求助")
    await tap(fang, page, "hp:urgent")
    await eventually(lambda: town.rows(Case, Case.person_id == who.person_id))
    async with town.db.write() as tx:
        await tx.execute(update(Checkin).values(next_at=town.clock()))
        await close_tasks(tx, town.clock())
    await follow_up(town.db, town.clock() + timedelta(hours=100))
    steps = await town.rows(Step)
    assert len(steps) == 1  # nothing more was asked of anyone
    (task,) = await town.rows(Task)
    assert task.closed_as == "heard"
    (row,) = await town.rows(Checkin, Checkin.id == checkin)
    assert row.next_at is None
    (call,) = await boss.heard()  # an urgent call goes up at once
    assert "小芳" in call.text


async def test_a_relative_who_withdraws_meanwhile_leaves_it_to_the_liaison(town: Town) -> None:
    fang, mum = await pair(town)
    async with town.db.write() as tx:
        await tx.execute(update(Contact).values(at=town.clock() - timedelta(days=9)))
    who = await town.known(fang)
    checkin = await asked(town, fang, hours=80)
    async with town.db.write() as tx:
        await ask_kin(tx, checkin, who.person_id, town.clock())
        await tx.execute(update(Checkin).values(next_at=town.clock(), stage=2))
    town.service.delivery.nudge()
    (question,) = await mum.heard()
    assert says(question, ASKED)
    page = await write(mum, word("My data"))
    await tap(mum, page, "kn:mine")
    await tap(mum, page, "kn:stop")
    said = await tap(mum, question, "ka:")
    assert says(said, "You are not asked about them any more, so nothing was noted. Thank you.")
    await follow_up(town.db, town.clock())
    (task,) = await town.rows(Task)
    assert (task.why, task.closed_at) == ("unanswered", None)
    (asked_once,) = await town.rows(KinQuestion)
    assert asked_once.answer is None


async def forget(town: Town) -> None:
    async with town.db.write() as tx:
        await erase_without_purpose(tx, town.clock(), 20)


async def test_a_relative_without_anyone_left_is_forgotten(town: Town) -> None:
    fang, mum = await pair(town)
    mother = await town.known(mum)
    page = await write(fang, word("My data"))
    await tap(fang, page, "md:family")
    await tap(fang, page, "md:kin_end")
    (told,) = await mum.heard()
    assert says(told, OVER)
    await forget(town)
    (row,) = await town.rows(Person, Person.id == mother.person_id)
    assert row.erased_at is None  # for a week, so that she hears of it
    town.move(days=7, minutes=1)
    await forget(town)
    (row,) = await town.rows(Person, Person.id == mother.person_id)
    assert (row.name, row.erased_at is not None) == (None, True)
    assert await town.count(Account, Account.person_id == mother.person_id) == 0
    (tie,) = await town.rows(Kin)
    assert tie.ended_by == "worker"
    assert await town.known(fang)

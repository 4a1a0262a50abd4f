"""Which relative is asked about a silent worker, once, and who is not."""

import asyncio
from datetime import datetime
from random import Random

import pytest
from sqlalchemy import select, update

from storage.database import Database
from storage.family.asking import (
    ANSWER_WITHIN,
    KinState,
    ask_families,
    kin_state,
    questions_asked,
)
from storage.family.ties import end_tie
from storage.family.words import answer_question, open_questions
from storage.models import Contact, KinQuestion, Person
from storage.people.erasure import erase_person
from storage.people.who import mark_account
from tests.county import BOT, make_area, make_person
from tests.kin_family import DAY, HOUR, asked, family, letters, tie
from tests.one_family import ask_kin


async def test_one_relative_is_asked_once(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        _, fang, mum = await family(tx, now)
        checkin = await asked(tx, fang, now)
        assert await kin_state(tx, [checkin]) == {}
        assert await ask_kin(tx, checkin, fang.person_id, now) is None
        await tie(tx, fang, mum, now)
        assert await kin_state(tx, [checkin, 999]) == {checkin: KinState(relative=True)}
        question = await ask_kin(tx, checkin, fang.person_id, now)
        assert question is not None
        assert await ask_kin(tx, checkin, fang.person_id, now + HOUR) == question
        assert await ask_kin(tx, checkin, mum.person_id, now) is None  # not hers
        assert await kin_state(tx, [checkin]) == {checkin: KinState(True, now)}
        (letter,) = await letters(tx, "kin_ask")
        assert (letter.person_id, letter.params) == (mum.person_id, {"question": question})
        assert (letter.lane, letter.checkin_id) == (BOT, None)
        assert letter.expires_at == now + ANSWER_WITHIN
        (open_one,) = await open_questions(tx, mum.person_id, now + HOUR)
        assert (open_one.id, open_one.name) == (question, "Fang")
        assert await open_questions(tx, mum.person_id, now + ANSWER_WITHIN) == []


@pytest.mark.parametrize(
    "change",
    ["worker paused", "worker home", "relative paused", "unreachable", "erased", "ended"],
)
async def test_nobody_is_asked_who_should_not_be(db: Database, now: datetime, change: str) -> None:
    async with db.write() as tx:
        _, fang, mum = await family(tx, now)
        kin_id = await tie(tx, fang, mum, now)
        before, after = await asked(tx, fang, now), await asked(tx, fang, now, "2026-11-29")
        question = await ask_kin(tx, before, fang.person_id, now)
        assert question is not None
        assert (await questions_asked(tx, [question]))[question].trouble is None
        of = {"worker": fang.person_id, "relative": mum.person_id}
        if change == "unreachable":
            await mark_account(tx, mum.account_id, "blocked", now)
        elif change == "erased":
            await erase_person(tx, mum, now)
        elif change == "ended":
            await end_tie(tx, mum, kin_id, "relative", now)
        else:
            side, status = change.split()
            await tx.execute(update(Person).where(Person.id == of[side]).values(status=status))
        assert await ask_kin(tx, after, fang.person_id, now) is None
        assert await kin_state(tx, [after]) == {}
        # The question that is out counts as not asked, and its letter stays at home where it can.
        assert not (await kin_state(tx, [before])).get(before, KinState()).asked_at
        letter = (await questions_asked(tx, [question]))[question]
        assert (letter.trouble is None) == (change in ("relative paused", "unreachable"))


async def test_who_withdrew_makes_room_for_the_next(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        elm, fang, mum = await family(tx, now)
        dad = await make_person(tx, "Dad", now)
        first = await tie(tx, fang, mum, now)
        await tie(tx, fang, dad, now)
        checkin = await asked(tx, fang, now)
        await ask_kin(tx, checkin, fang.person_id, now)
        (letter,) = await letters(tx, "kin_ask")
        assert letter.person_id == dad.person_id  # the newest, as nobody answered yet
        await mark_account(tx, dad.account_id, "blocked", now)
        assert await kin_state(tx, [checkin]) == {checkin: KinState(relative=True)}
        question = await ask_kin(tx, checkin, fang.person_id, now)
        assert question is not None
        assert [it.person_id for it in await letters(tx, "kin_ask")] == [
            dad.person_id,
            mum.person_id,
        ]
        said = await answer_question(tx, mum, question, "no", now + HOUR)
        assert said.what == "noted"
        await end_tie(tx, mum, first, "relative", now + HOUR)
        # What was said stays said.
        assert (await kin_state(tx, [checkin]))[checkin] == KinState(False, now, "no")
        del elm


async def test_the_one_who_answers_is_asked_again(db: Database, now: datetime) -> None:
    """Against the rule in words: of those reachable, who answered last, else who came last."""
    random = Random(20261122)
    async with db.write() as tx:
        elm = await make_area(tx, "elm", now)
        worker = await make_person(tx, "Fang", now, area=elm)
        relatives = [await make_person(tx, f"R{n}", now) for n in range(3)]
        ties = [await tie(tx, worker, relative, now) for relative in relatives]
        answered: dict[int, datetime] = {}
        reachable = dict.fromkeys(range(3), True)
        for round_ in range(25):
            at = now + round_ * DAY
            for n, relative in enumerate(relatives):
                reachable[n] = random.random() < 0.7
                state = "reachable" if reachable[n] else "blocked"
                await mark_account(tx, relative.account_id, state, at)
            checkin = await asked(tx, worker, at, f"slot {round_}")
            question = await ask_kin(tx, checkin, worker.person_id, at)
            can = [n for n in range(3) if reachable[n]]
            if not can:
                assert question is None
                continue
            best = max(can, key=lambda n: (n in answered, answered.get(n, now), n))
            kin_id = await tx.scalar(select(KinQuestion.kin_id).where(KinQuestion.id == question))
            assert kin_id == ties[best], round_
            if random.random() < 0.5:
                assert question is not None
                said = await answer_question(tx, relatives[best], question, "no", at + HOUR)
                assert said.what == "noted"
                answered[best] = at + HOUR


async def test_many_are_asked_at_once(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        elm = await make_area(tx, "elm", now)
        workers = [await make_person(tx, f"W{n}", now, area=elm) for n in range(4)]
        mum = await make_person(tx, "Mum", now)
        for worker in workers[:3]:
            await tie(tx, worker, mum, now)
        checkins = [await asked(tx, worker, now) for worker in workers]
        questions = await ask_families(tx, checkins, now)
        assert sorted(questions) == checkins[:3]
        assert await ask_families(tx, checkins, now + HOUR) == questions
        assert await ask_families(tx, [], now) == {}
        assert len(await letters(tx, "kin_ask")) == 3
        states = await kin_state(tx, checkins)
        assert states == dict.fromkeys(checkins[:3], KinState(True, now))


async def test_what_was_heard_meanwhile_keeps_the_letter_home(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        elm, fang, mum = await family(tx, now)
        await tie(tx, fang, mum, now)
        question = await ask_kin(tx, await asked(tx, fang, now), fang.person_id, now)
        assert question is not None
        await tx.execute(
            tx.insert(Contact).values(
                person_id=fang.person_id,
                area_id=elm.id,
                at=now + HOUR,
                evidence="self",
                kind="message",
                outcome="message",
                success=True,
            )
        )
        letter = (await questions_asked(tx, [question]))[question]
        assert (letter.name, letter.trouble) == ("Fang", "answered before it was sent")


async def test_two_processes_ask_once(postgres_db: Database, now: datetime) -> None:
    async with postgres_db.write() as tx:
        _, fang, mum = await family(tx, now)
        await tie(tx, fang, mum, now)
        checkin = await asked(tx, fang, now)

    async def ask() -> int | None:
        async with postgres_db.write() as tx:
            return await ask_kin(tx, checkin, fang.person_id, now)

    questions = await asyncio.gather(*(ask() for _ in range(4)))
    assert questions[0] is not None
    assert len(set(questions)) == 1
    async with postgres_db.read() as tx:
        assert len(await letters(tx, "kin_ask")) == 1

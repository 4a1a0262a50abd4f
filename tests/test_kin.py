"""The family asked about a silent worker: whom, when it counts, and how it ends."""

import asyncio
import json
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select, update

from storage.database import Database, Tx
from storage.family.asking import (
    ANSWER_WITHIN,
    KinState,
    ask_families,
    ask_kin,
    kin_state,
    questions_asked,
)
from storage.family.links import find_inviter, invite_relative, take_back_link
from storage.family.ties import (
    end_tie,
    family_of,
    join_family,
    parties_of,
    relatives_of,
    spoken_for,
    with_family,
)
from storage.family.words import answer_question, open_questions, vouch_unasked
from storage.models import Checkin, Contact, Delivery, Kin, KinQuestion, Person
from storage.people.areas import AreaInfo
from storage.people.enrolment import RELATIVE, VOUCH, has_consent, record_consent
from storage.people.erasure import erase_person
from storage.people.invites import BadInvite, check_invite, use_invite
from storage.people.mydata import export_person
from storage.people.who import Who, load_who, mark_account
from storage.register.figures import live_figures
from tests.county import BOT, make_area, make_person

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


async def tie(tx: Tx, worker: Who, relative: Who, now: datetime) -> int:
    """The relative took up a link of the worker's."""
    token = await invite_relative(tx, worker, now)
    assert token is not None
    invite = await check_invite(tx, token, now)
    inviter = await find_inviter(tx, invite)
    assert inviter is not None
    assert await use_invite(tx, invite.id)
    await record_consent(
        tx, relative.person_id, purpose=RELATIVE, given=True, channel="web", now=now
    )
    return await join_family(tx, relative.person_id, inviter, now)


async def asked(tx: Tx, worker: Who, now: datetime, slot: str = "2026-11-22") -> int:
    """A check-in without an answer, whose next step is due tomorrow."""
    return int(
        await tx.scalar(
            tx.insert(Checkin)
            .values(
                person_id=worker.person_id,
                area_id=worker.area_id,
                slot=slot,
                due_at=now - DAY,
                window_until=now,
                delivered_at=now - DAY,
                next_at=now + DAY,
            )
            .returning(Checkin.id)
        )
    )


async def again(tx: Tx, who: Who) -> Who:
    renewed = await load_who(tx, BOT, who.chat_id)
    assert renewed is not None
    return renewed


async def family(tx: Tx, now: datetime) -> tuple[AreaInfo, Who, Who]:
    elm = await make_area(tx, "elm", now)
    fang = await make_person(tx, "Fang", now, area=elm)
    mum = await make_person(tx, "Mum", now)
    return elm, fang, mum


async def letters(tx: Tx, template: str) -> list[Any]:
    rows = await tx.execute(
        select(Delivery).where(Delivery.template == template).order_by(Delivery.id)
    )
    return list(rows)


async def test_a_link_is_the_workers_and_lets_one_in_once(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        _, fang, mum = await family(tx, now)
        token = await invite_relative(tx, fang, now)
        assert token is not None
        assert token.startswith("r")
        assert await has_consent(tx, fang.person_id, VOUCH)
        invite = await check_invite(tx, token, now + 13 * DAY)
        assert (invite.kind, invite.person_id, invite.area_id) == ("relative", fang.person_id, None)
        with pytest.raises(BadInvite, match="expired"):
            await check_invite(tx, token, now + 14 * DAY)
        ((link),) = (await family_of(tx, fang.person_id, now)).links
        assert not await take_back_link(tx, mum, link.invite_id, now)  # not hers
        assert await take_back_link(tx, fang, link.invite_id, now)
        assert not await take_back_link(tx, fang, link.invite_id, now)
        with pytest.raises(BadInvite, match="unknown"):
            await check_invite(tx, token, now)
        assert not await has_consent(tx, fang.person_id, VOUCH)
        kin_id = await tie(tx, fang, mum, now)
        assert not mum.is_relative
        assert (await again(tx, mum)).is_relative
        assert await with_family(tx, [fang.person_id, mum.person_id]) == {fang.person_id}
        (one,) = await relatives_of(tx, fang.person_id)
        assert (one.kin_id, one.person_id, one.name, one.phone) == (
            kin_id,
            mum.person_id,
            "Mum",
            None,
        )
        for _ in range(4):
            assert await invite_relative(tx, fang, now)
        assert await invite_relative(tx, fang, now) is None  # enough
        # Links that nobody took up make room when they are too old.
        assert await invite_relative(tx, fang, now + 15 * DAY)


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


@pytest.mark.parametrize(("answer", "vouched"), [("fine", 1), ("no", 0), ("call", 0)])
async def test_only_fine_counts_as_word(
    db: Database, now: datetime, answer: Any, vouched: int
) -> None:
    async with db.write() as tx:
        elm, fang, mum = await family(tx, now)
        await tie(tx, fang, mum, now)
        checkin = await asked(tx, fang, now)
        question = await ask_kin(tx, checkin, fang.person_id, now)
        assert question is not None
        later = now + HOUR
        said = await answer_question(tx, mum, question, answer, later)
        assert (said.what, said.answer) == ("noted", answer)
        assert said.about is not None
        assert (said.about.name, said.about.area_name) == ("Fang", "Elm")
        assert (await kin_state(tx, [checkin]))[checkin].said == answer
        figures = await live_figures(tx, elm, later + HOUR)
        assert figures["vouched"] == vouched
        rows = list(await tx.execute(select(Contact)))
        assert [
            (row.person_id, row.evidence, row.kind, row.outcome, row.success, row.by_person_id)
            for row in rows
        ] == [(fang.person_id, "relative", "vouch", "fine", True, mum.person_id)] * vouched
        assert [row.checkin_id for row in rows] == [checkin] * vouched
        # What comes next need not wait any longer.
        assert await tx.scalar(select(Checkin.next_at)) == later
        assert (await answer_question(tx, mum, question, "fine", later)).what == "again"
        assert (await live_figures(tx, elm, later + HOUR))["vouched"] == vouched


async def test_answers_without_effect(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        elm, fang, mum = await family(tx, now)
        ming = await make_person(tx, "Ming", now, area=elm)
        first, second = await tie(tx, fang, mum, now), await tie(tx, ming, mum, now)
        of_fang = await ask_kin(tx, await asked(tx, fang, now), fang.person_id, now)
        of_ming = await ask_kin(tx, await asked(tx, ming, now), ming.person_id, now)
        assert of_fang is not None
        assert of_ming is not None

        async def what(question: int, who: Who = mum, at: datetime = now) -> str:
            return (await answer_question(tx, who, question, "fine", at)).what

        assert await what(of_fang, fang) == "foreign"
        assert await what(10**9) == "foreign"
        assert await what(of_fang, at=now + ANSWER_WITHIN) == "late"
        assert (await vouch_unasked(tx, fang, first, now)).what == "foreign"
        await end_tie(tx, fang, first, "worker", now)
        assert await what(of_fang) == "over"
        assert (await vouch_unasked(tx, mum, first, now)).what == "over"
        await erase_person(tx, ming, now)
        assert await what(of_ming) == "left"
        assert (await vouch_unasked(tx, mum, second, now)).what == "left"
        assert await tx.scalar(select(func.count()).select_from(Contact)) == 0


async def test_word_given_unasked_counts_once_a_day(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        elm, fang, mum = await family(tx, now)
        kin_id = await tie(tx, fang, mum, now)
        mum = await again(tx, mum)
        noon = now.replace(hour=4, minute=0)  # in China
        assert (await vouch_unasked(tx, mum, kin_id, noon)).what == "noted"
        assert (await vouch_unasked(tx, mum, kin_id, noon + 11 * HOUR)).what == "today"
        assert (await vouch_unasked(tx, mum, kin_id, noon + 12 * HOUR)).what == "noted"
        # What she is asked she may answer all the same, and this is one way to.
        question = await ask_kin(tx, await asked(tx, fang, noon), fang.person_id, noon)
        assert question is not None
        assert (await vouch_unasked(tx, mum, kin_id, noon + 13 * HOUR)).what == "noted"
        assert await open_questions(tx, mum.person_id, noon + 13 * HOUR) == []
        said = await tx.scalar(select(KinQuestion.answer))
        assert said == "fine"
        assert await tx.scalar(select(func.count()).select_from(Contact)) == 3
        del elm


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


@pytest.mark.parametrize("by", ["worker", "relative"])
async def test_either_ends_it(db: Database, now: datetime, by: Any) -> None:
    async with db.write() as tx:
        _, fang, mum = await family(tx, now)
        kin_id = await tie(tx, fang, mum, now)
        mine, other = (fang, mum) if by == "worker" else (mum, fang)
        purpose = VOUCH if by == "worker" else RELATIVE
        assert await end_tie(tx, other, kin_id, by, now) is None  # not their side
        ended = await end_tie(tx, mine, kin_id, by, now)
        assert ended is not None
        assert (ended.worker, ended.relative, ended.stands) == ("Fang", "Mum", False)
        assert await end_tie(tx, mine, kin_id, by, now) is None
        assert not await has_consent(tx, mine.person_id, purpose)
        (letter,) = await letters(tx, "kin_over" if by == "worker" else "kin_stopped")
        assert (letter.person_id, letter.params) == (other.person_id, {"kin": kin_id})
        assert not (await again(tx, mum)).is_relative
        # And it may begin anew.
        await tie(tx, fang, mum, now)
        assert len(await spoken_for(tx, mum.person_id)) == 1


async def test_consent_goes_with_the_last(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        _, fang, mum = await family(tx, now)
        dad = await make_person(tx, "Dad", now)
        first, second = await tie(tx, fang, mum, now), await tie(tx, fang, dad, now)
        await end_tie(tx, fang, first, "worker", now)
        assert await has_consent(tx, fang.person_id, VOUCH)
        await end_tie(tx, fang, second, "worker", now + HOUR)
        assert not await has_consent(tx, fang.person_id, VOUCH)


@pytest.mark.parametrize("who_leaves", ["Fang", "Mum"])
async def test_leaving_ends_it_and_tells_the_other_no_more(
    db: Database, now: datetime, who_leaves: str
) -> None:
    async with db.write() as tx:
        _, fang, mum = await family(tx, now)
        kin_id = await tie(tx, fang, mum, now)
        token = await invite_relative(tx, fang, now)
        assert token is not None
        question = await ask_kin(tx, await asked(tx, fang, now), fang.person_id, now)
        assert question is not None
        leaver, other = (fang, mum) if who_leaves == "Fang" else (mum, fang)
        await erase_person(tx, leaver, now)
        (parties,) = (await parties_of(tx, [kin_id])).values()
        assert not parties.stands
        assert (parties.worker, parties.relative) == (
            (None, "Mum") if leaver is fang else ("Fang", None)
        )
        template = "kin_over" if leaver is fang else "kin_stopped"
        (letter,) = await letters(tx, template)
        assert (letter.person_id, letter.state) == (other.person_id, "queued")
        assert await spoken_for(tx, mum.person_id) == []
        if leaver is fang:
            with pytest.raises(BadInvite, match="unknown"):
                await check_invite(tx, token, now)
        kept = json.dumps(await export_person(tx, other.person_id))
        assert who_leaves not in kept


async def test_the_copy_shows_both_sides(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        _, fang, mum = await family(tx, now)
        kin_id = await tie(tx, fang, mum, now)
        question = await ask_kin(tx, await asked(tx, fang, now), fang.person_id, now)
        assert question is not None
        await answer_question(tx, mum, question, "no", now + HOUR)
        await end_tie(tx, fang, kin_id, "worker", now + DAY)
        of_fang = await export_person(tx, fang.person_id)
        of_mum = await export_person(tx, mum.person_id)
        ended = {
            "agreed_at": now.isoformat(),
            "ended_at": (now + DAY).isoformat(),
            "ended_by": "worker",
        }
        assert of_fang["may_speak_for_me"] == [{"name": "Mum", **ended}]
        assert of_mum["i_may_speak_for"] == [{"name": "Fang", **ended}]
        assert of_fang["i_may_speak_for"] == of_mum["may_speak_for_me"] == []
        said = {
            "asked_at": now.isoformat(),
            "answered_at": (now + HOUR).isoformat(),
            "answer": "no",
        }
        assert of_fang["asked_of_family"] == [{"about_me": True, **said}]
        assert of_mum["asked_of_family"] == [{"about_me": False, **said}]
        assert await tx.scalar(select(func.count()).select_from(Kin)) == 1


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

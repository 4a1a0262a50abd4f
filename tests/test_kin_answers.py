"""What a relative's answer counts for, asked or unasked."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from storage.database import Database
from storage.family.asking import ANSWER_WITHIN, kin_state
from storage.family.ties import end_tie
from storage.family.words import answer_question, open_questions, vouch_unasked
from storage.models import Checkin, Contact, KinQuestion
from storage.people.erasure import erase_person
from storage.people.who import Who
from storage.register.figures import live_figures
from tests.county import make_person
from tests.kin_family import HOUR, again, asked, family, tie
from tests.one_family import ask_kin


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

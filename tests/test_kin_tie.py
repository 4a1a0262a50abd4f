"""How a relative comes to speak for a worker, and how that ends, for both and in their copies."""

import json
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from storage.database import Database
from storage.family.links import invite_relative, take_back_link
from storage.family.ties import (
    end_tie,
    family_of,
    parties_of,
    relatives_of,
    spoken_for,
    with_family,
)
from storage.family.words import answer_question
from storage.models import Kin
from storage.people.enrolment import RELATIVE, VOUCH, has_consent
from storage.people.erasure import erase_person
from storage.people.invites import BadInvite, check_invite
from storage.people.mydata import export_person
from tests.county import make_person
from tests.kin_family import DAY, HOUR, again, asked, family, letters, tie
from tests.one_family import ask_kin


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

"""The silent list: who stands on it, in what order, who may see it; and calls noted once."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from storage.database import Database, Tx
from storage.models import Contact, Person
from storage.people.areas import AreaInfo
from storage.people.duties import access_area_by_id, areas_to_choose
from storage.people.who import Who
from storage.register.calls import Undone, note_call, undo_call
from storage.register.contacts import log_attempt, record_heard
from storage.register.figures import Counts
from storage.register.silence import access_person, officer_areas, silent_list, today_figures
from tests.county import make_area, make_person


async def _names(tx: Tx, area: AreaInfo, now: datetime, limit: int = 9, offset: int = 0) -> str:
    people = await silent_list(tx, area, now, limit, offset)
    return " ".join(person.name for person in people)


async def _called(tx: Tx, who: Who, by: Who, now: datetime, *, reached: bool) -> int:
    return await log_attempt(
        tx,
        person_id=who.person_id,
        by=by.person_id,
        kind="call",
        reached=reached,
        note=None,
        now=now,
    )


async def test_the_longest_silent_come_first_and_the_tried_last(
    db: Database, now: datetime
) -> None:
    async with db.write() as tx:
        elm = await make_area(tx, "elm", now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        weeks = timedelta(weeks=1)
        people = {
            name: await make_person(tx, name, now, area=elm, enrolled_at=now - since)
            for name, since in (
                ("Never", 5 * weeks),
                ("Long", 20 * weeks),
                ("Recent", 20 * weeks),
                ("Slow", 20 * weeks),
                ("Tried", 20 * weeks),
                ("Heard", 20 * weeks),
                ("Reached", 20 * weeks),
                ("Home", 20 * weeks),
                ("New", timedelta(hours=1)),
            )
        }
        await record_heard(tx, people["Long"], now - 6 * weeks, kind="message", outcome="x")
        await record_heard(tx, people["Recent"], now - 2 * weeks, kind="message", outcome="x")
        await record_heard(tx, people["Heard"], now, kind="message", outcome="x")
        await _called(tx, people["Tried"], mei, now, reached=False)
        await _called(tx, people["Reached"], mei, now, reached=True)
        await _set(tx, people["Slow"], slower=True)
        await _set(tx, people["Home"], status="home")

        assert await _names(tx, elm, now) == "Long Never Recent Slow Tried"
        assert await _names(tx, elm, now, limit=2) == "Long Never"
        assert await _names(tx, elm, now, limit=2, offset=4) == "Tried"
        people_now = await silent_list(tx, elm, now, 9)
        assert [person.silence for person in people_now] == [
            "unasked",
            "unasked",
            "unasked",
            "quiet",
            None,
        ]
        assert people_now[1].last_heard_at is None
        assert people_now[1].since == now - 5 * weeks
        assert people_now[4].tried_at == now

        figures = await today_figures(tx, mei, now)
        assert figures.counts == Counts(heard=1, reached=1, tried=1, silent=4)
        assert figures.waiting == 5
        assert figures.counts.contact_rate == 2 / 7


async def _set(tx: Tx, who: Who, **values: object) -> None:
    await tx.execute(update(Person).where(Person.id == who.person_id).values(**values))


async def test_blocked_is_said(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        elm = await make_area(tx, "elm", now)
        await make_person(tx, "Fang", now, area=elm, state="blocked")
        (fang,) = await silent_list(tx, elm, now, 9)
        assert fang.silence == "unreachable"
        assert fang.phone is None


async def test_nobody_expected_has_no_rate(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        elm = await make_area(tx, "elm", now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        figures = await today_figures(tx, mei, now)
        assert (figures.counts.expected, figures.counts.contact_rate) == (0, None)
        assert await silent_list(tx, elm, now, 9) == []


async def test_duties_that_overlap_count_once(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        town = await make_area(tx, "town", now)
        elm = await make_area(tx, "elm", now, "town")
        far = await make_area(tx, "far", now)
        mei = await make_person(tx, "Mei", now, officer_of=town)
        mei = await _also(tx, mei, elm, now)
        mei = await _also(tx, mei, far, now)
        old = now - timedelta(weeks=9)
        await make_person(tx, "A", now, area=elm, enrolled_at=old)
        await make_person(tx, "B", now, area=far, enrolled_at=old - timedelta(days=1))
        await make_person(tx, "C", now, area=town, enrolled_at=old + timedelta(days=1))
        areas = await officer_areas(tx, mei)
        assert [area.code for area in areas] == ["town", "far"]
        assert (await today_figures(tx, mei, now)).counts.expected == 3
        people = await silent_list(tx, areas, now, 2)
        assert [person.name for person in people] == ["B", "A"]
        people = await silent_list(tx, areas, now, 2, 2)
        assert [person.name for person in people] == ["C"]


async def _also(tx: Tx, who: Who, area: AreaInfo, now: datetime) -> Who:
    from storage.people.enrolment import take_role
    from storage.people.who import load_who

    await take_role(tx, who.person_id, area.id, "liaison", now)
    again = await load_who(tx, who.bot_id, who.chat_id)
    assert again is not None
    return again


async def test_an_officer_opens_only_their_own_people(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await make_area(tx, "town", now)
        elm = await make_area(tx, "elm", now, "town")
        oak = await make_area(tx, "oak", now, "town")
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        own = await make_person(tx, "Fang", now, area=elm, phone="+8613800000001")
        other = await make_person(tx, "Lin", now, area=oak)
        fang = await access_person(tx, mei, own.person_id, now)
        assert fang is not None
        assert (fang.name, fang.phone, fang.area_name) == ("Fang", "+8613800000001", "Elm")
        assert await access_person(tx, mei, other.person_id, now) is None
        assert await access_person(tx, mei, 999_999, now) is None
        assert await access_person(tx, mei, mei.person_id, now) is None
        assert [area.code for area in await areas_to_choose(tx, mei.person_id, limit=5)] == ["elm"]
        assert await access_area_by_id(tx, mei.person_id, oak.id) is None


async def test_a_call_is_noted_once_and_taken_back_by_a_row(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        elm = await make_area(tx, "elm", now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        fang = await make_person(tx, "Fang", now, area=elm)
        card = await access_person(tx, mei, fang.person_id, now)
        assert card is not None
        assert card.last_attempt_id == 0
        noted = await note_call(
            tx, by=mei, person_id=fang.person_id, reached=True, after=0, now=now
        )
        assert noted is not None
        assert noted.first
        again = await note_call(
            tx, by=mei, person_id=fang.person_id, reached=False, after=0, now=now
        )
        assert again is not None
        assert (again.contact_id, again.first) == (noted.contact_id, False)
        assert (await today_figures(tx, mei, now)).counts.reached == 1

        undone = await undo_call(tx, by=mei, contact_id=noted.contact_id, now=now)
        assert undone == Undone(fang.person_id, now)
        assert await undo_call(tx, by=mei, contact_id=noted.contact_id, now=now) is None
        assert await tx.scalar(select(func.count()).select_from(Contact)) == 2
        assert (await today_figures(tx, mei, now)).counts == Counts(silent=1)
        card = await access_person(tx, mei, fang.person_id, now)
        assert card is not None
        assert (card.tried_at, card.last_heard_at) == (None, None)
        redone = await note_call(
            tx,
            by=mei,
            person_id=fang.person_id,
            reached=False,
            after=card.last_attempt_id,
            now=now,
        )
        assert redone is not None
        assert redone.first
        assert (await today_figures(tx, mei, now)).counts.tried == 1


async def test_calls_of_others_are_not_touched(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await make_area(tx, "town", now)
        elm = await make_area(tx, "elm", now, "town")
        oak = await make_area(tx, "oak", now, "town")
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        other = await make_person(tx, "Oak", now, officer_of=oak)
        fang = await make_person(tx, "Fang", now, area=elm)
        noted = await _called(tx, fang, mei, now, reached=True)
        assert await undo_call(tx, by=other, contact_id=noted, now=now) is None
        assert (
            await note_call(tx, by=other, person_id=fang.person_id, reached=True, after=0, now=now)
            is None
        )
        # What a worker said themselves is nobody's to take back.
        await record_heard(tx, fang, now, kind="message", outcome="x")
        said = await tx.scalar(select(Contact.id).where(Contact.evidence == "self"))
        assert await undo_call(tx, by=mei, contact_id=said, now=now) is None

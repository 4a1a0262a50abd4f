"""Cases: who is told, what is added to what, who may answer."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from storage.database import Database, Tx
from storage.errors import Refused
from storage.models import Case, CaseMessage, Delivery, Person, Role
from storage.people.areas import AreaInfo
from storage.people.who import Who
from storage.talk.cases import CaseOpened, case_of_message, close_case, open_case, reply_to_case
from storage.talk.inbox import count_open_cases, open_cases, read_case
from tests.county import make_area, make_person


async def _ask(
    tx: Tx,
    who: Who,
    now: datetime,
    text: str | None = "My pay is late",
    *,
    kind: str = "question",
    urgent: bool = False,
    media: str | None = None,
) -> CaseOpened:
    return await open_case(
        tx,
        who=who,
        text=text,
        media=media,
        file_id="file-1" if media else None,
        urgent=urgent,
        kind=kind,
        now=now,
    )


async def _county(tx: Tx, now: datetime) -> tuple[AreaInfo, AreaInfo, AreaInfo]:
    town = await make_area(tx, "town", now)
    return town, await make_area(tx, "elm", now, "town"), await make_area(tx, "oak", now, "town")


async def _told(tx: Tx) -> list[tuple[str, int, int]]:
    found = await tx.execute(
        select(Delivery.template, Delivery.person_id, Delivery.case_id).order_by(Delivery.id)
    )
    return [tuple(row) for row in found]


async def test_a_question_reaches_the_nearest_liaison(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        town, elm, oak = await _county(tx, now)
        await make_person(tx, "Town", now, officer_of=town)
        near = await make_person(tx, "Mei", now, officer_of=elm)
        await make_person(tx, "Oak", now, officer_of=oak)
        await make_person(tx, "Boss", now, officer_of=elm, role="supervisor")
        worker = await make_person(tx, "Fang", now, area=elm)
        opened = await _ask(tx, worker, now)
        assert (opened.officer_name, opened.officers, opened.added) == ("Mei", 1, False)
        assert await _told(tx) == [("case_new", near.person_id, opened.id)]


async def test_it_goes_up_to_where_someone_is(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        town, elm, _ = await _county(tx, now)
        await make_person(tx, "Gone", now, officer_of=elm, state="blocked")
        far = await make_person(tx, "Town", now, officer_of=town)
        worker = await make_person(tx, "Fang", now, area=elm)
        opened = await _ask(tx, worker, now)
        assert opened.officer_name == "Town"
        assert await _told(tx) == [("case_new", far.person_id, opened.id)]


async def test_a_supervisor_stands_in_for_a_missing_liaison(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        town, elm, _ = await _county(tx, now)
        await make_person(tx, "Admin", now, officer_of=elm, role="admin")
        await make_person(tx, "Boss", now, officer_of=town, role="supervisor")
        worker = await make_person(tx, "Fang", now, area=elm)
        assert (await _ask(tx, worker, now)).officer_name == "Boss"


async def test_without_any_officer_the_case_is_there_and_says_so(
    db: Database, now: datetime
) -> None:
    async with db.write() as tx:
        _, elm, oak = await _county(tx, now)
        await make_person(tx, "Oak", now, officer_of=oak)
        worker = await make_person(tx, "Fang", now, area=elm)
        opened = await _ask(tx, worker, now)
        assert (opened.officer_name, opened.officers) == (None, 0)
        assert await _told(tx) == []
        # Whoever becomes the liaison later finds it.
        later = await make_person(tx, "Mei", now, officer_of=elm)
        assert [line.text for line in await open_cases(tx, later, limit=5)] == ["My pay is late"]


async def test_urgent_help_reaches_liaison_and_supervisor(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        town, elm, _ = await _county(tx, now)
        boss = await make_person(tx, "Boss", now, officer_of=town, role="supervisor")
        near = await make_person(tx, "Mei", now, officer_of=elm)
        worker = await make_person(tx, "Fang", now, area=elm)
        opened = await _ask(tx, worker, now, None, kind="help", urgent=True)
        assert opened.officers == 2
        assert await _told(tx) == [
            ("help_urgent", near.person_id, opened.id),
            ("help_urgent", boss.person_id, opened.id),
        ]
        again = await _ask(tx, worker, now, None, kind="help", urgent=True)
        assert again == CaseOpened(opened.id, opened.ref, "Mei", 2, added=True, urgent=True)
        assert len(await _told(tx)) == 2


async def test_one_person_in_two_roles_is_told_once(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        town, elm, _ = await _county(tx, now)
        both = await make_person(tx, "Mei", now, officer_of=elm)
        await tx.execute(
            tx.insert(Role).values(
                person_id=both.person_id, area_id=town.id, role="supervisor", since=now
            )
        )
        worker = await make_person(tx, "Fang", now, area=elm)
        opened = await _ask(tx, worker, now, kind="help", urgent=True)
        assert opened.officers == 1


async def test_nobody_answers_their_own_call(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        town, elm, _ = await _county(tx, now)
        await make_person(tx, "Town", now, officer_of=town)
        own = await make_person(tx, "Mei", now, area=elm, officer_of=elm)
        opened = await _ask(tx, own, now)
        assert opened.officer_name == "Town"
        assert await open_cases(tx, own, limit=5) == []
        assert await read_case(tx, opened.id, own) is None
        assert await reply_to_case(tx, case_id=opened.id, by=own, text="me", now=now) is None
        assert not await close_case(tx, case_id=opened.id, by=own)


async def test_a_conversation_is_one_case(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        _, elm, _ = await _county(tx, now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        worker = await make_person(tx, "Fang", now, area=elm)
        first = await _ask(tx, worker, now)
        later = now + timedelta(hours=23)
        second = await _ask(tx, worker, later, None, kind="media", media="voice")
        assert (second.id, second.added) == (first.id, True)
        assert [row[0] for row in await _told(tx)] == ["case_new", "case_more"]
        view = await read_case(tx, first.id, mei)
        assert view is not None
        assert [(turn.text, turn.media, turn.file_id) for turn in view.turns] == [
            ("My pay is late", None, None),
            (None, "voice", "file-1"),
        ]
        third = await _ask(tx, worker, now + timedelta(hours=25))
        assert third.id != first.id


async def test_what_follows_an_answer_opens_it_again(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        _, elm, _ = await _county(tx, now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        worker = await make_person(tx, "Fang", now, area=elm)
        case = await _ask(tx, worker, now)
        answer = now + timedelta(days=2)
        assert await reply_to_case(tx, case_id=case.id, by=mei, text="I'll call them", now=answer)
        assert await count_open_cases(tx, mei) == 0
        thanks = await _ask(tx, worker, answer + timedelta(hours=1), "Thank you")
        assert (thanks.id, thanks.added) == (case.id, True)
        assert await count_open_cases(tx, mei) == 1


async def test_a_call_after_an_answer_is_told_again(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        town, elm, _ = await _county(tx, now)
        await make_person(tx, "Boss", now, officer_of=town, role="supervisor")
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        worker = await make_person(tx, "Fang", now, area=elm)

        async def call(at: datetime, text: str | None = None, *, urgent: bool = True) -> list[str]:
            """What the officers are told because of it."""
            before = len(await _told(tx))
            opened = await _ask(tx, worker, at, text, kind="help", urgent=urgent)
            assert opened.officers == 2
            return [template for template, _, _ in (await _told(tx))[before:]]

        assert await call(now) == ["help_urgent"] * 2
        (case_id,) = {case_id for _, _, case_id in await _told(tx)}
        for hours in (10, 20):
            at = now + timedelta(hours=hours)
            assert await reply_to_case(tx, case_id=case_id, by=mei, text="On my way", now=at)
            assert await call(at + timedelta(hours=1)) == ["help_urgent"] * 2
            assert await call(at + timedelta(hours=1)) == []
            # Words that follow the call are added to it.
            assert await call(at + timedelta(hours=2), "Come") == ["case_more"] * 2

        # Thanks open it again, and do not swallow the next call.
        at = now + timedelta(hours=30)
        assert await reply_to_case(tx, case_id=case_id, by=mei, text="All well?", now=at)
        thanks = await _ask(tx, worker, at, "Thank you")
        assert thanks.id == case_id
        assert [template for template, _, _ in (await _told(tx))[-2:]] == ["case_more"] * 2
        assert await call(at, urgent=False) == ["case_new"] * 2
        assert await call(at) == ["help_urgent"] * 2
        assert await tx.scalar(select(func.count(Case.id))) == 1


async def test_a_call_for_help_does_not_hide_in_a_question(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        _, elm, _ = await _county(tx, now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        worker = await make_person(tx, "Fang", now, area=elm)
        question = await _ask(tx, worker, now)
        calm = await _ask(tx, worker, now, None, kind="help")
        assert calm.id != question.id
        urgent = await _ask(tx, worker, now, None, kind="help", urgent=True)
        assert (urgent.id, urgent.added) == (calm.id, True)
        told = [row[0] for row in await _told(tx)]
        assert told == ["case_new", "case_new", "help_urgent"]
        # What is said next belongs to it, and the urgent one is at the top.
        more = await _ask(tx, worker, now, "I am at the station")
        assert more.id == urgent.id
        lines = await open_cases(tx, mei, limit=5)
        assert [(line.id, line.urgent) for line in lines] == [
            (urgent.id, True),
            (question.id, False),
        ]
        await _ask(tx, worker, now, None, kind="media", media="voice")
        await _ask(tx, worker, now, "Come")
        lines = await open_cases(tx, mei, limit=5)
        assert [line.first_words for line in lines] == [("I am at the station", "Come"), ()]


async def test_an_answer_goes_out_and_only_by_who_covers_the_area(
    db: Database, now: datetime
) -> None:
    async with db.write() as tx:
        town, elm, oak = await _county(tx, now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        boss = await make_person(tx, "Boss", now, officer_of=town, role="supervisor")
        other = await make_person(tx, "Oak", now, officer_of=oak)
        worker = await make_person(tx, "Fang", now, area=elm)
        case = await _ask(tx, worker, now)
        assert await reply_to_case(tx, case_id=case.id, by=other, text="hi", now=now) is None
        assert await read_case(tx, case.id, other) is None
        assert await open_cases(tx, other, limit=5) == []
        assert not await close_case(tx, case_id=case.id, by=other)
        replied = await reply_to_case(tx, case_id=case.id, by=mei, text="On it", now=now)
        assert replied is not None
        assert replied.person_name == "Fang"
        row = (await tx.execute(select(Delivery).where(Delivery.template == "case_reply"))).one()
        assert (row.person_id, row.priority, row.case_id) == (worker.person_id, 0, case.id)
        assert await tx.scalar(select(Case.state)) == "answered"
        assert await close_case(tx, case_id=case.id, by=boss)
        assert not await close_case(tx, case_id=case.id, by=boss)
        assert await reply_to_case(tx, case_id=case.id, by=boss, text="And", now=now)
        assert await tx.scalar(select(Case.state)) == "closed"


async def test_a_duty_that_ended_covers_nothing(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        _, elm, _ = await _county(tx, now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        worker = await make_person(tx, "Fang", now, area=elm)
        case = await _ask(tx, worker, now)
        await tx.execute(update(Role).values(until=now))
        assert await reply_to_case(tx, case_id=case.id, by=mei, text="hi", now=now) is None


async def test_who_has_left_cannot_be_answered(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        _, elm, _ = await _county(tx, now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        worker = await make_person(tx, "Fang", now, area=elm)
        case = await _ask(tx, worker, now)
        await tx.execute(
            update(Person)
            .where(Person.id == worker.person_id)
            .values(name=None, erased_at=now, area_id=None)
        )
        await tx.execute(update(CaseMessage).values(text=None, file_id=None))
        replied = await reply_to_case(tx, case_id=case.id, by=mei, text="hi", now=now)
        assert replied is not None
        assert replied.person_name is None
        count = select(func.count()).where(Delivery.template == "case_reply")
        assert await tx.scalar(count) == 0
        view = await read_case(tx, case.id, mei)
        assert view is not None
        assert (view.person_name, view.turns[0].text) == (None, None)


async def test_the_message_an_officer_got_leads_to_its_case(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        _, elm, _ = await _county(tx, now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        worker = await make_person(tx, "Fang", now, area=elm)
        case = await _ask(tx, worker, now)
        await reply_to_case(tx, case_id=case.id, by=mei, text="On it", now=now)
        await tx.execute(
            update(Delivery)
            .where(Delivery.template == "case_new")
            .values(account_id=mei.account_id, message_id=7)
        )
        await tx.execute(
            update(Delivery)
            .where(Delivery.template == "case_reply")
            .values(account_id=worker.account_id, message_id=8)
        )
        assert await case_of_message(tx, mei.account_id, 7) == case.id
        assert await case_of_message(tx, mei.account_id, 8) is None
        # The answer a worker got is theirs to read, not to answer as an officer.
        assert await case_of_message(tx, worker.account_id, 8) is None


async def test_words_are_sealed(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        _, elm, _ = await _county(tx, now)
        worker = await make_person(tx, "Fang", now, area=elm)
        await _ask(tx, worker, now)
        sealed = await tx.scalar(select(CaseMessage.text))
        assert b"My pay" not in sealed


async def test_only_a_worker_opens_a_case(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        _, elm, _ = await _county(tx, now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        with pytest.raises(Refused):
            await _ask(tx, mei, now)

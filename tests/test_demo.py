"""The demo county: plausible, marked, made only where nobody is, and gone without a trace."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from bot.demo import demo_tokens, make_demo, plan_demo_checkin, remove_demo
from bot.demo.history import choose_weekday
from storage.database import Database
from storage.installation import DEMO, find_value
from storage.models import (
    Base,
    Case,
    CaseMessage,
    Checkin,
    Contact,
    Delivery,
    Kin,
    KinQuestion,
    Person,
)
from storage.people.areas import add_area, find_area
from storage.people.enrolment import Address, enrol, give_consent, rename, take_role
from storage.people.invites import check_invite
from storage.register.figures import compute_register
from storage.register.periods import week_of, weeks_back
from storage.rhythm.checkins import answer_checkin
from storage.vault import new_ref


async def _made(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        assert await make_demo(tx, now)


async def test_it_is_a_county_with_a_history(db: Database, now: datetime) -> None:
    started = time.perf_counter()
    await _made(db, now)
    assert time.perf_counter() - started < 5
    async with db.read() as tx:
        county = await find_area(tx, "demo")
        weeks = weeks_back(now, county.timezone, 12)
        registers = [(await compute_register(tx, county, week, now)).as_json() for week in weeks]
        languages = (await tx.execute(select(Person.language).distinct())).scalars().all()
    for figures in registers:
        assert figures["expected"] > 100
        assert figures["contact_rate"] > 0.6
    whole = registers[-2]
    assert all(whole["standing"].values()), whole
    assert {name for name, count in whole["silence"].items() if count} >= {
        "unreachable",
        "unanswered",
    }
    assert sum(figures["silence"]["quiet"] for figures in registers) > 0
    for reason in ("home", "paused", "withdrawn"):
        assert sum(figures["excluded"][reason] for figures in registers) > 0
    assert 0.6 < whole["feedback_rate"] < 0.95
    assert "en" in languages


@pytest.mark.parametrize("day", range(7))
async def test_the_running_week_is_alive_whatever_the_day(
    sqlite_db: Database, now: datetime, day: int
) -> None:
    monday_noon = datetime(2026, 11, 16, 4, 30, tzinfo=UTC)
    now = monday_noon + timedelta(days=day)
    await _made(sqlite_db, now)
    async with sqlite_db.read() as tx:
        county = await find_area(tx, "demo")
        figures = (await compute_register(tx, county, week_of(now, county.timezone), now)).as_json()
        latest = await tx.scalar(select(func.max(Contact.at)))
    assert figures["contact_rate"] > 0.3
    assert latest < now


@pytest.mark.parametrize("hour", range(0, 168, 5))
def test_its_check_in_was_asked_this_week_and_in_the_past(hour: int) -> None:
    now = datetime(2026, 11, 15, 16, tzinfo=UTC) + timedelta(hours=hour, minutes=30)
    weekday = choose_weekday(now)
    local = now + timedelta(hours=8)
    asked = local.replace(hour=10, minute=0) - timedelta(days=local.weekday() - weekday)
    assert asked < local or weekday == 6


async def test_it_is_the_same_every_time(sqlite_db: Database, now: datetime) -> None:
    await _made(sqlite_db, now)

    async def shape() -> list[tuple[object, ...]]:
        async with sqlite_db.read() as tx:
            rows = await tx.execute(
                select(Contact.at, Contact.evidence, Contact.outcome).order_by(Contact.id)
            )
            return [tuple(row) for row in rows]

    first = await shape()
    async with sqlite_db.write() as tx:
        await remove_demo(tx, now)
        await tx.execute(text("DELETE FROM installation"))
    await _made(sqlite_db, now)
    assert await shape() == first


async def test_every_area_is_marked(sqlite_db: Database, now: datetime) -> None:
    await _made(sqlite_db, now)
    async with sqlite_db.read() as tx:
        names = (await tx.execute(text("SELECT name FROM area"))).scalars().all()
        assert len(names) == 12
        assert all("演示" in name for name in names)
        assert await find_value(tx, DEMO) is not None


async def test_not_made_where_anyone_is(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await give_consent(tx, Address("web", 1, 5), language="zh", now=now)
        assert not await make_demo(tx, now)
        assert await demo_tokens(tx) is None


async def test_not_made_where_areas_are(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await add_area(tx, code="x", name="X", parent=None, timezone=None, language=None, now=now)
        assert not await make_demo(tx, now)


async def test_links_open_the_chats(db: Database, now: datetime) -> None:
    await _made(db, now)
    async with db.read() as tx:
        tokens = await demo_tokens(tx)
        assert tokens is not None
        people = [
            (await check_invite(tx, token, now + timedelta(days=400))).person_id
            for token in (tokens.worker, tokens.liaison, tokens.supervisor)
        ]
        rows = [
            (
                await tx.execute(
                    select(Person.is_demo, Person.is_officer).where(Person.id == person)
                )
            ).one()
            for person in people
        ]
    assert [tuple(row) for row in rows] == [(True, False), (True, True), (True, True)]


async def _worker(db: Database, now: datetime) -> int:
    async with db.read() as tx:
        tokens = await demo_tokens(tx)
        assert tokens is not None
        person = (await check_invite(tx, tokens.worker, now)).person_id
    assert person is not None
    return person


async def test_a_check_in_comes_when_the_chat_is_opened(db: Database, now: datetime) -> None:
    await _made(db, now)
    worker = await _worker(db, now)
    async with db.write() as tx:
        assert await plan_demo_checkin(tx, worker, now)
        assert not await plan_demo_checkin(tx, worker, now + timedelta(minutes=1))
    async with db.read() as tx:
        row = (
            await tx.execute(
                select(Delivery.not_before, Delivery.urgent, Delivery.template, Delivery.lane)
            )
        ).one()
        checkin_id = await tx.scalar(select(func.max(Checkin.id)))
    assert tuple(row) == (now + timedelta(seconds=8), True, "checkin", 1)
    async with db.write() as tx:
        later = now + timedelta(minutes=2)
        await answer_checkin(tx, checkin_id=checkin_id, person_id=worker, answer="ok", now=later)
        assert not await plan_demo_checkin(tx, worker, later)
        assert await plan_demo_checkin(tx, worker, now + timedelta(minutes=11))


async def test_only_the_demo_is_asked_out_of_turn(db: Database, now: datetime) -> None:
    await _made(db, now)
    real = await _real_worker(db, now, "demo-tianjing")
    async with db.write() as tx:
        assert not await plan_demo_checkin(tx, real, now)


async def _real_worker(db: Database, now: datetime, code: str) -> int:
    async with db.write() as tx:
        person = await give_consent(tx, Address("web", 1, 5), language="zh", now=now)
        await rename(tx, person, "真人")
        await enrol(tx, person, (await find_area(tx, code)).id, now)
    return person


async def test_gone_without_a_trace(db: Database, now: datetime) -> None:
    await _made(db, now)
    worker = await _worker(db, now)
    async with db.write() as tx:
        await plan_demo_checkin(tx, worker, now)
    async with db.write() as tx:
        gone = await remove_demo(tx, now)
    assert (gone.people, gone.areas, gone.kept_areas) == (153, 12, [])
    assert gone.contacts > 1000
    async with db.read() as tx:
        for table in Base.metadata.sorted_tables:
            left = await tx.scalar(select(func.count()).select_from(table))
            assert left == (1 if table.name == "installation" else 0), table.name
    async with db.write() as tx:
        assert not await make_demo(tx, now), "it does not come back by itself"
        assert not (await remove_demo(tx, now)).there_was_one


async def test_real_people_stay_as_they_are(db: Database, now: datetime) -> None:
    await _made(db, now)
    real = await _real_worker(db, now, "demo-tianjing")
    away = await _worker(db, now)
    async with db.write() as tx:
        liaison = await tx.scalar(select(func.min(Person.id)).where(Person.is_officer))
        area = await find_area(tx, "demo-tianjing")
        await take_role(tx, real, area.id, "liaison", now)
        case_id = await tx.scalar(
            tx.insert(Case)
            .values(ref=new_ref(), person_id=real, area_id=area.id, kind="help", opened_at=now)
            .returning(Case.id)
        )
        await tx.execute(
            tx.insert(CaseMessage).values(ref=new_ref(), case_id=case_id, author_id=liaison, at=now)
        )
        await tx.execute(
            tx.insert(Contact).values(
                person_id=real,
                area_id=area.id,
                at=now,
                evidence="liaison",
                kind="call",
                outcome="reached",
                success=True,
                by_person_id=liaison,
            )
        )
        # They took up the link of a demo worker's, who asked them something.
        kin = await tx.scalar(
            tx.insert(Kin)
            .values(worker_id=away, relative_id=real, agreed_at=now, accepted_at=now)
            .returning(Kin.id)
        )
        checkin = select(func.min(Checkin.id)).where(Checkin.person_id == away)
        await tx.execute(
            tx.insert(KinQuestion).values(
                kin_id=kin,
                checkin_id=checkin.scalar_subquery(),
                asked_at=now,
                answer_until=now + timedelta(days=1),
            )
        )
    async with db.write() as tx:
        gone = await remove_demo(tx, now)
    assert gone.kept_areas == ["望归县（演示 demo）", "南来镇（演示）", "甜井村（演示）"]
    assert gone.areas == 9
    async with db.read() as tx:
        people = (await tx.execute(select(Person.id, Person.name, Person.is_demo))).all()
        assert {row.id: row.name is None for row in people} == {real: False, liaison: True}
        calls = (await tx.execute(select(Contact.person_id, Contact.by_person_id))).all()
        assert [tuple(call) for call in calls] == [(real, None)]

"""The demo county: plausible, marked, made only where nobody is, and gone without a trace."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text, update

from bot.demo import demo_tokens, make_demo, plan_demo_checkin, remove_demo
from bot.demo.history import choose_weekday
from bot.demo.links import make_demo_links
from storage.database import Database, Tx
from storage.installation import DEMO, find_value
from storage.models import (
    Base,
    Broadcast,
    Case,
    CaseMessage,
    Checkin,
    Contact,
    Delivery,
    Kin,
    KinQuestion,
    Person,
    Role,
    Rule,
    RuleVersion,
    Step,
    Task,
)
from storage.people.areas import add_area, find_area
from storage.people.enrolment import Address, enrol, give_consent, rename, take_role
from storage.people.erasure import erase_person
from storage.people.invites import check_invite, make_invite
from storage.people.logins import open_session
from storage.people.who import load_who
from storage.register.figures import compute_register
from storage.register.periods import week_of, weeks_back
from storage.rhythm.checkins import answer_checkin
from storage.vault import Vault, new_ref
from tests.command import Command, write_to

KEPT = ["望归县（演示 demo）", "南来镇（演示）", "甜井村（演示）"]


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


async def test_two_consoles_open(db: Database, now: datetime) -> None:
    await _made(db, now)
    async with db.write() as tx:
        links = await make_demo_links(tx, now)
        assert links is not None
        roles = []
        for token in (links.console, links.supervisor):
            assert token is not None
            opened = await open_session(tx, token, now)
            found = select(Role.role).where(Role.person_id == opened.person_id)
            roles.append((await tx.execute(found.limit(1))).scalar_one())
    assert roles == ["liaison", "supervisor"]


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
    assert gone.kept_areas == KEPT
    assert gone.areas == 9
    async with db.read() as tx:
        people = (await tx.execute(select(Person.id, Person.name, Person.is_demo))).all()
        assert {row.id: row.name is None for row in people} == {real: False, liaison: True}
        calls = (await tx.execute(select(Contact.person_id, Contact.by_person_id))).all()
        assert [tuple(call) for call in calls] == [(real, None)]


async def test_a_role_and_an_open_invite_keep_nothing(db: Database, now: datetime) -> None:
    await _made(db, now)
    async with db.write() as tx:
        county = (await find_area(tx, "demo")).id
        officer = await give_consent(tx, Address("web", 1, 6), language="zh", now=now)
        await take_role(tx, officer, county, "supervisor", now)
        await make_invite(
            tx, kind="officer", area_id=county, role="supervisor", name="何秋云", uses=1,
            expires_at=None, by=officer, now=now,
        )  # fmt: skip
        news = await tx.scalar(
            tx.insert(Broadcast)
            .values(area_id=county, text="x", by_person_id=officer, audience=1, at=now)
            .returning(Broadcast.id)
        )
        await tx.execute(
            tx.insert(Delivery).values(
                person_id=officer, template="outcome", broadcast_id=news, not_before=now,
                expires_at=now, priority=3, dedupe_key="x", created_at=now,
            )
        )  # fmt: skip
    async with db.write() as tx:
        gone = await remove_demo(tx, now)
    assert (gone.areas, gone.kept_areas) == (12, [])
    async with db.read() as tx:
        assert (await tx.execute(select(Person.id))).scalars().all() == [officer]
        assert (await tx.execute(select(Role.id))).scalars().all() == []
        assert (await tx.execute(select(Rule.id))).scalars().all() == []


async def test_what_the_demo_did_meanwhile_goes_with_it(db: Database, now: datetime) -> None:
    """Steps after silence, tasks, and a rule that the demo's supervisor changed."""
    await _made(db, now)
    worker = await _worker(db, now)
    await _real_worker(db, now, "demo-tianjing")
    async with db.write() as tx:
        area = await tx.scalar(select(Person.area_id).where(Person.id == worker))
        checkin = await tx.scalar(select(func.min(Checkin.id)).where(Checkin.person_id == worker))
        officer = await tx.scalar(select(func.max(Person.id)).where(Person.is_officer))
        await tx.execute(
            tx.insert(Step).values(
                checkin_id=checkin, person_id=worker, n=1, kind="nudge", outcome="done", at=now
            )
        )
        await tx.execute(
            tx.insert(Task).values(
                person_id=worker, area_id=area, checkin_id=checkin, why="unanswered", opened_at=now
            )
        )
        await tx.execute(update(RuleVersion).values(by_person_id=officer))
    async with db.write() as tx:
        assert len((await remove_demo(tx, now)).kept_areas) == 3


async def test_what_was_kept_goes_once_nobody_is_there(db: Database, now: datetime) -> None:
    await _made(db, now)
    real = await _real_worker(db, now, "demo-tianjing")
    async with db.write() as tx:
        first = await remove_demo(tx, now)
    async with db.write() as tx:
        second = await remove_demo(tx, now)
        running = await tx.scalar(select(func.count()).where(Rule.stopped_at.is_(None)))
    assert (first.again, second.again, second.areas) == (False, True, 0)
    assert second.kept_areas == first.kept_areas == KEPT
    assert running == 1, "it speaks to who is there"
    async with db.write() as tx:
        who = await load_who(tx, 1, 5)
        assert who is not None
        assert who.person_id == real
        await erase_person(tx, who, now)
    async with db.write() as tx:
        third = await remove_demo(tx, now)
    assert (third.again, third.areas, third.kept_areas) == (True, 3, [])
    async with db.write() as tx:
        assert (await tx.execute(select(Person.id))).scalars().all() == []
        assert (await tx.execute(select(Rule.id))).scalars().all() == []
        assert not (await remove_demo(tx, now)).there_was_one


def test_the_command_says_again_what_it_kept(
    installed: Command, database_url: str, vault: Vault
) -> None:
    async def make(tx: Tx) -> None:
        now = datetime.now(UTC)
        assert await make_demo(tx, now)
        person = await give_consent(tx, Address("web", 1, 5), language="zh", now=now)
        await enrol(tx, person, (await find_area(tx, "demo-tianjing")).id, now)

    write_to(database_url, vault, make)
    first = installed("demo", "remove").out.splitlines()
    again = installed("demo", "remove").out.splitlines()
    assert first[0].startswith("Removed the demo: 153 people, ")
    assert again[0] == "The demo's people were removed before; now 0 areas went."
    assert first[1:] == again[1:]
    assert first[1] == f"Kept, because real people belong to them: {', '.join(KEPT)}."
    assert "then run this command again" in first[2]

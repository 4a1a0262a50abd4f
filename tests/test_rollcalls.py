"""Roll calls: asked in rounds, answered once for all, ended once; counted as people stand."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from scheduler.expiry import end_what_is_over
from scheduler.rollcalls import AskAgain, End, Standing, Wait, Write, carry_on_rollcalls, decide
from storage.database import Database
from storage.models import Account, Checkin, Contact, Delivery, Person, Rollcall, RollcallView
from storage.outbox.messages import settle_laneless
from storage.people.areas import AreaInfo
from storage.people.destinations import Destination
from storage.register.contacts import log_attempt
from storage.rhythm import rollcall_rounds
from storage.rhythm.checkins import answer_checkin
from storage.rhythm.rollcall_figures import (
    Figures,
    count_places,
    count_rollcall,
    list_rollcall,
)
from storage.rhythm.rollcall_views import keep_view
from storage.rhythm.rollcalls import AT_ONCE, CALMLY, Manner, end_rollcall, plan_rollcall
from tests.outbox_people import LANE, make_area, make_person, states

MINUTE = timedelta(minutes=1)
HALF_HOUR = timedelta(minutes=30)


async def _begin(db: Database, area: AreaInfo, now: datetime, **more: Any) -> int:
    async with db.write() as tx:
        return (await plan_rollcall(tx, area=area, text="", by=None, now=now, **more)).id


async def _tick(db: Database, now: datetime) -> int:
    return await carry_on_rollcalls(db, lambda: now)


async def _deliver(db: Database, now: datetime) -> None:
    """Everything that waits arrives."""
    async with db.write() as tx:
        asked = select(Delivery.checkin_id).where(Delivery.state == "queued")
        await tx.execute(
            update(Checkin)
            .where(Checkin.id.in_(asked), Checkin.delivered_at.is_(None))
            .values(delivered_at=now, bot_id=LANE, chat_id=1, message_id=7)
        )
        await tx.execute(
            update(Delivery)
            .where(Delivery.state == "queued")
            .values(state="sent", finished_at=now, message_id=7)
        )


async def _answer(db: Database, person_id: int, answer: str, now: datetime) -> Any:
    async with db.write() as tx:
        checkin = await tx.scalar(
            select(Checkin.id)
            .where(Checkin.person_id == person_id)
            .order_by(Checkin.id.desc())
            .limit(1)
        )
        answered = await answer_checkin(
            tx, checkin_id=checkin, person_id=person_id, answer=answer, now=now
        )
        await _heard(tx, person_id, "checkin", answer, now)
        return answered


async def _heard(tx: Any, person_id: int, kind: str, outcome: str, now: datetime) -> None:
    area_id = await tx.scalar(select(Person.area_id).where(Person.id == person_id))
    await tx.execute(
        tx.insert(Contact).values(
            person_id=person_id,
            area_id=area_id,
            at=now,
            evidence="self",
            kind=kind,
            outcome=outcome,
            success=True,
        )
    )


async def _figures(db: Database, rollcall_id: int) -> Figures:
    async with db.read() as tx:
        return await count_rollcall(tx, rollcall_id)


def _keys(found: dict[str, Any], begins: str) -> set[str]:
    return {key for key in found if key.startswith(begins)}


async def test_who_is_silent_is_asked_again_and_nobody_else(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        ok, wrote, called, silent = [await make_person(tx, now, area=area) for _ in range(4)]
    call = await _begin(db, area, now)
    await _deliver(db, now)
    assert await _tick(db, now) == 0
    await _answer(db, ok, "ok", now + MINUTE)
    async with db.write() as tx:
        await _heard(tx, wrote, "message", "sticker", now + MINUTE)
        await log_attempt(
            tx, person_id=called, by=ok, kind="call", reached=True, note=None, now=now + MINUTE
        )
    assert await _tick(db, now + HALF_HOUR - MINUTE) == 0
    assert await _tick(db, now + HALF_HOUR) == 1
    assert _keys(await states(db), f"rollcall:{call}:2:") == {f"rollcall:{call}:2:{silent}"}
    # Twice, and in another process, nothing is written twice; nor while one is on its way.
    assert await _tick(db, now + HALF_HOUR) == 0
    assert await _tick(db, now + 2 * HALF_HOUR) == 0
    await _deliver(db, now + 3 * HALF_HOUR)
    assert await _tick(db, now + 3 * HALF_HOUR) == 1
    assert await _figures(db, call) == Figures(safe=1, heard=2, silent=1)


async def test_rounds_that_passed_while_nothing_ran_are_one(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        await make_person(tx, now, area=area)
    call = await _begin(db, area, now)
    await _deliver(db, now)
    assert await _tick(db, now + 3 * HALF_HOUR) == 1
    assert await _tick(db, now + 3 * HALF_HOUR + MINUTE) == 0
    async with db.read() as tx:
        assert await tx.scalar(select(Rollcall.asked).where(Rollcall.id == call)) == 4


async def test_one_answer_is_for_all_that_is_asked(db: Database, now: datetime) -> None:
    town = await make_area(db, now, "town")
    village = await make_area(db, now, "village", "town")
    async with db.write() as tx:
        both = await make_person(tx, now, area=village)
        only = await make_person(tx, now, area=town)
    first = await _begin(db, town, now)
    await _deliver(db, now)
    second = await _begin(db, village, now + MINUTE)
    await _deliver(db, now + MINUTE)
    # Only the later one asks again whom both ask.
    assert await _tick(db, now + HALF_HOUR + MINUTE) == 2
    found = await states(db)
    assert _keys(found, f"rollcall:{first}:2:") == {f"rollcall:{first}:2:{only}"}
    assert _keys(found, f"rollcall:{second}:2:") == {f"rollcall:{second}:2:{both}"}
    answered = await _answer(db, both, "ok", now + 2 * HALF_HOUR)
    assert answered.first
    assert [other.message_id for other in answered.others] == [7, 7]
    assert (await _figures(db, first)).safe == 1
    assert (await _figures(db, second)).safe == 1
    again = await _answer(db, both, "help", now + 3 * HALF_HOUR)
    assert not again.first
    assert (await _figures(db, first)).help == 1  # the last word counts


async def test_someone_elses_button_answers_nothing(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        mine, theirs = [await make_person(tx, now, area=area) for _ in range(2)]
    call = await _begin(db, area, now)
    await _deliver(db, now)
    async with db.write() as tx:
        forged = await tx.scalar(select(Checkin.id).where(Checkin.person_id == theirs))
        assert (
            await answer_checkin(tx, checkin_id=forged, person_id=mine, answer="ok", now=now)
            is None
        )
    assert (await _figures(db, call)).silent == 2


async def test_a_place_and_the_places_there_are(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    dongguan: dict[str, Any] = {"country": "CN", "province": "Guangdong", "city": "dongguan"}
    shenzhen: dict[str, Any] = {"country": "CN", "province": "Guangdong", "city": "shenzhen"}
    async with db.write() as tx:
        there = await make_person(tx, now, area=area, **dongguan)
        await make_person(tx, now, area=area, **shenzhen)
        await make_person(tx, now, area=area, **shenzhen)
        await make_person(tx, now, area=area, country="JP")
        await make_person(tx, now, area=area)
        await make_person(tx, now, area=area, status="home", **dongguan)
    async with db.read() as tx:
        assert await count_places(tx, area, Destination(), 9) == [
            (Destination("CN"), 3),
            (Destination("JP"), 1),
        ]
        china = await count_places(tx, area, Destination("CN"), 9)
        assert china == [(Destination("CN", "Guangdong"), 3)]
        assert await count_places(tx, area, china[0][0], 9) == [
            (Destination(**shenzhen), 2),
            (Destination(**dongguan), 1),
        ]
    call = await _begin(db, area, now, where=Destination(**dongguan))
    assert set(await states(db)) == {f"rollcall:{call}:{there}"}
    # Whoever moves away meanwhile is asked again all the same: the answer is still missing.
    await _deliver(db, now)
    async with db.write() as tx:
        await tx.execute(update(Person).where(Person.id == there).values(city="shenzhen"))
    assert await _tick(db, now + HALF_HOUR) == 1


async def test_it_ends_by_itself_and_everyone_is_told_once(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        ok, silent, gone = [await make_person(tx, now, area=area) for _ in range(3)]
        await tx.execute(update(Account).where(Account.person_id == gone).values(state="blocked"))
    call = await _begin(db, area, now)
    await _deliver_but(db, now, gone)
    await _answer(db, ok, "ok", now + MINUTE)
    later = now + AT_ONCE.lasts
    assert await _tick(db, later) == 2
    told = _keys(await states(db), f"rollcall_over:{call}:")
    assert told == {f"rollcall_over:{call}:{ok}", f"rollcall_over:{call}:{silent}"}
    assert await _tick(db, later + HALF_HOUR) == 0
    async with db.write() as tx:
        assert not await end_rollcall(tx, call, by=None, now=later)
        row = (await tx.execute(select(Rollcall).where(Rollcall.id == call))).one()
    assert row.figures == {
        "safe": 1,
        "help": 0,
        "heard": 0,
        "silent": 1,
        "unreached": 1,
        "left": 0,
    }
    assert row.closed_at == later
    assert row.next_at is None
    answered = await _answer(db, silent, "ok", later + MINUTE)
    assert answered.over
    assert (await _figures(db, call)).safe == 2


async def _deliver_but(db: Database, now: datetime, person_id: int) -> None:
    async with db.write() as tx:
        await tx.execute(update(Delivery).where(Delivery.person_id == person_id).values(lane=None))
        await settle_laneless(tx, now, [LANE])
    await _deliver(db, now)


async def test_a_crash_between_two_chunks_loses_and_doubles_nobody(
    db: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollcall_rounds, "CHUNK", 3)
    area = await make_area(db, now)
    elsewhere = await make_area(db, now, "elsewhere")
    async with db.write() as tx:
        people = [
            await make_person(tx, now, area=elsewhere if n % 4 == 3 else area) for n in range(13)
        ]
    here = [person for n, person in enumerate(people) if n % 4 != 3]
    call = await _begin(db, area, now)
    asked = {f"rollcall:{call}:{person}" for person in here}
    assert set(await states(db)) < asked
    await _in_pieces(db, now)
    assert set(await states(db)) == asked
    await _deliver(db, now)
    await _in_pieces(db, now + HALF_HOUR)
    again = {f"rollcall:{call}:2:{person}" for person in here}
    assert set(await states(db)) == asked | again
    # One waits still when it ends: it is called off, and they are told all the same.
    await _in_pieces(db, now + AT_ONCE.lasts)
    found = await states(db)
    assert {found[key] for key in again} == {("cancelled", "the roll call is over")}
    assert _keys(found, "rollcall_over:") == {f"rollcall_over:{call}:{person}" for person in here}


async def test_a_message_of_a_bot_that_is_gone_is_followed_for_a_day_only(
    db: Database, now: datetime
) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        officer = await make_person(tx, now, area=area)
    calls = [await _begin(db, area, now) for _ in range(2)]
    async with db.write() as tx:
        for number, call in enumerate(calls):
            await keep_view(
                tx,
                rollcall_id=call,
                person_id=officer,
                bot_id=LANE + 1,
                chat_id=1,
                message_id=number,
                shown="",
                next_at=now,
            )
        await end_rollcall(tx, calls[0], by=None, now=now)
    for hours, left in ((23, 2), (25, 1), (25, 1)):
        await end_what_is_over(db, now + timedelta(hours=hours), [LANE])
        async with db.read() as tx:
            assert len((await tx.execute(select(RollcallView.rollcall_id))).all()) == left


async def _in_pieces(db: Database, now: datetime) -> None:
    """One step a process, each of which then dies."""
    for _ in range(20):
        steps = iter((True, False))
        await carry_on_rollcalls(db, lambda: now, going=lambda steps=steps: next(steps))  # type: ignore[misc]  # bound


async def test_who_leaves_is_a_number_and_no_name(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        stays, leaves = [await make_person(tx, now, area=area) for _ in range(2)]
    call = await _begin(db, area, now)
    await _deliver(db, now)
    async with db.write() as tx:
        await tx.execute(
            update(Person)
            .where(Person.id == leaves)
            .values(consented=False, erased_at=now, area_id=None, name=None, status="left")
        )
    assert await _tick(db, now + HALF_HOUR) == 1
    assert await _figures(db, call) == Figures(silent=1, left=1)
    async with db.read() as tx:
        named = await list_rollcall(
            tx, call, None, ["silent", "left", "unreached"], phones=True, limit=9
        )
    assert [one.person_id for one in named] == [stays]


async def test_who_moved_to_another_area_is_for_its_officers(db: Database, now: datetime) -> None:
    area, elsewhere = await make_area(db, now), await make_area(db, now, code="elsewhere")
    async with db.write() as tx:
        stays, moves = [await make_person(tx, now, area=area) for _ in range(2)]
    call = await _begin(db, area, now)
    await _deliver(db, now)
    async with db.write() as tx:
        await tx.execute(update(Person).where(Person.id == moves).values(area_id=elsewhere.id))
    async with db.read() as tx:
        named = await list_rollcall(tx, call, None, ["silent", "unreached"], phones=True, limit=9)
    assert [one.person_id for one in named] == [stays]
    assert await _figures(db, call) == Figures(silent=2)


async def test_nobody_there_is_over_at_once(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    call = await _begin(db, area, now)
    async with db.read() as tx:
        row = (await tx.execute(select(Rollcall).where(Rollcall.id == call))).one()
    assert row.closed_at == now
    assert await _tick(db, now + AT_ONCE.lasts) == 0
    assert await states(db) == {}


async def test_a_calm_one_is_not_urgent(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        await make_person(tx, now, area=area)
    await _begin(db, area, now, manner=CALMLY)
    async with db.read() as tx:
        row = (await tx.execute(select(Delivery))).one()
    assert not row.urgent
    assert row.priority == 1


async def test_a_thousand_are_asked_by_a_handful_of_statements(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        for _ in range(60):
            await make_person(tx, now, area=area)
    statements = db.count_statements()
    await _begin(db, area, now)
    assert len(statements) <= 12, "\n".join(statements)
    await _deliver(db, now)
    statements.clear()
    assert await _tick(db, now + HALF_HOUR) == 60
    assert len(statements) <= 25, "\n".join(statements)
    statements.clear()
    assert await _tick(db, now + HALF_HOUR) == 0
    probes = [one for one in statements if "rollcall" in one]
    assert len(probes) == 1, "\n".join(statements)


_MANNERS = st.builds(
    Manner,
    urgent=st.booleans(),
    every=st.integers(5, 600).map(lambda n: timedelta(minutes=n)),
    most=st.integers(0, 12),
    lasts=st.integers(1, 96).map(lambda n: timedelta(hours=n)),
)


@given(manner=_MANNERS, looks=st.lists(st.integers(0, 7000), min_size=1, max_size=40))
def test_whenever_one_looks_it_asks_so_often_and_ends(manner: Manner, looks: list[int]) -> None:
    """However late the ticks come: never more rounds than allowed, none early, none after the
    end, no two at one tick, and what it waits for lies ahead."""
    at = datetime.fromisoformat("2026-11-22T12:00:00+00:00")
    closes_at = at + manner.lasts
    asked, began = 1, [at]
    for minutes in sorted(looks):
        now = at + timedelta(minutes=minutes)
        case = Standing(at, closes_at, manner.every, manner.most, asked, False, False)
        match decide(case, now):
            case AskAgain(number):
                assert asked < number <= manner.most + 1
                assert at + manner.every * (number - 1) <= now < closes_at
                asked = number
                began.append(now)
                after = Standing(at, closes_at, manner.every, manner.most, asked, False, False)
                assert isinstance(decide(after, now), Wait)
            case Wait(until):
                assert now < until <= closes_at
            case End():
                assert now >= closes_at
            case Write():
                raise AssertionError("nothing is being written")
    assert len(began) <= manner.most + 1

"""The outbox's rows: written once, planned by the set, expired and pruned."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from storage.database import Database
from storage.models import Checkin, Delivery
from storage.outbox.audience import count_audience
from storage.outbox.backlog import outbox_states
from storage.outbox.broadcasts import broadcast_outcome, plan_broadcast
from storage.outbox.messages import (
    enqueue,
    expire_due,
    note_stranded,
    settle_laneless,
)
from storage.rhythm.checkins import answer_checkin, open_checkin
from storage.rhythm.rollcalls import plan_rollcall
from storage.rules.defaults import ensure_default_rule, ensure_root_rules
from tests.outbox_people import LANE, WEB, add_account, make_area, make_person, states

HOUR = timedelta(hours=1)


async def test_enqueue_once_by_key(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        person = await make_person(tx, now)
        written = [
            await enqueue(
                tx,
                person_id=person,
                template="case_reply",
                priority=0,
                dedupe_key="reply:1",
                now=now,
                expires_at=now + HOUR,
            )
            for _ in range(2)
        ]
    assert written[0] is not None
    assert written[1] is None
    async with db.read() as tx:
        assert await tx.scalar(select(Delivery.lane)) == LANE


async def test_rollcall_asks_expected_workers_of_the_subtree(db: Database, now: datetime) -> None:
    county = await make_area(db, now, "county")
    village = await make_area(db, now, "village", parent="county")
    other = await make_area(db, now, "other")
    async with db.write() as tx:
        for status in ("away", "moving", "home", "paused", "left"):
            await make_person(tx, now, area=village, status=status)
        await make_person(tx, now, area=village, consented=False)
        await make_person(tx, now, area=other)
        await make_person(tx, now, is_officer=True)
        planned = await plan_rollcall(tx, area=county, text="洪水", by=None, now=now)
    assert planned.count == 2
    async with db.read() as tx:
        rows = (await tx.execute(select(Delivery))).all()
        assert {(row.priority, row.urgent, row.template) for row in rows} == {(0, True, "rollcall")}
        areas = (await tx.execute(select(Checkin.area_id))).scalars().all()
    assert areas == [village.id, village.id]


async def test_first_answer_stands(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        person = await make_person(tx, now, area=area)
        other = await make_person(tx, now, area=area)
        await plan_rollcall(tx, area=area, text="?", by=None, now=now)
        checkin = await tx.scalar(select(Checkin.id).where(Checkin.person_id == person))
        assert await open_checkin(tx, person, now) is None  # not delivered yet
        await tx.execute(
            update(Checkin)
            .where(Checkin.id == checkin)
            .values(delivered_at=now, bot_id=LANE, chat_id=5, message_id=6)
        )
        found = await open_checkin(tx, person, now + HOUR)
        assert found is not None
        assert (found.id, found.message_id, found.rollcall) == (checkin, 6, True)
        assert await open_checkin(tx, person, now + 24 * HOUR) is None

        first = await answer_checkin(
            tx, checkin_id=checkin, person_id=person, answer="ok", now=now + HOUR
        )
        second = await answer_checkin(
            tx, checkin_id=checkin, person_id=person, answer="help", now=now + 2 * HOUR
        )
        forged = await answer_checkin(
            tx, checkin_id=checkin, person_id=other, answer="ok", now=now + HOUR
        )
        assert await open_checkin(tx, person, now + HOUR) is None
    assert first is not None
    assert second is not None
    assert (first.first, first.in_time, first.rollcall) == (True, True, True)
    assert (second.first, second.answer, second.answered_at) == (False, "ok", now + HOUR)
    assert forged is None


async def test_answer_after_the_window_is_late(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        person = await make_person(tx, now, area=area)
        await plan_rollcall(tx, area=area, text="?", by=None, now=now)
        checkin = await tx.scalar(select(Checkin.id))
        late = await answer_checkin(
            tx, checkin_id=checkin, person_id=person, answer="ok", now=now + 24 * HOUR
        )
    assert late is not None
    assert (late.first, late.in_time) == (True, False)


async def test_broadcast_by_language_to_those_not_paused(db: Database, now: datetime) -> None:
    area = await make_area(db, now, language="zh")
    async with db.write() as tx:
        await make_person(tx, now, area=area)
        await make_person(tx, now, area=area, status="home", language="zh")
        await make_person(tx, now, area=area, language="en")
        await make_person(tx, now, area=area, status="paused")
        await make_person(tx, now, area=area, consented=False)
        assert await count_audience(tx, area) == 3
        assert await count_audience(tx, area, "en") == 1
        planned = await plan_broadcast(tx, area=area, text="体检", language="zh", by=None, now=now)
        assert planned.count == await count_audience(tx, area, "zh") == 2
        nobody = await plan_broadcast(tx, area=area, text="?", language="fr", by=None, now=now)
        assert nobody.count == 0
        assert await broadcast_outcome(tx, planned.id) == {"queued": 2}
        assert await broadcast_outcome(tx, nobody.id) == {}


async def test_default_rule_is_made_once(db: Database, now: datetime) -> None:
    root = await make_area(db, now, "root")
    await make_area(db, now, "leaf", parent="root")
    async with db.write() as tx:
        assert await ensure_default_rule(tx, root.id, now)
        assert not await ensure_default_rule(tx, root.id, now)
        assert await ensure_root_rules(tx, now) == 0


async def test_laneless_is_settled_or_fails_with_its_reason(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        nobody = await make_person(tx, now, chat_id=0)
        blocked = await make_person(tx, now, account_state="blocked")
        for person, key in ((nobody, "a"), (blocked, "b")):
            await enqueue(
                tx,
                person_id=person,
                template="welcome_back",
                priority=2,
                dedupe_key=key,
                now=now,
                expires_at=now + HOUR,
            )
        await add_account(tx, now, nobody, 7, bot_id=WEB)
        await tx.execute(
            update(Delivery).where(Delivery.dedupe_key == "b").values(reason="blocked")
        )
        assert await settle_laneless(tx, now, [LANE]) == 1
        assert await tx.scalar(select(Delivery.lane).where(Delivery.dedupe_key == "a")) == WEB
    assert await states(db) == {"a": ("queued", None), "b": ("failed", "blocked")}


async def test_stranded_moves_or_says_that_it_waits(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        for key, also_web in (("a", False), ("b", True)):
            person = await make_person(tx, now)
            await enqueue(
                tx,
                person_id=person,
                template="welcome_back",
                priority=2,
                dedupe_key=key,
                now=now,
                expires_at=now + HOUR,
            )
            if also_web:
                await add_account(tx, now - HOUR, person, 7, bot_id=WEB)
        later = now + HOUR / 2
        assert await note_stranded(tx, now, [WEB]) == 0
        assert await note_stranded(tx, later, [WEB, LANE]) == 0
        assert await note_stranded(tx, later, [WEB]) == 2
        assert await note_stranded(tx, later, [WEB]) == 0
        assert await tx.scalar(select(Delivery.lane).where(Delivery.dedupe_key == "b")) == WEB
    assert await states(db) == {"a": ("queued", "waits for its channel"), "b": ("queued", None)}


async def test_expired_counted_and_pruned(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        person = await make_person(tx, now)
        for key, age in (("old", 2), ("due", 1)):
            await enqueue(
                tx,
                person_id=person,
                template="welcome_back",
                priority=2,
                dedupe_key=key,
                now=now - age * HOUR,
                expires_at=now - age * HOUR + 1.5 * HOUR,
            )
        before = await outbox_states(tx, now)
        assert before["oldest_due_seconds"] == 7200
        assert await expire_due(tx, now) == 1
        counted = await outbox_states(tx, now)
        assert counted["states"] == {
            "queued": 1,
            "sending": 0,
            "sent": 0,
            "unknown": 0,
            "failed": 0,
            "expired": 1,
            "cancelled": 0,
        }
        assert counted["oldest_due_seconds"] == 3600
        assert (await outbox_states(tx, now + timedelta(days=31)))["states"]["expired"] == 0
        assert (await outbox_states(tx, now - 3 * HOUR))["oldest_due_seconds"] is None

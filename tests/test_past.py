"""Finished messages leave the outbox's way: everyone who asks is answered as before."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from bot.demo.county import make_demo
from bot.demo.removal import remove_demo
from scheduler.expiry import end_what_is_over, move_what_is_over
from storage.database import Database, Tx
from storage.models import Account, Delivery, PastDelivery, Person, WebChat
from storage.outbox.backlog import lanes_known, outbox_states
from storage.outbox.messages import enqueue
from storage.outbox.partitions import Month, drop_months, make_months
from storage.outbox.past import _SHARED, DELIVERIES, find_finished, move_finished, prune_past
from storage.people.areas import AreaInfo
from storage.people.erasure import erase_person
from storage.people.mydata import export_person
from storage.people.who import Who, load_who
from storage.register.figures import compute_register
from storage.register.periods import week_of
from storage.talk.cases import case_of_message, open_case, reply_to_case
from storage.talk.conversation import add_message, messages_before, open_chat
from tests.county import BOT, make_area, make_person

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def finish(
    tx: Tx, person_id: int, at: datetime, key: str, state: str = "sent", **more: Any
) -> int:
    """A message that ended at ``at``; its id."""
    values = {
        "template": "broadcast",
        "priority": 3,
        "urgent": False,
        "lane": 1,
        "dedupe_key": key,
        "not_before": at,
        "expires_at": at + DAY,
        "attempts": 1,
        "created_at": at - HOUR,
        **more,
    }
    written: int = await tx.scalar(
        tx.insert(Delivery)
        .values(person_id=person_id, state=state, finished_at=at, **values)
        .returning(Delivery.id)
    )
    return written


async def counts(db: Database) -> tuple[int, int]:
    """How many are in the outbox, and how many in the past."""
    async with db.read() as tx:
        hot, past = [await tx.scalar(select(func.count()).select_from(it)) for it in DELIVERIES]
    return hot, past


async def load_who_of(tx: Tx, person_id: int) -> Who:
    chat_id = await tx.scalar(select(Account.chat_id).where(Account.person_id == person_id))
    who = await load_who(tx, BOT, chat_id)
    assert who is not None
    return who


Answer = Callable[[Tx], Awaitable[Any]]


async def _story(db: Database, now: datetime) -> tuple[AreaInfo, dict[str, Answer], int]:
    """Workers to whom all sorts of messages went, and what everyone asks about them."""
    ended = now - 2 * HOUR
    async with db.write() as tx:
        elm = await make_area(tx, "elm", now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        fang = await make_person(tx, "Fang", now, area=elm)
        case = await open_case(
            tx,
            who=fang,
            text="My pay is late",
            media=None,
            file_id=None,
            urgent=False,
            kind="question",
            now=now - 3 * HOUR,
        )
        await reply_to_case(tx, case_id=case.id, by=mei, text="ok", now=now - 3 * HOUR)
        await open_chat(tx, mei.chat_id, now)
        told = await add_message(tx, mei.chat_id, {"text": "Someone asks"}, now)
        assert told is not None
        for state in ("sent", "failed", "unknown", "expired", "cancelled"):
            worker = await make_person(tx, f"Worker {state}", now, area=elm)
            await finish(tx, worker.person_id, ended, state, state, reason=f"why {state}")
        await tx.execute(
            update(Delivery)
            .where(Delivery.case_id == case.id)
            .values(state="sent", finished_at=ended, lane=1, account_id=fang.account_id)
        )
        await tx.execute(
            update(Delivery)
            .where(Delivery.case_id == case.id, Delivery.person_id == mei.person_id)
            .values(account_id=mei.account_id, message_id=told.message_id)
        )

    async def stands(tx: Tx) -> Any:
        return (await compute_register(tx, elm, week_of(now, elm.timezone), now)).as_json()

    async def counted(tx: Tx) -> Any:
        return await outbox_states(tx, now), await lanes_known(tx, now)

    return (
        elm,
        {
            "register": stands,
            "my data": lambda tx: export_person(tx, fang.person_id),
            "reply": lambda tx: case_of_message(tx, mei.account_id, told.message_id),
            "outbox": counted,
        },
        fang.person_id,
    )


async def test_everyone_is_answered_as_before(db: Database, now: datetime) -> None:
    _, questions, fang = await _story(db, now)

    async def ask() -> dict[str, Any]:
        async with db.read() as tx:
            return {name: await ask(tx) for name, ask in questions.items()}

    before = await ask()
    assert before["register"]["silence"]["unreachable"] == 1
    assert before["register"]["silence"]["unanswered"] == 3
    assert before["my data"]["messages"]
    assert before["reply"] is not None
    assert before["outbox"][0]["reasons"]["failed"] == {"why failed": 1}
    assert await counts(db) == (7, 0)
    assert await move_what_is_over(db, now) == 7
    assert await counts(db) == (0, 7)
    assert await ask() == before
    async with db.read() as tx:
        nobody = await tx.scalar(select(func.count()).where(PastDelivery.account_id.is_(None)))
    # Leaving is known in the past, too.
    async with db.write() as tx:
        who = await load_who_of(tx, fang)
        await erase_person(tx, who, now)
        left = select(func.count()).where(PastDelivery.account_id.is_(None))
        assert await tx.scalar(left) == nobody + 1
        mine = select(func.count()).where(
            PastDelivery.person_id == fang, PastDelivery.account_id.is_not(None)
        )
        assert await tx.scalar(mine) == 0


async def test_an_officers_chat_forgets_a_case_told_long_ago(db: Database, now: datetime) -> None:
    _, _, fang = await _story(db, now)
    await move_what_is_over(db, now)
    async with db.write() as tx:
        who = await load_who_of(tx, fang)
        chat_id = await tx.scalar(select(WebChat.chat_id))
        assert len(await messages_before(tx, chat_id, 10**6, 10)) == 1
        await erase_person(tx, who, now)
        assert [it.body for it in await messages_before(tx, chat_id, 10**6, 10)] in ([], [None])


async def test_only_what_ended_an_hour_ago_moves(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        who = await make_person(tx, "Fang", now)
        for key, age in (("fresh", 59), ("hour", 60), ("old", 600)):
            await finish(tx, who.person_id, now - timedelta(minutes=age), key)
        await finish(tx, who.person_id, now + HOUR, "clock set back since")
    assert await move_what_is_over(db, now) == 2
    assert await counts(db) == (2, 2)
    # Again, and with the clock set back an hour: nothing.
    assert await move_what_is_over(db, now) == 0
    assert await move_what_is_over(db, now - HOUR) == 0
    assert await counts(db) == (2, 2)


async def test_many_of_one_moment_move_in_batches(
    db: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.expiry._AHEAD", 10)
    async with db.write() as tx:
        who = await make_person(tx, "Fang", now)
        for number in range(35):
            await finish(tx, who.person_id, now - 2 * HOUR, f"key {number}")
    assert await move_what_is_over(db, now, at_most=0, batch=3) == 3
    assert await move_what_is_over(db, now, batch=3) == 32
    assert await counts(db) == (0, 35)


async def test_kept_for_thirty_days(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        who = await make_person(tx, "Fang", now)
        for days in (1, 29, 31, 45, 75):
            await finish(tx, who.person_id, now - timedelta(days=days), f"key {days}")
    done = await end_what_is_over(db, now, [1])
    assert done["moved"] == 5
    async with db.read() as tx:
        kept = (await tx.execute(select(PastDelivery.dedupe_key))).scalars().all()
    if db.on_sqlite:
        assert done["pruned"] == 3
        assert sorted(kept) == ["key 1", "key 29"]
    else:
        # Months go whole: 22 November is more than 30 days after the end of September only.
        assert done["months"] == 1
        assert sorted(kept) == ["key 1", "key 29", "key 31", "key 45"]
        async with db.read() as tx:
            states = (await outbox_states(tx, now))["states"]
        assert states["sent"] == 2  # the others are not counted any more


@pytest.mark.parametrize("month", [Month(2026, 11), Month(2026, 12)])
def test_a_month_ends_where_the_next_begins(month: Month) -> None:
    following = month.following()
    assert Month.of(following.starts) == following
    assert Month.of(following.starts - timedelta(microseconds=1)) == month
    assert month < following


async def test_two_processes_make_and_move_and_drop(postgres_db: Database, now: datetime) -> None:
    db = postgres_db
    ended = now - 2 * HOUR
    months = {Month.of(now), Month.of(now).following()}
    async with db.write() as tx:
        who = await make_person(tx, "Fang", now)
        ids = [await finish(tx, who.person_id, ended, f"key {number}") for number in range(20)]
        # Kept without a month, in the way of its table.
        await tx.execute(
            insert(PastDelivery).from_select(
                _SHARED, select(*(getattr(Delivery, it) for it in _SHARED)).where(Delivery.id == 1)
            )
        )
        await tx.execute(text("DELETE FROM delivery WHERE id = 1"))
    made = await asyncio.gather(make_months(db, months), make_months(db, months))
    assert set.union(*made) == months  # whoever finds the other at work leaves a month to it
    async with db.read() as tx:
        assert await tx.scalar(text("SELECT count(*) FROM delivery_past_default")) == 0
        assert await tx.scalar(text("SELECT count(*) FROM delivery_past_2026_11")) == 1
    async with db.write() as first:
        assert await move_finished(first, ids[:5]) == 4
        async with db.write() as second:  # passes by what the first has taken
            assert await move_finished(second, ids) == 15
    assert await counts(db) == (0, 20)
    later = now + timedelta(days=70)
    dropped = await asyncio.gather(drop_months(db, later), drop_months(db, later))
    assert {month for found in dropped for month in found} == months
    assert await counts(db) == (0, 0)


async def test_a_reader_that_stays_keeps_no_one_waiting(
    postgres_db: Database, now: datetime
) -> None:
    db = postgres_db
    async with db.write() as tx:
        who = await make_person(tx, "Fang", now)
        await finish(tx, who.person_id, now - 2 * HOUR, "key")
    async with db.read() as held:
        assert await held.scalar(select(func.count()).select_from(PastDelivery)) == 0
        assert await move_what_is_over(db, now) == 0  # no month can be made; it stays
        async with asyncio.timeout(5), db.read() as tx:
            assert await tx.scalar(select(func.count()).select_from(PastDelivery)) == 0
    assert await move_what_is_over(db, now) == 1
    async with db.read() as held:
        assert await held.scalar(select(func.count()).select_from(PastDelivery)) == 1
        assert await drop_months(db, now + timedelta(days=90)) == []
    assert len(await drop_months(db, now + timedelta(days=90))) == 2


async def test_what_belongs_to_no_month_is_pruned(postgres_db: Database, now: datetime) -> None:
    async with postgres_db.write() as tx:
        who = await make_person(tx, "Fang", now)
        for days in (31, 29):
            await finish(tx, who.person_id, now - timedelta(days=days), f"key {days}")
        found = await find_finished(tx, now, None, 10)
        assert await move_finished(tx, [it for it, _ in found]) == 2
        assert await prune_past(tx, now, 10) == 1
        assert await prune_past(tx, now, 10) == 0


async def test_the_demo_takes_its_past_with_it(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await make_demo(tx, now)
        person = await tx.scalar(select(func.min(Person.id)))
        await finish(tx, person, now - 2 * HOUR, "key")
    await move_what_is_over(db, now)
    assert (await counts(db))[1] >= 1
    async with db.write() as tx:
        await remove_demo(tx, now)
    assert (await counts(db))[1] == 0


async def test_a_clock_set_back_undoes_nothing(db: Database, now: datetime) -> None:
    ahead = now + HOUR  # as the clock was for a while
    async with db.write() as tx:
        who = await make_person(tx, "Fang", now)
        await finish(tx, who.person_id, ahead, "finished ahead")
        await finish(tx, who.person_id, now - HOUR / 2, "finished")
        await enqueue(
            tx,
            person_id=who.person_id,
            template="welcome_back",
            priority=2,
            dedupe_key="expired",
            now=now,
            expires_at=now + HOUR / 2,
        )
    done = await end_what_is_over(db, ahead, [1])
    assert (done["expired"], done["moved"]) == (1, 1)
    before = await counts(db)
    for _ in range(2):
        assert not any((await end_what_is_over(db, now, [1])).values())
    assert await counts(db) == before
    async with db.read() as tx:
        found = await outbox_states(tx, now)
    assert found["states"]["expired"] == 1
    assert found["states"]["sent"] == 2
    assert found["oldest_due_seconds"] is None
    # What ended ahead of time moves when its time has come.
    assert await move_what_is_over(db, ahead + HOUR) == 2

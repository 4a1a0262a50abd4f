"""Messages that leave as one: which may, and what becomes of each of them."""

from datetime import datetime, timedelta

import pytest
from aiogram import exceptions as said
from aiogram.methods import SendMessage
from aiogram.types import InlineKeyboardMarkup
from sqlalchemy import select, update

from scheduler.burden import TOGETHER
from storage.database import Database
from storage.models import Area, Checkin
from storage.models import Delivery as Row
from storage.outbox.burden import WEEK
from tests import burden_week
from tests.burden_week import Week, apart
from tests.outbox_people import LANE, make_person, states
from tests.outbox_post import METHOD, put

week = burden_week.week


async def test_check_in_reminder_and_notice_leave_as_one(week: Week) -> None:
    soon = TOGETHER - timedelta(minutes=1)
    at = week.times.now
    await week.write("checkin", "c", not_before=at + soon)
    await week.write("reminder", "r", not_before=at + 2 * TOGETHER)
    await week.write("broadcast", "b")
    await week.write("reminder", "r2")
    await week.round()
    assert week.texts() == [["broadcast", "reminder", "checkin"]]
    (_, message) = week.channel.taken[0]
    assert isinstance(message, SendMessage)
    assert isinstance(message.reply_markup, InlineKeyboardMarkup)
    rows = message.reply_markup.inline_keyboard
    assert [button.text for row in rows for button in row] == ["done", "fine"]
    found = await states(week.db)
    assert [found[key][0] for key in ("b", "c", "r", "r2")] == ["sent", "sent", "queued", "sent"]
    # It counts once: two more are borne.
    await week.write("checkin", "c2")
    week.times.move(2 * TOGETHER.total_seconds())
    await week.round()
    assert len(week.channel.taken) == 2
    assert (await states(week.db))["r"] == ("sent", None)  # with c2


async def test_what_cannot_be_joined_goes_by_itself_within_the_budget(
    db: Database, now: datetime
) -> None:
    async with db.write() as tx:
        week = Week(db, now, await make_person(tx, now), render=apart)
    for number in range(4):
        await week.write("broadcast", f"b{number}")
    await week.write("checkin", "c", not_before=now + timedelta(minutes=5))
    await week.write("reminder", "later", not_before=now + timedelta(minutes=5))
    await week.round()
    # Not before its time, and the place kept for it is still there.
    assert week.texts() == [["broadcast"], ["broadcast"]]
    assert (await week.row("c")).not_before == now + timedelta(minutes=5)
    assert (await week.row("c")).attempts == 0
    assert (await week.row("c")).reason is None
    week.times.move(300)
    await week.round()
    assert week.texts()[2:] == [["checkin"]]
    assert await week.waits("later") == now + WEEK


@pytest.mark.parametrize(
    ("error", "checkin", "broadcast"),
    [
        (said.TelegramBadRequest(METHOD, "Bad Request: no"), "failed", "failed"),
        (said.TelegramServerError(METHOD, "Bad Gateway"), "queued", "queued"),
        (said.TelegramForbiddenError(METHOD, "Forbidden: blocked"), "queued", "queued"),
        (said.TelegramRetryAfter(METHOD, "Too Many", 7), "queued", "queued"),
        # Each class keeps its promise: asked again, and not told twice.
        (said.TelegramNetworkError(METHOD, "reset"), "queued", "unknown"),
    ],
)
async def test_what_left_as_one_shares_what_becomes_of_it(
    week: Week, error: Exception, checkin: str, broadcast: str
) -> None:
    await week.write("checkin", "c")
    await week.write("broadcast", "b")
    week.channel.always(lambda _method: error)
    await week.round()
    found = await states(week.db)
    assert (found["c"][0], found["b"][0]) == (checkin, broadcast)
    assert found["c"][1] == found["b"][1]
    assert len(week.channel.tried) == 1


async def test_a_chat_that_is_busy_takes_all_of_it_back(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        week = Week(db, now, await make_person(tx, now), rates={LANE: 1000.0})
        for number in range(3):
            await put(tx, week.person, f"reply {number}", now)
    await week.write("checkin", "c")
    await week.write("broadcast", "b", not_before=now + timedelta(minutes=3))
    await week.round()
    found = await states(week.db)
    assert (found["c"], found["b"]) == (("queued", "others came first"), ("queued", None))
    assert (await week.row("b")).not_before == now + timedelta(minutes=3)
    assert (await week.row("b")).attempts == 0
    week.times.move(2)
    await week.round()
    assert week.texts()[3:] == [["broadcast", "checkin"]]


@pytest.mark.parametrize("lane", [None, 4242])
async def test_what_comes_along_may_have_waited_in_another_lane(
    week: Week, lane: int | None
) -> None:
    await week.write("checkin", "c")
    for template in ("reminder", "broadcast"):
        key = await week.write(template, not_before=week.times.now + timedelta(minutes=3))
        async with week.db.write() as tx:
            await tx.execute(update(Row).where(Row.dedupe_key == key).values(lane=lane))
    await week.round()
    assert {state for state, _ in (await states(week.db)).values()} == {"sent"}
    assert week.texts() == [["broadcast", "reminder", "checkin"]]


async def test_a_crash_leaves_what_left_as_one_to_its_classes(week: Week) -> None:
    await week.write("checkin", "c")
    await week.write("broadcast", "b", not_before=week.times.now + timedelta(minutes=3))
    await week.delivery.turn()  # claimed, and never recorded
    assert {state for state, _ in (await states(week.db)).values()} == {"sending"}
    after = Week(week.db, week.times.now + timedelta(hours=2), week.person)
    await after.delivery.start()
    await after.delivery.stop()
    await Week(week.db, after.times.now, week.person).round()
    found = await states(week.db)
    assert found["b"] == ("unknown", "interrupted while it was being sent")
    assert found["c"] == ("sent", None)
    await week.delivery.settle()


async def test_the_check_in_of_a_joined_message_is_delivered(week: Week) -> None:
    now = week.times.now
    async with week.db.write() as tx:
        area = await tx.scalar(select(Area.id))
        checkin: int = await tx.scalar(
            tx.insert(Checkin)
            .values(
                person_id=week.person,
                area_id=area,
                slot="2026-11-22",
                due_at=now,
                window_until=now + timedelta(days=2),
            )
            .returning(Checkin.id)
        )
    await week.write("checkin", "c", checkin_id=checkin)
    await week.write("broadcast", "b")
    await week.round()
    async with week.db.read() as tx:
        asked = (await tx.execute(select(Checkin.__table__))).one()
    assert (asked.delivered_at, asked.message_id) == (now, 1)

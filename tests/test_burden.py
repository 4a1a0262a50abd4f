"""The week's budget as messages leave: nobody gets more, what falls together is one message."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from aiogram import exceptions as said
from aiogram.methods import SendMessage
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from sqlalchemy import func, select, update

from scheduler.burden import TOGETHER
from scheduler.joining import JOINT
from scheduler.letters import Letter, Ready, Withheld
from storage.database import Database, Tx
from storage.models import Area, Checkin
from storage.models import Delivery as Row
from storage.outbox.burden import USED_UP, WEEK
from storage.outbox.messages import BROADCAST, CHECKIN, REMINDER
from storage.outbox.past import find_finished, move_finished
from tests.outbox_people import LANE, make_area, make_person, states
from tests.outbox_post import METHOD, Post, put

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PRIORITY = {"checkin": CHECKIN, "nudge": CHECKIN, "reminder": REMINDER, "broadcast": BROADCAST}
BUTTONS = {"checkin": ("fine", "ci:1:ok"), "reminder": ("done", "rm:1:done")}


def letter_of(ready: Ready, joins: int = 4000) -> Letter:
    """Says the template; what asks has a button."""
    message = ready.message
    assert message.to is not None
    markup = None
    if message.template in BUTTONS:
        label, data = BUTTONS[message.template]
        rows = [[InlineKeyboardButton(text=label, callback_data=data)]]
        markup = InlineKeyboardMarkup(inline_keyboard=rows)
    part = SendMessage(chat_id=message.to.chat_id, text=message.template, reply_markup=markup)
    return Letter([part], joins=0 if message.urgent else joins)


async def joinable(tx: Tx, batch: Sequence[Ready], /) -> Mapping[int, Letter | Withheld]:
    return {ready.message.id: letter_of(ready) for ready in batch}


async def apart(tx: Tx, batch: Sequence[Ready], /) -> Mapping[int, Letter | Withheld]:
    return {ready.message.id: letter_of(ready, joins=0) for ready in batch}


class Week(Post):
    """A delivery to one worker, with what is written for them by template."""

    def __init__(
        self, db: Database, now: datetime, person: int, render: Any = joinable, **more: Any
    ) -> None:
        super().__init__(db, now, render=render, **more)
        self.person = person

    async def write(self, template: str, key: str | None = None, **more: Any) -> str:
        key = key or f"{template}:{self.times.now:%d.%H:%M}"
        values = {"template": template, "priority": PRIORITY[template]}
        values["expires_at"] = self.times.now + 30 * DAY
        async with self.db.write() as tx:
            await put(tx, self.person, key, self.times.now, **{**values, **more})
        return key

    async def goes(self, template: str, **more: Any) -> None:
        """Written, and sent at once."""
        before = len(self.channel.taken)
        await self.write(template, **more)
        await self.round()
        assert len(self.channel.taken) == before + 1

    def texts(self) -> list[list[str]]:
        return [text.split(JOINT) for _, text in self.channel.texts()]

    async def row(self, key: str) -> Any:
        async with self.db.read() as tx:
            return (await tx.execute(select(Row.__table__).where(Row.dedupe_key == key))).one()

    async def waits(self, key: str) -> datetime | None:
        """Until when it waits for the budget."""
        row = await self.row(key)
        at: datetime | None = row.not_before
        return at if (row.state, row.reason) == ("queued", USED_UP) else None


@pytest.fixture
async def week(db: Database, now: datetime) -> Week:
    area = await make_area(db, now)
    async with db.write() as tx:
        return Week(db, now, await make_person(tx, now, area=area))


async def test_notices_leave_room_for_the_check_in_and_the_week_rolls_on(week: Week) -> None:
    began = week.times.now
    await week.goes("broadcast")
    week.times.move(DAY.total_seconds())
    await week.goes("broadcast")
    week.times.move(DAY.total_seconds())
    third = await week.write("broadcast")
    await week.round()
    assert await week.waits(third) == began + WEEK
    assert (await week.row(third)).attempts == 0
    urgent = await week.write("checkin", "roll call", urgent=True)
    await week.round()
    assert (await week.row(urgent)).state == "sent"
    assert await week.waits(third) == began + WEEK
    week.times.move((5 * DAY).total_seconds())
    await week.round()
    assert (await states(week.db))[third] == ("sent", None)


async def test_what_waits_comes_with_the_check_in(week: Week) -> None:
    for _ in range(2):
        await week.goes("broadcast")
        week.times.move(DAY.total_seconds())
    third = await week.write("broadcast", "third")
    await week.round()
    assert await week.waits(third) is not None
    await week.goes("checkin")
    assert week.texts()[-1] == ["broadcast", "checkin"]
    rows = [await week.row(key) for key in (third, f"checkin:{week.times.now:%d.%H:%M}")]
    assert len({(row.state, row.account_id, row.message_id) for row in rows}) == 1
    assert rows[0].state == "sent"
    # Of the check-in's own three, the nudge is none; a fourth waits.
    await week.goes("nudge")
    week.times.move(HOUR.total_seconds())
    await week.write("checkin", "one more")
    await week.round()
    assert await week.waits("one more") == week.times.now - 2 * DAY - HOUR + WEEK


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
    after = Week(week.db, week.times.now + 2 * HOUR, week.person)
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
                window_until=now + 2 * DAY,
            )
            .returning(Checkin.id)
        )
    await week.write("checkin", "c", checkin_id=checkin)
    await week.write("broadcast", "b")
    await week.round()
    async with week.db.read() as tx:
        asked = (await tx.execute(select(Checkin.__table__))).one()
    assert (asked.delivered_at, asked.message_id) == (now, 1)


async def test_the_budget_is_the_nearest_areas(db: Database, now: datetime) -> None:
    await make_area(db, now, "county")
    await make_area(db, now, "town", "county")
    village = await make_area(db, now, "village", "town")
    async with db.write() as tx:
        person = await make_person(tx, now, area=village)
    week = Week(db, now, person)

    async def told(budget: int | None, code: str) -> int:
        async with db.write() as tx:
            await tx.execute(update(Area).where(Area.code == code).values(weekly_budget=budget))
        week.times.move((2 * WEEK).total_seconds())
        before = len(week.channel.taken)
        for number in range(7):
            await week.write(
                "checkin", f"{week.times.now}{number}", expires_at=week.times.now + DAY
            )
            await week.round()
            week.times.move(60)
        return len(week.channel.taken) - before

    assert await told(None, "county") == 3
    assert await told(5, "county") == 5
    assert await told(1, "town") == 1
    assert await told(2, "village") == 2
    async with db.write() as tx:
        await tx.execute(update(Area).values(weekly_budget=None))
    assert await told(0, "county") == 0


@pytest.mark.parametrize("seed", range(3))
async def test_no_seven_days_hold_more_whatever_is_written(
    db: Database, now: datetime, seed: int
) -> None:
    chance = Random(seed)
    area = await make_area(db, now)
    budget = chance.randint(1, 4)
    async with db.write() as tx:
        await tx.execute(update(Area).values(weekly_budget=budget))
        people = [await make_person(tx, now, area=area) for _ in range(3)]
    week = Week(db, now, people[0], render=chance.choice((joinable, apart)))
    wanted = sorted(
        (now + timedelta(minutes=chance.randrange(60 * 24 * 21)), number, person)
        for person in people
        for number in range(chance.randint(4, 16))
    )
    got: dict[int, list[datetime]] = {}
    seen = 0
    while True:
        async with db.read() as tx:
            due = await tx.scalar(select(func.min(Row.not_before)).where(Row.state == "queued"))
        coming = [at for at in (due, wanted[0][0] if wanted else None) if at is not None]
        if not coming:
            break
        week.times.now = max(week.times.now, min(coming))
        week.times.passed += 10
        while wanted and wanted[0][0] <= week.times.now:
            at, number, week.person = wanted.pop(0)
            template = chance.choice(("checkin", "reminder", "broadcast"))
            await week.write(template, f"{week.person}:{number}:{at}")
        await week.round()
        for chat, _ in week.channel.taken[seen:]:
            got.setdefault(chat, []).append(week.times.now)
        seen = len(week.channel.taken)
        async with db.write() as tx:
            over = await find_finished(tx, week.times.now, None, 100)
            await move_finished(tx, [row for row, _ in over])
    assert got
    for times in got.values():
        for at in times:
            assert sum(at - WEEK < other <= at for other in times) <= budget


async def test_two_processes_do_not_both_use_the_last_place(
    postgres_db: Database, now: datetime
) -> None:
    area = await make_area(postgres_db, now)
    async with postgres_db.write() as tx:
        await tx.execute(update(Area).values(weekly_budget=1))
        people = [await make_person(tx, now, area=area) for _ in range(20)]
    posts = [Week(postgres_db, now, people[0], render=apart) for _ in range(2)]
    for person in people:
        for post, template in zip(posts, ("checkin", "broadcast"), strict=True):
            post.person = person
            await post.write(template, f"{template}:{person}")
    for _ in range(12):
        await asyncio.gather(*(post.round() for post in posts))
        for post in posts:
            post.times.move(1)
    chats = [chat for post in posts for chat, _ in post.channel.taken]
    assert sorted(chats) == sorted(1000 + person for person in people)

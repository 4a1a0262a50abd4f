"""A week's messages as a worker gets them: a few, some of them in one, and the rest in time."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from scheduler.checkins import set_clocks
from scheduler.joining import JOINT
from scheduler.reminders import ensure_reminders, plan_due_reminders
from storage.models import Checkin, Delivery, Reminder, Topic
from storage.outbox.backlog import outbox_states
from storage.outbox.broadcasts import plan_broadcast
from storage.outbox.burden import USED_UP
from storage.outbox.messages import CHECKIN, enqueue
from storage.outbox.past import move_finished
from storage.people.areas import find_area
from storage.people.budgets import set_weekly_budget
from tests.botapi import Message, PrivateConversation
from tests.town import Town, data_of, eventually, says, tap, town, word, write

__all__ = ["town"]
QUESTION = "{name}, how has your week been? One tap, and those at home can rest easy."


async def notice(town: Town, text: str) -> None:
    async with town.db.write() as tx:
        area = await find_area(tx, "V")
        await plan_broadcast(tx, area=area, text=text, language=None, by=None, now=town.clock())
    town.service.delivery.nudge()


async def noticed(town: Town, phone: PrivateConversation, text: str) -> Message:
    """The message that brings it, once that is written down."""
    await notice(town, text)
    return await arrived(town, phone)


async def arrived(town: Town, phone: PrivateConversation) -> Message:
    (message,) = await phone.heard()

    async def recorded() -> bool:
        return await town.count(Delivery, Delivery.state == "sending") == 0

    await eventually(recorded)
    return message


async def ask(town: Town, phone: PrivateConversation) -> None:
    """A check-in as a rule's, due now."""
    who, now = await town.known(phone), town.clock()
    async with town.db.write() as tx:
        area = await find_area(tx, "V")
        checkin: int = await tx.scalar(
            insert(Checkin)
            .values(
                person_id=who.person_id,
                area_id=area.id,
                slot=f"{now:%Y-%m-%d}",
                due_at=now,
                window_until=now + timedelta(days=2),
            )
            .returning(Checkin.id)
        )
        await enqueue(
            tx,
            person_id=who.person_id,
            template="checkin",
            priority=CHECKIN,
            dedupe_key=f"checkin:{checkin}",
            now=now,
            expires_at=now + timedelta(days=2),
            checkin_id=checkin,
        )
    town.service.delivery.nudge()


async def waits(town: Town) -> bool:
    return await town.count(Delivery, Delivery.reason == USED_UP, Delivery.state == "queued") == 1


async def test_three_notices_and_a_check_in(town: Town) -> None:
    fang = await town.worker("小芳")
    fang.skip()
    assert "体检" in (await noticed(town, fang, "周六免费体检")).text
    assert "社保" in (await noticed(town, fang, "社保可以在手机上交了")).text
    await notice(town, "村口修路，请绕行")
    await eventually(lambda: waits(town))
    # The third waits, and says why; the check-in has its place and takes it along.
    async with town.db.read() as tx:
        assert (await outbox_states(tx, town.clock()))["reasons"]["queued"] == {USED_UP: 1}
    await ask(town, fang)
    both = await arrived(town, fang)
    assert "修路" in both.text
    assert says(both, QUESTION)
    assert both.text.index("修路") < both.text.index("小芳")
    assert len(both.labels) == 4
    # The answer stands where the question stood; the notice is still there to be read.
    await tap(fang, both, "ci:")
    assert "修路" in both.text
    assert says(both, "Got it, {time}. Glad you're well.")
    assert not says(both, QUESTION)
    assert both.buttons == []
    (checkin,) = await town.rows(Checkin)
    assert checkin.answer == "ok"
    for row in await town.rows(Delivery):
        assert row.state == "sent"

    # What is urgent comes whatever came before it.
    fang.skip()
    assert await town.rollcall("山洪，都平安吗？") == 1
    assert "山洪" in (await arrived(town, fang)).text
    # And when the week has rolled on, what waits comes by itself.
    town.move(days=5)
    await notice(town, "年货大集，腊月二十")
    await eventually(lambda: waits(town))
    town.move(days=2, minutes=1)
    await fang.wait_for(lambda message: "年货" in message.text)


async def with_a_reminder(town: Town, phone: PrivateConversation, topic: str) -> Message:
    """A question how they are, and a reminder that leaves along with it; written down as sent."""
    language = (await town.known(phone)).language
    await ensure_reminders(town.db, town.clock())
    await set_clocks(town.db, town.clock())
    (chosen,) = await town.rows(Topic, Topic.code == topic)
    shown = await write(phone, word("Reminders", language))
    await tap(phone, shown, f"tp:on:{chosen.id}:")
    due = datetime(2026, 12, 23, 1, 50, tzinfo=UTC)  # in ten minutes it is ten in China
    town.move(seconds=(due - town.clock()).total_seconds())
    await plan_due_reminders(town.db, town.clock())
    phone.skip()
    await ask(town, phone)
    joined = await phone.wait_for(lambda message: "ci:" in str(message.buttons))
    await eventually(lambda: town.count(Reminder, Reminder.delivered_at.is_not(None)))
    assert JOINT in joined.text
    assert len(joined.labels) == 7
    return joined


@pytest.mark.parametrize(("language", "later"), [("zh", 0), ("en", 2)])
async def test_a_typed_answer_leaves_the_reminder_its_buttons(
    town: Town, language: str, later: int
) -> None:
    """At once, and hours after the messages have moved out of the outbox's table."""
    fang = await town.worker("小芳", language=language)
    joined = await with_a_reminder(town, fang, "wages")
    before, reminder = joined.text, joined.labels[:3]
    if later:
        town.move(hours=later)
        async with town.db.write() as tx:
            over = [row.id for row in await town.rows(Delivery)]
            assert await move_finished(tx, over) == 2
    receipt = await write(fang, {"zh": "平安", "en": "fine"}[language])
    assert says(receipt, "Got it, {time}. Glad you're well.", language)
    await fang.wait_for(lambda message: message is joined and message.labels == reminder)
    assert joined.text == before
    # Its answer stands where the reminder stood; the question is still there, above it.
    await tap(fang, joined, "rm:")
    question, answer = joined.text.split(JOINT)
    assert says(question, QUESTION, language)
    assert says(answer, "{topic}: good, that is done. The next time we write on {day}.", language)
    assert joined.buttons == []
    (told,) = await town.rows(Reminder)
    assert told.answer == "done"


async def test_what_follows_the_reminder_stands_where_it_stood(town: Town) -> None:
    fang = await town.worker("小芳")
    joined = await with_a_reminder(town, fang, "wages")
    await write(fang, "平安")
    await fang.wait_for(lambda message: message is joined and len(message.labels) == 3)
    stop = data_of(joined, "rm:").replace(":done", ":stop")
    await tap(fang, joined, stop)
    question, stopped = joined.text.split(JOINT)
    assert says(stopped, "{topic}: all right, no more of this. “Reminders” brings it back.")
    await tap(fang, joined, "tp:undo:")
    assert joined.text.split(JOINT)[0] == question
    assert says(question, QUESTION)
    assert says(joined, "Noted: {topic}.\nThe next reminder comes on {day}.")


async def test_a_typed_answer_brings_no_answered_reminder_back(town: Town) -> None:
    fang = await town.worker("小芳")
    joined = await with_a_reminder(town, fang, "wages")
    await fang.tap(joined, data_of(joined, "rm:").replace(":done", ":later"))
    await fang.wait_for(lambda message: message is joined and len(message.labels) == 4)
    await write(fang, "平安")
    await fang.wait_for(lambda message: message is joined and not message.labels)
    assert says(joined, QUESTION)


async def test_the_area_may_allow_more(town: Town) -> None:
    fang = await town.worker("小芳", language="en")
    fang.skip()
    for text in ("one", "two"):
        await noticed(town, fang, text)
    async with town.db.write() as tx:
        await set_weekly_budget(tx, await find_area(tx, "T"), 4)
    assert "three" in (await noticed(town, fang, "three")).text

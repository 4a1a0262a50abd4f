"""A week's messages as a worker gets them: a few, some of them in one, and the rest in time."""

from datetime import timedelta

from sqlalchemy import insert

from storage.models import Checkin, Delivery
from storage.outbox.backlog import outbox_states
from storage.outbox.broadcasts import plan_broadcast
from storage.outbox.burden import USED_UP
from storage.outbox.messages import CHECKIN, enqueue
from storage.people.areas import find_area
from storage.people.budgets import set_weekly_budget
from tests.botapi import Message, PrivateConversation
from tests.town import Town, eventually, says, tap, town

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


async def test_the_area_may_allow_more(town: Town) -> None:
    fang = await town.worker("小芳", language="en")
    fang.skip()
    for text in ("one", "two"):
        await noticed(town, fang, text)
    async with town.db.write() as tx:
        await set_weekly_budget(tx, await find_area(tx, "T"), 4)
    assert "three" in (await noticed(town, fang, "three")).text

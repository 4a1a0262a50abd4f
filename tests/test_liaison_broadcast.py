"""A notice: written, previewed with its count, sent once, and what became of it."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import func, select, update

from storage.database import Database
from storage.models import Area, Broadcast, Delivery, Look, Person, Role
from storage.outbox.burden import USED_UP
from storage.outbox.notices import latest_notices
from storage.people.areas import find_area
from storage.people.enrolment import take_role
from tests.county import make_area, make_person
from tests.liaison_chat import Phone, Room


@pytest.fixture
def room(db: Database, now: datetime) -> Room:
    return Room(db, now)


async def _village(room: Room, workers: int = 3) -> Phone:
    async with room.db.write() as tx:
        elm = await make_area(tx, "elm", room.now)
        mei = await make_person(tx, "Mei", room.now, officer_of=elm)
        for n in range(workers):
            await make_person(tx, f"Worker{n}", room.now, area=elm)
    return Phone(room, mei)


async def _sent(room: Room) -> list[tuple[str, int]]:
    async with room.db.read() as tx:
        found = await tx.execute(
            select(Broadcast.text, func.count(Delivery.id))
            .outerjoin(Delivery, Delivery.broadcast_id == Broadcast.id)
            .group_by(Broadcast.id, Broadcast.text)
            .order_by(Broadcast.id)
        )
        return [tuple(row) for row in found]


async def _looks(room: Room) -> list[str]:
    """What the officers looked at, each at the one area there is."""
    async with room.db.read() as tx:
        found = await tx.execute(
            select(Look.what).join(Area, Area.id == Look.area_id).where(Look.person_id.is_(None))
        )
        return [row.what for row in found]


@pytest.mark.parametrize("word", ["broadcast", "通知"])
async def test_text_preview_confirm_outcome(room: Room, word: str) -> None:
    phone = await _village(room)
    assert "Write the notice for Elm." in await phone.write(word)
    said = await phone.write("Free check-ups\non Saturday <b>")
    assert said == (
        "From Elm:\n\nFree check-ups\non Saturday <b>\n"
        "This is what 3 people in Elm will see. Send it?"
    )
    assert phone.buttons() == ["Send to 3 people", "Change the text", "Drop it"]
    assert await _sent(room) == []
    confirm = phone.data_of("Send to 3")
    said = await phone.tap("Send to 3")
    assert "On its way to 3 people in Elm." in said
    assert await _sent(room) == [("Free check-ups\non Saturday <b>", 3)]
    assert await phone.tap_data(confirm) == "This one was sent or dropped already."
    assert await _sent(room) == [("Free check-ups\non Saturday <b>", 3)]

    said = await phone.tap("How is it going?")
    assert "0 people have it" in said
    assert "3 still to go" in said
    assert await _looks(room) == []  # no name was shown
    async with room.db.write() as tx:
        ids = [row.id for row in await tx.execute(select(Delivery.id).order_by(Delivery.id))]
        for delivery_id, state, reason in zip(
            ids, ("sent", "failed", "unknown"), (None, "blocked", None), strict=True
        ):
            await tx.execute(
                update(Delivery)
                .where(Delivery.id == delivery_id)
                .values(state=state, reason=reason, finished_at=room.now)
            )
    said = await phone.tap("How is it now?")
    assert "1 person has it" in said
    assert "1 didn't get it" in said
    assert "Worker1: blocked the chat" in said
    assert "Worker2: not certain" in said
    assert "How is it now?" not in phone.buttons()
    assert await _looks(room) == ["broadcast"]


async def test_who_waits_is_told_why(room: Room) -> None:
    phone = await _village(room, workers=4)
    await phone.write("broadcast")
    await phone.write("Free check-ups")
    assert "who had enough messages this week gets it with the next one" in await phone.tap("Send")
    async with room.db.write() as tx:
        ids = [row.id for row in await tx.execute(select(Delivery.id).order_by(Delivery.id))]
        for delivery_id, reason in zip(ids, (USED_UP, "quiet hours", USED_UP), strict=False):
            await tx.execute(
                update(Delivery).where(Delivery.id == delivery_id).values(reason=reason)
            )
    said = await phone.tap("How is it going?")
    assert (
        "4 still to go\n"
        "• enough has reached them this week; it comes with the next message, or later: 2\n"
        "• it is night there, or an hour they keep quiet, so it waits: 1"
    ) in said
    assert await _looks(room) == []


async def test_one_person_is_one_person(room: Room) -> None:
    phone = await _village(room, workers=1)
    await phone.write("notice")
    assert "This is what 1 person in Elm will see." in await phone.write("Hello")


async def test_it_can_be_changed_and_dropped(room: Room) -> None:
    phone = await _village(room)
    await phone.write("broadcast")
    await phone.write("First")
    old = phone.data_of("Send to 3")
    await phone.tap("Change the text")
    assert await phone.tap_data(old) == "This one was sent or dropped already."
    await phone.write("Second")
    # Writing on while the preview stands makes a new preview; the old one is void.
    second = phone.data_of("Send to 3")
    said = await phone.write("Third")
    assert said.startswith("From Elm:\n\nThird\n")
    assert await phone.tap_data(second) == "This one was sent or dropped already."
    assert await phone.tap("Drop it") == "Dropped. Nothing was sent."
    assert await _sent(room) == []
    await phone.write("broadcast")
    assert await phone.tap("Drop it") == "Dropped. Nothing was sent."


async def test_menu_gets_out_and_no_later_word_is_a_notice(room: Room) -> None:
    phone = await _village(room)
    await phone.write("broadcast")
    assert "what shall we look at?" in await phone.write("菜单")
    assert "To answer someone, reply" in await phone.write("Just a thought")
    await phone.write("broadcast")
    await phone.tap("Today") if "Today" in phone.buttons() else await phone.tap_data("lm:today")
    assert "To answer someone, reply" in await phone.write("Just a thought")


async def test_too_long_says_how_much(room: Room) -> None:
    phone = await _village(room)
    await phone.write("broadcast")
    assert "That is 1 character too long." in await phone.write("x" * 3501)
    # An emoji outside the basic plane is two UTF-16 units, as the channels count.
    assert "That is 2 characters too long." in await phone.write("😀" * 1751)
    assert "will see. Send it?" in await phone.write("😀" * 1750)


async def test_only_text(room: Room) -> None:
    phone = await _village(room)
    await phone.write("broadcast")
    sticker = {
        "file_id": "f",
        "file_unique_id": "u",
        "type": "regular",
        "width": 1,
        "height": 1,
        "is_animated": False,
        "is_video": False,
    }
    assert "Only text for now." in await phone.write(None, sticker=sticker)
    assert "will see. Send it?" in await phone.write("Still here")


async def test_nobody_to_send_to(room: Room) -> None:
    phone = await _village(room, workers=0)
    assert await phone.write("broadcast") == "There is nobody in Elm to send it to yet."
    assert phone.buttons() == ["Invite people", "Menu"]


async def test_the_last_one_left_meanwhile(room: Room) -> None:
    phone = await _village(room, workers=1)
    await phone.write("broadcast")
    await phone.write("Hello")
    async with room.db.write() as tx:
        await tx.execute(update(Person).values(consented=False))
    assert await phone.tap("Send to 1") == "There is nobody in Elm to send it to yet."
    assert await _sent(room) == []


async def test_the_duty_ended_meanwhile(room: Room) -> None:
    phone = await _village(room)
    async with room.db.write() as tx:
        oak = await make_area(tx, "oak", room.now)
        await take_role(tx, phone.who.person_id, oak.id, "liaison", room.now)
    await phone.write("broadcast")
    await phone.tap("Elm")
    await phone.write("Hello")
    async with room.db.write() as tx:
        await tx.execute(update(Role).where(Role.area_id != oak.id).values(until=room.now))
    assert await phone.tap("Send to 3") == "That area isn't yours to look after."
    assert await _sent(room) == []


async def test_several_areas_are_chosen_from(room: Room) -> None:
    async with room.db.write() as tx:
        town = await make_area(tx, "town", room.now)
        for n in range(9):
            village = await make_area(tx, f"village{n}", room.now, "town")
        other = await make_area(tx, "other", room.now)
        await make_person(tx, "Fang", room.now, area=village)
        boss = await make_person(tx, "Boss", room.now, officer_of=town, role="supervisor")
    phone = Phone(room, boss)
    assert await phone.write("broadcast") == "For whom?"
    assert phone.buttons()[0] == "Town"
    assert phone.buttons()[-2:] == ["More", "Menu"]
    await phone.tap("More")
    assert phone.buttons() == ["Village7", "Village8", "Previous", "Menu"]
    await phone.tap("Village8")
    assert "what 1 person in Village8 will see" in await phone.write("Hello")
    refusal = "That area isn't yours to look after."
    assert await phone.tap_data(f"la:broadcast:{other.id}") == refusal
    assert await phone.tap_data(f"la:invite:{other.id}") == refusal


async def test_a_notice_of_another_village_stays_closed(room: Room) -> None:
    phone = await _village(room)
    await phone.write("broadcast")
    await phone.write("Hello")
    await phone.tap("Send to 3")
    data = phone.data_of("How is it going?")
    async with room.db.write() as tx:
        oak = await make_area(tx, "oak", room.now)
        other = await make_person(tx, "Oak", room.now, officer_of=oak)
    assert await Phone(room, other).tap_data(data) == "That notice isn't yours to see."


async def test_it_is_stopped_after_one_question(room: Room) -> None:
    phone = await _village(room)
    await phone.write("broadcast")
    await phone.write("Hello")
    await phone.tap("Send to 3")
    assert phone.buttons() == ["How is it going?", "Stop it", "Menu"]
    async with room.db.write() as tx:
        first = await tx.scalar(select(func.min(Delivery.id)))
        await tx.execute(
            update(Delivery).where(Delivery.id == first).values(state="sent", finished_at=room.now)
        )
    said = await phone.tap("Stop it")
    assert said == (
        "Stop the notice for Elm?\n1 person has it already, that can't be taken back.\n"
        "2 people won't get it any more."
    )
    question = phone.data_of("Yes, stop it")
    assert "2 still to go" in await phone.tap("No, let it go on")
    await phone.tap("Stop it")
    said = await phone.tap("Yes, stop it")
    assert "Stopped (Mei)." in said
    assert "1 person has it" in said
    assert "2 didn't get it" in said
    assert "Worker1: the notice was stopped before it reached them" in said
    assert phone.buttons() == ["Menu"]
    assert "It was stopped already." in await phone.tap_data(question)


async def test_stop_of_one_that_is_over_says_so(room: Room) -> None:
    phone = await _village(room)
    await phone.write("broadcast")
    await phone.write("Hello")
    await phone.tap("Send to 3")
    stop = phone.data_of("Stop it")
    async with room.db.write() as tx:
        await tx.execute(update(Delivery).values(state="sent", finished_at=room.now))
        await tx.execute(update(Broadcast).values(ended_at=room.now))
    assert await phone.tap_data(stop) == "It is over already: nobody waits for it any more."
    async with room.db.write() as tx:
        oak = await make_area(tx, "oak", room.now)
        other = await make_person(tx, "Oak", room.now, officer_of=oak)
    for data in (stop, stop[:-1] + "1"):
        assert await Phone(room, other).tap_data(data) == "That notice isn't yours to see."


async def test_a_stopped_notice_is_not_among_the_latest(room: Room) -> None:
    phone = await _village(room)
    await phone.write("broadcast")
    await phone.write("The wrong date")
    await phone.tap("Send to 3")
    async with room.db.read() as tx:
        elm = await find_area(tx, "elm")
        reader = replace(phone.who, area_id=elm.id)
        assert len(await latest_notices(tx, reader, since=room.now, limit=3)) == 1
    await phone.tap("Stop it")
    await phone.tap("Yes, stop it")
    async with room.db.read() as tx:
        assert await latest_notices(tx, reader, since=room.now, limit=3) == []

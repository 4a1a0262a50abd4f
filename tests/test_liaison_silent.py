"""Today, the silent list, a card, a call noted and undone: as an officer taps through them."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from storage.database import Database
from storage.models import Contact, Look, Person
from storage.register.contacts import record_heard
from tests.county import make_area, make_person
from tests.liaison_chat import Phone, Room

OLD = timedelta(weeks=20)


@pytest.fixture
def room(db: Database, now: datetime) -> Room:
    return Room(db, now)


async def _village(room: Room, silent: int = 7) -> Phone:
    """Elm with ``silent`` people to call, one who is well, and another village beside it."""
    async with room.db.write() as tx:
        elm = await make_area(tx, "elm", room.now)
        oak = await make_area(tx, "oak", room.now)
        mei = await make_person(tx, "Mei", room.now, officer_of=elm)
        for n in range(silent):
            await make_person(
                tx,
                f"Silent{n}",
                room.now,
                area=elm,
                enrolled_at=room.now - OLD + timedelta(days=n),
                phone=f"+861380000000{n}",
            )
        well = await make_person(tx, "Well", room.now, area=elm, enrolled_at=room.now - OLD)
        await record_heard(tx, well, room.now, kind="message", outcome="ok")
        await make_person(tx, "Stranger", room.now, area=oak, enrolled_at=room.now - OLD)
    return Phone(room, mei)


@pytest.mark.parametrize("word", ["today", "Today!", "今天", "/today"])
async def test_today_says_the_rate_and_whom_to_start_with(room: Room, word: str) -> None:
    phone = await _village(room)
    said = await phone.write(word)
    assert "Elm, this week: contact rate 12%" in said
    assert "Of 8 people expected:\n● 1 got in touch\n◐ for 0 the family answered" in said
    assert "7 people not heard from this week. Start with these 3:" in said
    assert phone.buttons() == [
        "Silent0 · never heard from",
        "Silent1 · never heard from",
        "Silent2 · never heard from",
        "The whole list",
        "Menu",
    ]


async def test_nothing_expected_shows_a_dash(room: Room) -> None:
    async with room.db.write() as tx:
        elm = await make_area(tx, "elm", room.now)
        mei = await make_person(tx, "Mei", room.now, officer_of=elm)
    phone = Phone(room, mei)
    assert "contact rate —" in await phone.write("today")
    assert "%" not in await phone.write("today")
    assert await phone.write("silent") == "Nobody is expected on the register yet."


async def test_no_task_is_not_yet_all_well(room: Room) -> None:
    """A task is opened only after the last nudge: meanwhile the silent are a tap away."""
    phone = await _village(room)
    said = await phone.write("tasks")
    assert said == "No task is open yet, but 7 people have not been heard from this week."
    assert "7 people not heard from this week." in await phone.tap("Not heard from")


async def test_word_of_everyone(room: Room) -> None:
    phone = await _village(room, silent=0)
    assert "There is word of everyone this week." in await phone.write("今天")
    assert "There is word of everyone this week." in await phone.write("没消息")


async def test_the_list_turns_pages(room: Room) -> None:
    phone = await _village(room)
    said = await phone.write("没消息")
    assert "7 people not heard from this week." in said
    assert "1. Silent0 · Dongguan · never heard from, joined 140 days ago · not asked" in said
    assert phone.buttons()[5:] == ["Next", "Menu"]
    said = await phone.tap("Next")
    assert "6. Silent5" in said
    assert "Silent4" not in said
    assert phone.buttons()[2:] == ["Previous", "Menu"]
    assert "1. Silent0" in await phone.tap("Previous")
    # A page that is no longer there, or never was, shows the nearest one.
    assert "6. Silent5" in await phone.tap_data("ls:500")
    assert "Silent0" not in await phone.tap_data("ls:-3")
    assert "Stranger" not in str(phone.shown)


async def test_a_card_is_one_tap_away_and_every_look_is_written_down(room: Room) -> None:
    phone = await _village(room)
    await phone.write("silent")
    said = await phone.tap("Silent0")
    assert "Silent0 · Elm" in said
    assert "Now in Dongguan" in said
    assert "Never heard from, joined 140 days ago" in said
    assert "Not asked this week" in said
    assert "Phone +8613800000000" in said
    async with room.db.read() as tx:
        looks = await tx.execute(select(Look.what, Look.person_id.is_(None)).order_by(Look.id))
        assert [tuple(row) for row in looks] == [("silent", True), ("person", False)]


async def test_two_taps_note_a_call_and_the_message_is_its_receipt(room: Room) -> None:
    phone = await _village(room)
    await phone.write("silent")
    await phone.tap("Silent0")
    again = phone.data_of("Called: not reached")
    same = phone.data_of("Called: reached")
    said = await phone.tap("Called: reached")
    assert said.startswith("Noted, ")
    assert "you reached Silent0 by phone." in said
    assert phone.buttons() == ["Next on the list", "Undo", "Menu"]
    # The second tap on one button, or on the other one, writes nothing.
    assert await phone.tap_data(same) == "Already noted."
    assert await phone.tap_data(again) == "Already noted."
    assert await _contacts(room) == [("reached", True)]
    assert "Silent0" not in await phone.tap("Next on the list")
    assert "◎ 1 was reached by a liaison" in await phone.write("today")


async def _contacts(room: Room) -> list[tuple[str, bool]]:
    async with room.db.read() as tx:
        found = await tx.execute(
            select(Contact.outcome, Contact.success)
            .where(Contact.evidence == "liaison")
            .order_by(Contact.id)
        )
        return [tuple(row) for row in found]


async def test_undo_adds_a_row_and_brings_the_card_back(room: Room) -> None:
    phone = await _village(room)
    await phone.write("silent")
    await phone.tap("Silent0")
    await phone.tap("Called: reached")
    undo = phone.data_of("Undo")
    said = await phone.tap("Undo")
    assert "Taken back. Silent0 is as before." in said
    assert "Called: not reached" in phone.buttons()
    assert await phone.tap_data(undo) == "This was taken back already."
    assert await _contacts(room) == [("reached", True), ("undone", False)]
    said = await phone.tap("Called: not reached")
    assert "you called Silent0 and couldn't reach them. Still on the list." in said
    assert await _contacts(room) == [
        ("reached", True),
        ("undone", False),
        ("not_reached", False),
    ]
    said = await phone.tap("Next on the list")
    assert "1. Silent1" in said
    assert "7. Silent0" in await phone.tap("Next")


async def test_a_visit_is_noted_as_one(room: Room) -> None:
    """Of someone without a number the visit, which the card advises, stands first."""
    phone = await _village(room, silent=1)
    async with room.db.write() as tx:
        await tx.execute(update(Person).values(phone=None))
    await phone.write("silent")
    await phone.tap("Silent0")
    assert phone.buttons()[:4] == [
        "Visited: met",
        "Visited: nobody there",
        "Called: reached",
        "Called: not reached",
    ]
    same = phone.data_of("Visited: met")
    said = await phone.tap("Visited: nobody")
    assert "you went to see Silent0, nobody was there. Still on the list." in said
    assert await phone.tap_data(same) == "Already noted."
    assert "Taken back. Silent0 is as before." in await phone.tap("Undo")
    assert "you went to see Silent0 and met them." in await phone.tap("Visited: met")
    assert await _contacts(room) == [("not_reached", False), ("undone", False), ("reached", True)]
    async with room.db.read() as tx:
        kinds = await tx.execute(select(Contact.kind).where(Contact.evidence == "liaison"))
        assert set(kinds.scalars()) == {"visit"}
    assert await phone.write("silent") == "There is word of everyone this week."


async def test_forged_taps_do_nothing(room: Room) -> None:
    phone = await _village(room)
    async with room.db.write() as tx:
        elsewhere = await make_area(tx, "ash", room.now)
        other = await make_person(tx, "Lin", room.now, area=elsewhere)
        contact = await tx.scalar(select(func.max(Contact.id)))
    theirs = other.person_id
    refusal = "This person isn't yours to look after, or not any more."
    assert await phone.tap_data(f"lp:{theirs}:0") == refusal
    assert await phone.tap_data(f"ll:{theirs}:1:0:0") == refusal
    assert await phone.tap_data("lp:99999999999:0") == refusal
    assert await phone.tap_data(f"lu:{contact}:0") == "This was taken back already."
    for broken in (
        "lp:x:0",
        "lp:1",
        "ll:1:maybe:0:0",
        "lzz",
        "ls:" + "9" * 40,
        "lp:" + "9" * 40 + ":0",
    ):
        assert "Lin" not in await phone.tap_data(broken)
    assert await _contacts(room) == []
    # Not even with the right buttons can someone who is no officer look.
    stranger = Phone(room, other)
    assert "Lin" not in await stranger.tap_data(f"lp:{theirs}:0")
    async with room.db.read() as tx:
        assert await tx.scalar(select(func.count(Look.person_id))) == 0


async def test_a_supervisor_sees_the_whole_subtree(room: Room) -> None:
    async with room.db.write() as tx:
        town = await make_area(tx, "town", room.now)
        elm = await make_area(tx, "elm", room.now, "town")
        boss = await make_person(tx, "Boss", room.now, officer_of=town, role="supervisor")
        await make_person(tx, "Fang", room.now, area=elm, enrolled_at=room.now - OLD)
    phone = Phone(room, boss)
    assert "Town, this week: contact rate 0%" in await phone.write("today")
    assert "Fang · Elm" in await phone.tap("Fang")

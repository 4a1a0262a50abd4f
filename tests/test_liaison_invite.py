"""The menu, an invite with its picture, and the way into the console."""

import io
import re
from datetime import datetime, timedelta

import pytest
import segno
from aiogram.methods import SendMessage
from aiogram.types import BufferedInputFile
from sqlalchemy import select

from storage.database import Database
from storage.models import Case, Invite
from storage.people.invites import check_invite
from storage.people.logins import open_session
from tests.county import make_area, make_person
from tests.liaison_chat import Phone, Room


@pytest.fixture
def room(db: Database, now: datetime) -> Room:
    return Room(db, now)


async def _village(room: Room, channel: str = "web") -> Phone:
    async with room.db.write() as tx:
        elm = await make_area(tx, "elm", room.now)
        mei = await make_person(tx, "Mei", room.now, officer_of=elm, channel=channel)
    return Phone(room, mei)


@pytest.mark.parametrize("channel", ["web", "telegram"])
async def test_an_invite_with_its_picture(room: Room, channel: str) -> None:
    phone = await _village(room, channel)
    said = await phone.write("邀请")
    web = re.search(r"https://room\.example/chat/\?start=(\S+)", said)
    telegram = re.search(r"https://t\.me/kinroom_bot\?start=(\S+)", said)
    assert web is not None
    assert telegram is not None
    assert web[1] == telegram[1]
    assert "For Elm." in said
    assert "Good until December 22, 2026, for up to 200 people." in said
    async with room.db.read() as tx:
        invite = await check_invite(tx, web[1], room.now + timedelta(days=29))
        assert (invite.kind, invite.area_id is not None) == ("worker", True)
        assert await tx.scalar(select(Invite.uses_left)) == 200
    (photo,) = phone.photos
    assert isinstance(photo.photo, BufferedInputFile)
    assert photo.photo.data.startswith(b"\x89PNG")
    link = telegram[0] if channel == "telegram" else web[0]
    same = io.BytesIO()
    segno.make_qr(link, error="m").save(same, kind="png", scale=8, border=4)
    assert photo.photo.data == same.getvalue()


async def test_a_supervisor_chooses_the_village_first(room: Room) -> None:
    async with room.db.write() as tx:
        town = await make_area(tx, "town", room.now)
        await make_area(tx, "elm", room.now, "town")
        boss = await make_person(tx, "Boss", room.now, officer_of=town, role="supervisor")
    phone = Phone(room, boss)
    assert await phone.write("invite") == "For which village?"
    assert "For Elm." in await phone.tap("Elm")


@pytest.mark.parametrize("word", ["console", "后台"])
async def test_the_console_link_opens_once(room: Room, word: str) -> None:
    phone = await _village(room)
    said = await phone.write(word)
    assert "within 15 minutes" in said or "within 10 minutes" in said
    assert "don't pass it on" in said
    newest = phone.shown[max(phone.shown)]
    url = newest["reply_markup"]["inline_keyboard"][0][0]["url"]
    assert url.startswith("https://room.example/console/enter#")
    assert url not in said
    async with room.db.write() as tx:
        session = await open_session(tx, url.partition("#")[2], room.now)
        assert session.person_id == phone.who.person_id


async def test_the_link_is_not_to_be_forwarded(room: Room) -> None:
    phone = await _village(room)
    said = await room.take({"message": phone._message(1, from_bot=False) | {"text": "console"}})
    (message,) = said
    assert isinstance(message, SendMessage)
    assert message.protect_content


async def test_the_menu(room: Room) -> None:
    phone = await _village(room)
    assert await phone.write("menu") == "Mei, what shall we look at?"
    assert phone.buttons() == [
        "Today",
        "Not heard from",
        "Tasks",
        "Inbox",
        "Send a notice",
        "Roll call",
        "Invite people",
        "Console",
        "My data",
    ]
    for label in phone.buttons():
        await phone.write("菜单")
        assert await phone.tap(label)


async def test_a_worker_who_is_an_officer_has_both(room: Room) -> None:
    async with room.db.write() as tx:
        elm = await make_area(tx, "elm", room.now)
        both = await make_person(tx, "Lan", room.now, area=elm, officer_of=elm)
    phone = Phone(room, both)
    # The first page is a worker's; both lead to each other.
    assert await phone.write("menu") == "What would you like to do?"
    for label in ("Liaison's page", "联络员页面"):
        assert await phone.write(label) == "Lan, what shall we look at?"
    assert phone.buttons()[-1] == "My own page"
    assert "own page" in await phone.tap("My own page")


@pytest.mark.parametrize("text", ["Hello?", "😀", "/foo", "x" * 4096])
async def test_words_that_are_no_task(room: Room, text: str) -> None:
    """Kindly, what can be done; an officer's words open no case."""
    phone = await _village(room)
    said = await phone.write(text)
    assert "reply to their message" in said
    assert "Today" in phone.buttons()
    async with room.db.read() as tx:
        assert await tx.scalar(select(Case.id)) is None


async def test_a_photo_that_is_no_task(room: Room) -> None:
    phone = await _village(room)
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
    assert "reply to their message" in await phone.write(None, photo=photo)


async def test_an_edit_is_answered(room: Room) -> None:
    phone = await _village(room)
    message = phone._message(1, from_bot=False) | {"text": "today", "edit_date": 1}
    (said,) = await room.take({"edited_message": message})
    assert isinstance(said, SendMessage)
    assert "the way it first came" in said.text


async def test_an_old_button_under_a_picture_says_anew(room: Room) -> None:
    phone = await _village(room)
    message = phone._message(5, from_bot=True) | {
        "photo": [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}],
        "caption": "x",
    }
    phone.shown[5] = message
    assert "what shall we look at?" in await phone.tap_data("lm:menu", 5)
    assert phone.shown[5] is message

"""The inbox: questions read, answered by a reply or a tap, and closed."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from storage.database import Database
from storage.models import Case, Contact, Delivery, Look
from storage.people.areas import get_area
from storage.people.who import Who
from storage.talk.cases import open_case
from tests.county import make_area, make_person
from tests.liaison_chat import Phone, Room


@pytest.fixture
def room(db: Database, now: datetime) -> Room:
    return Room(db, now)


async def _village(room: Room) -> tuple[Phone, Who]:
    async with room.db.write() as tx:
        elm = await make_area(tx, "elm", room.now)
        mei = await make_person(tx, "Mei", room.now, officer_of=elm)
        fang = await make_person(tx, "Fang", room.now, area=elm, phone="+8613800000001")
    return Phone(room, mei), fang


async def _ask(
    room: Room,
    who: Who,
    text: str | None = "My pay is late",
    *,
    at: datetime | None = None,
    urgent: bool = False,
    media: str | None = None,
) -> int:
    async with room.db.write() as tx:
        opened = await open_case(
            tx,
            who=who,
            text=text,
            media=media,
            file_id="file-7" if media else None,
            urgent=urgent,
            kind="help" if urgent else "question",
            now=at or room.now,
        )
    return opened.id


async def _call(room: Room, who: Who, text: str, *, urgent: bool) -> None:
    async with room.db.write() as tx:
        await open_case(
            tx,
            who=who,
            text=text,
            media=None,
            file_id=None,
            urgent=urgent,
            kind="help",
            now=room.now,
        )


async def _replies(room: Room) -> int:
    async with room.db.read() as tx:
        count = select(func.count()).where(Delivery.template == "case_reply")
        return int(await tx.scalar(count))


async def _state(room: Room, case_id: int) -> str:
    async with room.db.read() as tx:
        return str(await tx.scalar(select(Case.state).where(Case.id == case_id)))


async def test_an_empty_inbox(room: Room) -> None:
    phone, _ = await _village(room)
    assert await phone.write("求助") == "Nobody is waiting for an answer."


async def test_read_answer_close(room: Room) -> None:
    phone, fang = await _village(room)
    case_id = await _ask(room, fang)
    said = await phone.write("inbox")
    assert said.startswith("1 question waits for an answer.")
    assert "1. Fang · today\nMy pay is late" in said
    said = await phone.tap("1. Fang")
    assert said.startswith("Fang · Elm")
    assert "My pay is late" in said
    assert phone.buttons() == ["Answer", "Close the case", "How to reach them", "Inbox"]
    assert "Phone +8613800000001" in await phone.tap("How to reach them")
    await phone.write("inbox")
    await phone.tap("1. Fang")
    said = await phone.tap("Answer")
    assert said == "Write your answer to Fang. What you write next goes straight to them."
    assert await phone.write("I'll call your boss today") == "Sent to Fang."
    assert await _replies(room) == 1
    assert await _state(room, case_id) == "answered"
    # What is written after that goes nowhere.
    assert "reply to their message" in await phone.write("Anything else?")
    assert await _replies(room) == 1
    close = phone.data_of("Close the case")
    assert "Closed." in await phone.tap_data(close)
    assert await _state(room, case_id) == "closed"
    assert await phone.tap_data(close) == "This is closed already, or not yours to close."
    async with room.db.read() as tx:
        looks = await tx.execute(select(Look.what, Look.person_id).order_by(Look.id))
        assert [tuple(row) for row in looks] == [
            ("case", fang.person_id),
            ("person", fang.person_id),
        ]


async def test_today_tells_of_the_inbox(room: Room) -> None:
    phone, fang = await _village(room)
    await _ask(room, fang)
    assert "1 question waits for an answer." in await phone.write("today")
    assert "1. Fang" in await phone.tap("Inbox")


async def test_blank_words_are_no_answer(room: Room) -> None:
    phone, fang = await _village(room)
    case_id = await _ask(room, fang)
    await phone.tap_data(f"lk:{case_id}:answer")
    assert "Only text for now." in await phone.write(" \n ")
    assert await _replies(room) == 0


async def test_a_reply_to_its_message_answers(room: Room) -> None:
    phone, fang = await _village(room)
    case_id = await _ask(room, fang)
    async with room.db.write() as tx:
        await tx.execute(
            update(Delivery).values(state="sent", account_id=phone.who.account_id, message_id=77)
        )
    assert await phone.write("ok", reply_to=77) == "Sent to Fang."
    assert await _state(room, case_id) == "answered"
    assert await _replies(room) == 1
    voice = {"file_id": "f", "file_unique_id": "u", "duration": 1}
    assert "Only text for now." in await phone.write(None, reply_to=77, voice=voice)
    assert await _replies(room) == 1


async def test_a_reply_to_the_inbox_page_answers_too(room: Room) -> None:
    phone, fang = await _village(room)
    await _ask(room, fang)
    await phone.write("inbox")
    await phone.tap("1. Fang")
    assert await phone.write("On it", reply_to=max(phone.shown)) == "Sent to Fang."
    assert await _replies(room) == 1
    # A reply to anything else is no answer to anyone.
    await phone.write("menu")
    assert "reply to their message" in await phone.write("hm", reply_to=max(phone.shown))
    assert await _replies(room) == 1


async def test_a_reply_in_the_middle_of_a_notice_is_an_answer(room: Room) -> None:
    phone, fang = await _village(room)
    await _ask(room, fang)
    await phone.write("inbox")
    await phone.tap("1. Fang")
    page = max(phone.shown)
    await phone.write("broadcast")
    assert await phone.write("On it", reply_to=page) == "Sent to Fang."
    assert "This is what 1 person in Elm will see." in await phone.write("Hello all")


async def test_an_answer_left_lying_is_not_sent(room: Room) -> None:
    phone, fang = await _village(room)
    await _ask(room, fang)
    await phone.write("inbox")
    await phone.tap("1. Fang")
    await phone.tap("Answer")
    room.now += timedelta(hours=2)
    assert "haven't sent this" in await phone.write("See you tonight, dear")
    assert await _replies(room) == 0
    await phone.tap("Answer")
    await phone.tap("Don't answer now")
    assert "reply to their message" in await phone.write("See you tonight, dear")
    await phone.tap_data(phone.data_of("Answer"))
    assert "what shall we look at?" in await phone.write("back")
    assert "reply to their message" in await phone.write("See you tonight, dear")
    assert await _replies(room) == 0


async def test_urgent_first_then_oldest_and_pages(room: Room) -> None:
    phone, fang = await _village(room)
    people = [fang]
    async with room.db.write() as tx:
        elm_id = fang.area_id
        assert elm_id is not None
        elm = await get_area(tx, elm_id)
        people += [await make_person(tx, f"Worker{n}", room.now, area=elm) for n in range(6)]
    for n, who in enumerate(people[:-1]):
        await _ask(room, who, at=room.now - timedelta(days=9 - n))
    await _ask(room, people[-1], None, urgent=True)
    said = await phone.write("inbox")
    assert said.startswith("7 questions wait for an answer.")
    assert "1. Urgent: Worker5 · today\nasked for help, no words yet" in said
    assert "2. Fang · 9 days ago" in said
    assert phone.buttons()[5:] == ["Next", "Menu"]
    assert "7. Worker4" in await phone.tap("Next")
    said = await phone.tap_data(phone.data_of("Previous"))
    assert "1. Urgent" in said
    assert "Urgent: Worker5 · Elm" in await phone.tap("1. Worker5")


async def test_an_urgent_case_shows_what_made_it_urgent_then_the_latest(room: Room) -> None:
    phone, fang = await _village(room)
    for words, urgent in (("My boss is shouting", False), ("He stabbed Li", True)):
        await _call(room, fang, words, urgent=urgent)
    assert "1. Urgent: Fang · today\nHe stabbed Li\n\n" in f"{await phone.write('inbox')}\n\n"
    await _ask(room, fang, "Are you still there?")
    said = await phone.write("inbox")
    assert "1. Urgent: Fang · today\nHe stabbed Li\nAre you still there?" in said
    await _ask(room, fang, None, media="voice")
    assert "He stabbed Li\na voice message" in await phone.write("inbox")


async def test_a_case_urgent_by_a_tap_shows_its_first_words(room: Room) -> None:
    phone, fang = await _village(room)
    await _ask(room, fang, None, urgent=True)
    for words in ("At the old mill", "Hello?", "Please come"):
        await _ask(room, fang, words)
    assert "Urgent: Fang · today\nAt the old mill\nPlease come" in await phone.write("inbox")


async def test_a_voice_is_handed_on_where_it_came_from(room: Room) -> None:
    phone, fang = await _village(room)
    await _ask(room, fang, None, media="voice")
    await phone.write("inbox")
    said = await phone.tap("1. Fang")
    assert "[a voice message]" in said
    assert said.endswith("SendVoice")


async def test_cases_of_another_village_stay_closed(room: Room) -> None:
    phone, fang = await _village(room)
    case_id = await _ask(room, fang)
    async with room.db.write() as tx:
        oak = await make_area(tx, "oak", room.now)
        other = Phone(room, await make_person(tx, "Oak", room.now, officer_of=oak))
    assert await other.write("inbox") == "Nobody is waiting for an answer."
    assert "isn't yours to see" in await other.tap_data(f"lk:{case_id}:read")
    assert "isn't yours to answer" in await other.tap_data(f"lk:{case_id}:answer")
    assert "not yours to close" in await other.tap_data(f"lk:{case_id}:close")
    # A forged page with the case's buttons under it: asked again when it is answered.
    other.shown[9] = other._message(9, from_bot=True) | {
        "text": "x",
        "reply_markup": {
            "inline_keyboard": [[{"text": "Answer", "callback_data": f"lk:{case_id}:answer"}]]
        },
    }
    assert "isn't yours to answer" in await other.write("hello", reply_to=9)
    assert await _replies(room) == 0
    assert await _state(room, case_id) == "open"
    assert "My pay" not in str(other.shown)
    assert phone.shown == {}


async def test_a_worker_who_is_an_officer(room: Room) -> None:
    """Their own words stay a worker's; a reply to a case is an officer's, even if it says "ok"."""
    phone, fang = await _village(room)
    case_id = await _ask(room, fang)
    async with room.db.write() as tx:
        elm = await get_area(tx, fang.area_id or 0)
        both = Phone(room, await make_person(tx, "Lan", room.now, area=elm, officer_of=elm))
    # "求助" of someone who works away is a call for help, not a way to the inbox.
    assert "waits for an answer" not in await both.write("求助")
    assert "waits for an answer" in await both.write("诉求")
    await both.tap("1. Fang")
    assert await both.write("ok", reply_to=max(both.shown)) == "Sent to Fang."
    assert await _state(room, case_id) == "answered"
    async with room.db.read() as tx:
        heard = select(func.count()).where(
            Contact.person_id == both.who.person_id, Contact.evidence == "self"
        )
        assert await tx.scalar(heard) >= 3
    assert phone.notes == []


async def test_an_officer_who_works_away_can_say_how_urgent_it_is(room: Room) -> None:
    _phone, fang = await _village(room)
    async with room.db.write() as tx:
        elm = await get_area(tx, fang.area_id or 0)
        both = Phone(room, await make_person(tx, "Lan", room.now, area=elm, officer_of=elm))
    await both.write("求助")
    assert "Nobody is waiting" in await both.write("诉求")
    await both.write("求助")
    assert "110" in await both.write("很急，我被打了")


async def test_a_page_is_as_long_as_channels_count(room: Room) -> None:
    """An emoji outside the basic plane is two of their signs; the phone refuses over 4096."""
    phone, fang = await _village(room)
    await _ask(room, fang, "Old words", at=room.now - timedelta(hours=2))
    await _ask(room, fang, "😀" * 2040, at=room.now - timedelta(hours=1))
    assert "…" in await phone.write("inbox")
    said = await phone.tap("1. Fang")
    assert "Old words" not in said
    assert 1600 < said.count("😀") <= 1700
    assert said.endswith("…\n\nTo answer, reply to this message or tap Answer.")

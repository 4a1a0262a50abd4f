"""The web chat below its page: what is kept and what is not, once and in order, and for whom."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramServerError
from aiogram.methods import SendDice, SendMessage
from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
)
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import OperationalError

from bot.channels.web.conversations import PAGE, Mark
from bot.channels.web.flood import Buckets
from bot.channels.web.live import MAX_STREAMS_A_CHAT
from bot.channels.web.memory import MAX_BUBBLES, Memory
from bot.channels.web.pictures import measure, tell_mime
from bot.channels.web.update import update_id
from bot.channels.web.words import pick_language
from storage.database import Database
from storage.invites import make_invite
from storage.models import (
    Account,
    Base,
    Invite,
    Person,
    WebChat,
    WebDevice,
    WebFile,
    WebMessage,
)
from tests.web_browser import Visit, visit
from tests.web_room import WebRoom, open_room

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (7).to_bytes(4) + (5).to_bytes(4) + b"\x08\x06\0\0\0"


@pytest.fixture
async def room(db: Database, tmp_path: Path) -> AsyncIterator[WebRoom]:
    folder = tmp_path / "words"
    folder.mkdir()
    async with open_room(db, folder) as ready:
        yield ready


@pytest.fixture
async def browser(room: WebRoom) -> AsyncIterator[Visit]:
    async with visit(room) as ready:
        yield ready


async def rows(db: Database) -> dict[str, int]:
    """How much every table holds, where it holds anything."""
    async with db.read() as tx:
        counts = {
            name: await tx.scalar(select(func.count()).select_from(table))
            for name, table in Base.metadata.tables.items()
        }
    return {name: count for name, count in counts.items() if count}


async def agree(browser: Visit) -> None:
    """From the invite to the consent."""
    await browser.say("/start wAAAAAAAAAAAAAAAAAAAAA")
    question = (await browser.messages())[-1]
    status, _ = await browser.post(tap={"message_id": question["id"], "data": "agree"})
    assert status == 200


async def invite_device(room: WebRoom, chat_id: int, *, uses: int | None = 1) -> str:
    async with room.db.write() as tx:
        return await make_invite(
            tx, kind="device", person_id=room.person_ids[chat_id], uses=uses, expires_at=None,
            by=None, now=datetime.now(UTC),
        )  # fmt: skip


class TestBeforeConsent:
    async def test_nothing_at_all_is_stored(self, room: WebRoom, browser: Visit) -> None:
        before = await rows(room.db)
        await browser.say("/start wAAAAAAAAAAAAAAAAAAAAA")
        await browser.say("who are you?")
        (question, *_rest) = await browser.messages()
        await browser.post(tap={"message_id": question["id"], "data": "decline"})
        assert await browser.texts() == [
            "Done: decline",
            "who are you?",
            "You said: who are you?",
        ]
        assert await rows(room.db) == before

    async def test_consent_keeps_what_was_said_before(self, room: WebRoom, browser: Visit) -> None:
        await browser.say("hello")
        await agree(browser)
        await browser.say("thanks")
        assert (await rows(room.db))["web_message"] == 5
        room.channel.conversations.memory.drop(room.chat_id)
        texts = ["hello", "You said: hello", "Done: agree", "thanks", "You said: thanks"]
        assert await browser.texts() == texts
        assert len(room.channel.conversations.memory) == 0

    async def test_a_page_goes_on_over_the_consent_without_a_reset(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await browser.say("hello")
        async with browser.stream() as stream:
            assert (await stream.until("news"))["reset"]
            await agree(browser)
            seen = []
            while "Done: agree" not in seen:
                news = await stream.until("news")
                assert not news["reset"]
                seen += [message["text"] for message in news["messages"]]

    async def test_the_invites_token_is_neither_shown_nor_kept(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        await browser.say("/start wBBBBBBBBBBBBBBBBBBBBB")
        assert room.updates[-1].message is not None
        assert room.updates[-1].message.text == "/start wBBBBBBBBBBBBBBBBBBBBB"
        assert not [m for m in await browser.messages() if m.get("me") or "start" in m["text"]]

    async def test_files_are_refused_in_words(self, room: WebRoom, browser: Visit) -> None:
        await browser.say("hello")
        status, answer = await browser.upload(PNG, "photo")
        assert status == 403
        assert "once you have joined" in answer["error"]

    async def test_a_rolled_back_consent_leaves_it_in_memory(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await browser.say("hello")
        channel, chat_id = room.channel, room.chat_id

        async def fail() -> None:
            async with room.db.write() as tx:
                await room.join(tx, chat_id)
                assert await channel.conversations.keep(tx, chat_id)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        assert await browser.texts() == ["hello", "You said: hello"]
        assert "web_chat" not in await rows(room.db)


class TestErased:
    async def test_nothing_stays_and_the_farewell_is_still_read(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        async with browser.stream() as stream:
            await stream.until("news")
            await browser.say("erase")
            news = await stream.until("news")
            while not (news["messages"] and news["messages"][-1]["text"] == "It's all gone."):
                news = await stream.until("news")
            assert news["reset"]
        assert (
            not {"web_chat", "web_device", "web_message", "account"} & (await rows(room.db)).keys()
        )
        assert await browser.texts() == ["It's all gone."]

    async def test_one_can_come_back(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        await browser.say("erase")
        await browser.open()
        await browser.say("/start wAAAAAAAAAAAAAAAAAAAAA")
        question = (await browser.messages())[-1]
        await browser.post(tap={"message_id": question["id"], "data": "agree"})
        assert await browser.texts() == ["It's all gone.", "Done: agree"]

    async def test_a_second_device_reads_the_farewell_too(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        token = await invite_device(room, room.chat_id)
        async with visit(room) as second:
            assert (await second.post(text=f"/start {token}"))[1]["moved"]
            await second.open()
            await second.say("erase")
            assert await second.texts() == ["It's all gone."]

    async def test_nobody_else_can_be_written_to(self, room: WebRoom, browser: Visit) -> None:
        with pytest.raises(TelegramBadRequest, match="chat not found"):
            await room.channel.bot.send_message(12345, "?")


class TestOnce:
    @pytest.mark.parametrize("known", [False, True])
    async def test_the_same_message_again_has_no_second_effect(
        self, room: WebRoom, browser: Visit, known: bool
    ) -> None:
        if known:
            await agree(browser)
        for _ in range(3):
            status, answer = await browser.post(client_id="always-the-same-id", text="once")
            assert (status, answer) == (200, {"ok": True, "shown": True})
        assert (await browser.texts())[-2:] == ["once", "You said: once"]
        assert (await browser.texts()).count("once") == 1

    async def test_a_restarted_server_still_knows_it(
        self, room: WebRoom, browser: Visit, tmp_path: Path
    ) -> None:
        await agree(browser)
        await browser.post(client_id="always-the-same-id", text="once")
        room.channel.conversations.memory._taken.clear()  # as a new process has it
        await browser.post(client_id="always-the-same-id", text="once")
        assert (await browser.texts()).count("once") == 1

    @pytest.mark.parametrize("known", [False, True])
    async def test_what_could_not_be_taken_in_comes_again(
        self, room: WebRoom, browser: Visit, known: bool
    ) -> None:
        if known:
            await agree(browser)
        room.failures = 1
        status, answer = await browser.post(client_id="always-the-same-id", text="once")
        assert status == 503
        assert answer["error"]
        status, _ = await browser.post(client_id="always-the-same-id", text="once")
        assert status == 200
        shown = [m["text"] for m in await browser.messages() if not m.get("gone")]
        assert shown[-2:] == ["once", "You said: once"]
        assert shown.count("once") == 1

    async def test_of_two_taps_at_once_the_second_is_stale(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await browser.say("/start")
        (question,) = await browser.messages()
        tap = {"message_id": question["id"], "data": "agree"}
        answers = await asyncio.gather(browser.post(tap=tap), browser.post(tap=tap))
        assert sorted(str(answer) for _, answer in answers) == [
            "{'ok': True, 'shown': True}",
            "{'ok': True, 'stale': True}",
        ]
        assert sum(update.callback_query is not None for update in room.updates) == 1

    async def test_a_forged_tap_reaches_nobody(self, room: WebRoom, browser: Visit) -> None:
        await browser.say("/start")
        (question,) = await browser.messages()
        before = len(room.updates)
        forged: list[dict[str, Any]] = [
            {"message_id": question["id"], "data": "officer"},
            {"message_id": 77, "data": "agree"},
        ]
        for tap in forged:
            assert (await browser.post(tap=tap))[1] == {"ok": True, "stale": True}
        assert len(room.updates) == before

    async def test_an_id_cannot_be_used_up_for_another_chat(self) -> None:
        assert update_id(1, "the-same-client-id") != update_id(2, "the-same-client-id")
        assert 0 < update_id(1, "the-same-client-id") < 2**62

    async def test_many_at_once_keep_numbers_and_replies_apart(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        await asyncio.gather(*(browser.say(f"number {n}") for n in range(8)))
        messages = await browser.messages()
        assert [m["id"] for m in messages] == list(range(1, 18))
        for mine, reply in zip(messages[1::2], messages[2::2], strict=True):
            assert reply["text"] == f"You said: {mine['text']}"


class TestTheLine:
    async def test_it_resumes_after_the_last_revision(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        async with browser.stream() as stream:
            await stream.until("news")
            mark = stream.last_id
        await browser.say("while away")
        async with browser.stream(mark) as stream:
            news = await stream.until("news")
        assert not news["reset"]
        assert [m["text"] for m in news["messages"]] == ["while away", "You said: while away"]

    @pytest.mark.parametrize("since", ["", "x", "1-", "0-0", "99999999999999999-3", "-1-5", "²-1"])
    async def test_a_mark_it_does_not_know_shows_everything(
        self, room: WebRoom, browser: Visit, since: str
    ) -> None:
        await agree(browser)
        async with browser.stream(since) as stream:
            news = await stream.until("news")
        assert news["reset"]
        assert [m["text"] for m in news["messages"]] == ["Done: agree"]

    async def test_a_mark_of_the_future_shows_everything(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        async with browser.stream() as stream:
            await stream.until("news")
            life, _, revision = stream.last_id.partition("-")
        async with browser.stream(f"{life}-{int(revision) + 50}") as stream:
            assert (await stream.until("news"))["reset"]

    async def test_what_another_process_wrote_arrives_by_looking(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        other = WebRoom(room.db, type(room.channel)(room.db, i18n=room.channel.i18n, public_url=""))
        async with browser.stream() as stream:
            await stream.until("news")
            await other.channel.bot.send_message(room.chat_id, "from elsewhere")
            await room.channel.live.look(room.db)
            news = await stream.until("news")
        assert [m["text"] for m in news["messages"]] == ["from elsewhere"]

    async def test_typing_and_toasts_pass_by_and_are_not_kept(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await browser.say("/start")
        (question,) = await browser.messages()
        async with browser.stream() as stream:
            await stream.until("news")
            await room.channel.bot.send_chat_action(room.chat_id, "typing")
            assert await stream.until("typing") == {"action": "typing"}
            await browser.post(tap={"message_id": question["id"], "data": "decline"})
            assert await stream.until("toast") == {"text": "Noted", "alert": False}
        async with browser.stream() as stream:
            events = [(await stream.next())[0] for _ in range(3)]
        assert events == ["beat", "news", "room"]

    async def test_the_room_has_a_name_once_one_is_known(
        self, room: WebRoom, browser: Visit
    ) -> None:
        async with browser.stream() as stream:
            assert await stream.until("room") == {"name": None, "language": None, "demo": False}
            await agree(browser)
            said = await stream.until("room")
            while said["name"] is None:
                said = await stream.until("room")
        assert said == {"name": "南对河村", "language": "en", "demo": False}
        assert "<title>南对河村</title>" in await browser.open()

    async def test_too_many_pages_of_one_chat_close_the_oldest(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await browser.say("hello")
        live = room.channel.live
        with live.open(room.chat_id) as first:
            rest = [live.open(room.chat_id) for _ in range(MAX_STREAMS_A_CHAT)]
            pages = [page.__enter__() for page in rest]
            assert first.closed
            assert not any(page.closed for page in pages)
            for page in rest:
                page.__exit__(None, None, None)
        assert len(live) == 0

    async def test_who_opens_a_page_is_told_on(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        room.opened.clear()
        await browser.messages()
        assert room.opened == [room.chat_id]

    async def test_closing_ends_every_stream(self, room: WebRoom, browser: Visit) -> None:
        async with browser.stream() as stream:
            await stream.until("room")
            room.channel.live.close()
            with pytest.raises(EOFError):
                await stream.until("never")


class TestHistory:
    async def test_older_messages_come_page_by_page(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        for number in range(PAGE + 5):
            await room.channel.bot.send_message(room.chat_id, f"number {number}")
        shown = await browser.messages()
        assert len(shown) == PAGE
        assert shown[-1]["text"] == f"number {PAGE + 4}"
        query = {"before": str(shown[0]["id"]), "chat": browser.tag}
        async with browser.http.get("/chat/history", params=query) as response:
            older = await response.json()
        assert not older["more"]
        assert [m["text"] for m in older["messages"]] == ["Done: agree"] + [
            f"number {number}" for number in range(5)
        ]

    async def test_the_bar_of_choices_outlives_a_long_talk(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        bar = ReplyKeyboardMarkup(keyboard=[[KeyboardButton(text="I'm fine")]])
        await room.channel.bot.send_message(room.chat_id, "Menu", reply_markup=bar)
        for number in range(PAGE + 3):
            await room.channel.bot.send_message(room.chat_id, f"number {number}")
        async with browser.stream() as stream:
            news = await stream.until("news")
        assert news["keyboard"]["keyboard"]["rows"] == [[{"text": "I'm fine"}]]

    @pytest.mark.parametrize("before", ["", "x", "-1", "9" * 30, "²"])
    async def test_a_bad_number_is_refused(self, browser: Visit, before: str) -> None:
        query = {"before": before, "chat": browser.tag}
        async with browser.http.get("/chat/history", params=query) as response:
            assert response.status == 400


class TestDevices:
    async def test_a_link_opens_the_conversation_on_a_second_device(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        token = await invite_device(room, room.chat_id)
        async with visit(room) as second:
            await second.open(f"?start={token}")
            async with room.db.read() as tx:  # looking at the page uses nothing up
                assert await tx.scalar(select(Invite.uses_left)) == 1
            assert (await second.post(text=f"/start {token}"))[1] == {"ok": True, "moved": True}
            await second.open()
            assert second.tag == browser.tag
            await second.say("from the second")
            assert await browser.texts() == await second.texts()
            assert "from the second" in await browser.texts()

    @pytest.mark.parametrize("why", ["used", "expired", "unknown"])
    async def test_a_link_that_lets_nobody_in_says_why(
        self, room: WebRoom, browser: Visit, why: str
    ) -> None:
        await agree(browser)
        token = await invite_device(room, room.chat_id)
        async with room.db.write() as tx:
            if why == "used":
                await tx.execute(update(Invite).values(uses_left=0))
            if why == "expired":
                await tx.execute(update(Invite).values(expires_at=datetime.now(UTC)))
        if why == "unknown":
            token = "d" + "A" * 21
        async with visit(room) as second:
            status, answer = await second.post(text=f"/start {token}")
            assert status == 410
            words = {"used": "already been used", "expired": "expired", "unknown": "anything"}
            assert words[why] in answer["error"]

    async def test_it_does_not_take_the_place_of_another_person(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        first_chat, first_tag = room.chat_id, browser.tag
        async with visit(room) as other:
            await agree(other)
            token = await invite_device(room, room.chat_id, uses=None)
        await browser.open(f"?start={token}")
        assert browser.seat == "2"
        await browser.post(text=f"/start {token}")
        await browser.open("?seat=2")
        assert browser.tag != first_tag
        await browser.say("from the second seat")
        assert room.chat_id != first_chat
        await browser.open()
        assert (browser.seat, browser.tag) == ("1", first_tag)
        assert "from the second seat" not in await browser.texts()
        # Opened again, it leads to the seat that has it.
        await browser.open(f"?start={token}")
        assert browser.seat == "2"

    async def test_an_invite_goes_to_the_person_who_opens_it(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        await browser.open("?start=wAAAAAAAAAAAAAAAAAAAAA")
        assert browser.seat == "1"

    async def test_unless_that_person_is_made_up(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        async with room.db.write() as tx:
            await tx.execute(update(Person).values(is_demo=True))
        await browser.open("?start=wAAAAAAAAAAAAAAAAAAAAA")
        assert browser.seat == "2"

    async def test_a_device_that_was_let_go_of_cannot_come_back_by_arithmetic(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        async with room.db.write() as tx:
            await tx.execute(delete(WebDevice))
        tag = browser.tag
        assert (await browser.post(text="hello"))[0] == 401
        await browser.open()
        assert browser.tag != tag

    async def test_what_was_written_in_one_conversation_is_not_sent_in_another(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await browser.say("hello")
        before = len(room.updates)
        status, answer = await browser.post(chat="another-tag-it-is", text="for someone else")
        assert (status, answer["moved"]) == (409, True)
        assert len(room.updates) == before
        browser.tag = "another-tag-it-is"
        async with browser.stream() as stream:
            assert await stream.next() == ("moved", {})


class TestFiles:
    async def test_a_photo_is_kept_sealed_and_shown_to_its_own_only(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        assert await browser.upload(PNG, "photo", name="../a<b>.png") == (
            200,
            {"ok": True, "shown": True},
        )
        update_ = room.updates[-1]
        assert update_.message is not None
        assert update_.message.photo is not None
        assert (update_.message.photo[0].width, update_.message.photo[0].height) == (7, 5)
        mine = (await browser.messages())[-2]
        ref = mine["file"]["ref"]
        async with browser.http.get(f"/chat/file/{ref}") as response:
            assert (response.status, response.content_type) == (200, "image/png")
            assert await response.read() == PNG
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Content-Disposition"].startswith("inline")
            assert "sandbox" in response.headers["Content-Security-Policy"]
        async with room.db.read() as tx:
            content = await tx.scalar(select(WebFile.content))
        assert PNG not in content
        async with visit(room) as other, other.http.get(f"/chat/file/{ref}") as response:
            assert response.status == 404

    async def test_what_could_run_is_only_saved(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        page = b"<html><script>alert(1)</script>"
        assert (await browser.upload(page, "photo", name="a.html"))[0] == 200
        mine = (await browser.messages())[-2]
        assert mine["kind"] == "document"
        async with browser.http.get(f"/chat/file/{mine['file']['ref']}") as response:
            assert response.content_type == "application/octet-stream"
            assert response.headers["Content-Disposition"].startswith("attachment")

    async def test_sound_is_served_in_parts(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        sound = b"OggS" + bytes(range(96))
        await browser.upload(sound, "voice", seconds="4")
        mine = (await browser.messages())[-2]
        assert mine["file"]["duration"] == 4
        address = f"/chat/file/{mine['file']['ref']}"
        async with browser.http.get(address, headers={"Range": "bytes=10-19"}) as response:
            assert response.status == 206
            assert response.headers["Content-Range"] == "bytes 10-19/100"
            assert await response.read() == sound[10:20]
        async with browser.http.get(address, headers={"Range": "bytes=500-"}) as response:
            assert response.status == 416

    async def test_eleven_megabytes_are_too_many(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        status, answer = await browser.upload(bytes(10 * 1024 * 1024 + 1))
        assert status == 413
        assert "10 MB" in answer["error"]
        assert "web_file" not in await rows(room.db)

    async def test_they_go_with_the_person(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        await browser.upload(PNG, "photo")
        await browser.say("erase")
        assert "web_file" not in await rows(room.db)

    async def test_first_bytes_tell_what_it_is(self) -> None:
        assert tell_mime(b"RIFF\0\0\0\0WEBPVP8 ") == "image/webp"
        assert tell_mime(b"\0\0\0\x20ftypM4A ") == "audio/mp4"
        assert tell_mime(b"<svg xmlns") == "application/octet-stream"
        jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x05\x00\x07\x03" + bytes(9)
        assert measure(jpeg) == (7, 5)
        assert measure(b"\xff\xd8\xff") == (0, 0)


class TestBadInput:
    @pytest.mark.parametrize(
        "payload",
        [
            {"text": ""},
            {"text": " \n\u2028 "},
            {"text": 5},
            {"tap": {"message_id": "1", "data": "a"}},
            {"tap": {"message_id": 1}},
            {"tap": []},
            {"location": {"latitude": 91, "longitude": 0}},
            {"location": {"latitude": True, "longitude": 0}},
            {"location": {"latitude": "1", "longitude": 0}},
            {"location": {}},
            {},
            {"client_id": "short", "text": "hello"},
            {"client_id": None, "text": "hello"},
            {"client_id": "with spaces in the id", "text": "hello"},
        ],
    )
    async def test_it_is_refused_in_words(self, browser: Visit, payload: dict[str, Any]) -> None:
        status, answer = await browser.post(**payload)
        assert status == 400
        assert answer["error"].endswith(".")

    @pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 30_000])
    async def test_what_is_no_object_is_refused(self, browser: Visit, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        async with browser.http.post("/chat/send", data=body, headers=headers) as response:
            assert response.status == 400

    async def test_a_text_of_4097_units_is_refused(self, room: WebRoom, browser: Visit) -> None:
        status, answer = await browser.post(text="👋" * 2048 + "a")
        assert (status, answer["error"]) == (400, "That is too long. Please send it in parts.")
        room.answer = lambda _update, _chat: []
        await browser.say("👋" * 2048)

    async def test_half_a_character_is_refused(self, browser: Visit) -> None:
        payload = f'{{"client_id":"a-random-client-id","chat":"{browser.tag}","text":"\\ud83d"}}'
        headers = {"Content-Type": "application/json"}
        async with browser.http.post("/chat/send", data=payload, headers=headers) as response:
            assert response.status == 400

    async def test_control_and_override_characters_are_taken_out(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await browser.say("a\0b\x1b\u202ec\r\nd")
        assert room.updates[-1].message is not None
        assert room.updates[-1].message.text == "abc\nd"

    async def test_a_body_too_large_is_refused(self, browser: Visit) -> None:
        assert (await browser.post(text="a" * 40_000))[0] == 413

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
        ],
    )
    async def test_another_sites_page_may_not_write(
        self, browser: Visit, headers: dict[str, str]
    ) -> None:
        payload = {"client_id": "a-random-client-id", "chat": browser.tag, "text": "?"}
        async with browser.http.post("/chat/send", json=payload, headers=headers) as response:
            assert response.status == 403

    async def test_an_old_browsers_origin_is_looked_at(self, room: WebRoom) -> None:
        base = room.url.removesuffix("/chat/")
        async with visit(room) as browser:
            del browser.http.headers["Sec-Fetch-Site"]
            payload = {"client_id": "a-random-client-id", "chat": browser.tag, "text": "?"}
            for origin, status in ((base, 200), ("https://evil.example", 403), ("null", 403)):
                headers = {"Origin": origin}
                async with browser.http.post("/chat/send", json=payload, headers=headers) as found:
                    assert found.status == status
            async with browser.http.post("/chat/send", json=payload) as response:
                assert response.status == 403

    async def test_without_a_cookie_nothing_is_taken(self, browser: Visit) -> None:
        browser.http.cookie_jar.clear()
        status, answer = await browser.post(text="hello")
        assert (status, answer["lost"]) == (401, True)

    async def test_a_flood_is_slowed_in_words(self, room: WebRoom, browser: Visit) -> None:
        answers = [await browser.post(text=f"number {number}") for number in range(24)]
        refused = [answer for status, answer in answers if status == 429]
        assert refused
        assert refused[0]["wait"] >= 1
        assert refused[0]["error"].startswith("That was a lot at once")
        async with visit(room) as other:
            await other.say("unhindered")

    async def test_a_place_is_rounded_before_anyone_sees_it(
        self, room: WebRoom, browser: Visit
    ) -> None:
        place = {"latitude": 24.88012, "longitude": 102.83345}
        assert (await browser.post(location=place))[0] == 200
        message = room.updates[-1].message
        assert message is not None
        assert message.location is not None
        assert (message.location.latitude, message.location.longitude) == (24.9, 102.8)
        assert (await browser.messages())[0]["location"] == {"latitude": 24.9, "longitude": 102.8}


class TestRefused:
    """What a page cannot do is said, never dropped."""

    async def test_methods_it_does_not_carry(self, room: WebRoom, browser: Visit) -> None:
        await browser.say("hello")
        with pytest.raises(TelegramBadRequest, match="SendDice is not supported by the web chat"):
            await room.channel.bot(SendDice(chat_id=room.chat_id))
        with pytest.raises(TelegramBadRequest, match="plain text"):
            await room.channel.bot.send_message(room.chat_id, "<b>?</b>", parse_mode="HTML")
        with pytest.raises(TelegramBadRequest, match="message_thread_id is not supported"):
            await room.channel.bot.send_message(room.chat_id, "?", message_thread_id=5)

    @pytest.mark.parametrize(
        "button",
        [
            InlineKeyboardButton(text="?", switch_inline_query="a"),
            InlineKeyboardButton(text="?", url="javascript:alert(1)"),
            InlineKeyboardButton(text="?"),
            InlineKeyboardButton(text=" ", callback_data="a"),
            InlineKeyboardButton(text="?", callback_data=""),
        ],
    )
    async def test_buttons_it_cannot_show(
        self, room: WebRoom, browser: Visit, button: InlineKeyboardButton
    ) -> None:
        await browser.say("hello")
        markup = InlineKeyboardMarkup(inline_keyboard=[[button]])
        with pytest.raises(TelegramBadRequest):
            await room.channel.bot.send_message(room.chat_id, "?", reply_markup=markup)

    async def test_a_database_out_of_reach_is_worth_another_try(
        self, room: WebRoom, browser: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await browser.say("hello")

        def away(*_: object) -> None:
            raise OperationalError("BEGIN", {}, OSError("locked"))

        monkeypatch.setattr(room.db, "write", away)
        with pytest.raises(TelegramServerError):
            await room.channel.bot(SendMessage(chat_id=room.chat_id, text="?"))
        monkeypatch.setattr(room.db, "read", away)
        assert (await browser.post(text="hello"))[0] == 503
        async with browser.http.get("/chat/") as response:
            assert response.status == 503
            assert "tried again" in await response.text()


class TestThePage:
    async def test_its_policy_allows_nothing_inline_and_nothing_foreign(
        self, browser: Visit
    ) -> None:
        async with browser.http.get("/chat/") as response:
            policy = response.headers["Content-Security-Policy"]
            page = await response.text()
        assert "unsafe" not in policy
        for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
            assert rule in policy
        assert "http://" not in page
        assert "https://" not in page
        assert " style=" not in page
        assert " onclick" not in page

    async def test_its_cookie_is_closed_to_scripts_and_other_sites(self, room: WebRoom) -> None:
        async with visit(room) as browser:
            browser.http.cookie_jar.clear()
            async with browser.http.get("/chat/") as response:
                cookie = response.headers["Set-Cookie"]
        assert cookie.startswith("kinroom_chat=")
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie

    async def test_with_tls_the_cookie_is_bound_to_the_host(
        self, room: WebRoom, browser: Visit
    ) -> None:
        room.channel.visitors._secure = True
        async with browser.http.get("/chat/") as response:
            cookie = response.headers["Set-Cookie"]
        assert cookie.startswith("__Host-kinroom_chat=")
        assert "Secure" in cookie

    async def test_first_load_is_small(self, browser: Visit) -> None:
        page = await browser.open()
        total = 0
        addresses = {part.partition('"')[0] for part in page.split('="/chat/static/')[1:]}
        assert len(addresses) >= 14
        for address in ["/chat/", *(f"/chat/static/{address}" for address in addresses)]:
            headers = {"Accept-Encoding": "gzip"}
            async with browser.http.get(address, headers=headers) as response:
                assert response.status == 200
                total += int(response.headers["Content-Length"])
        assert total <= 30_000

    async def test_without_scripts_it_says_so(self, browser: Visit) -> None:
        assert "<noscript><p" in await browser.open()

    async def test_its_parts_are_kept_by_the_browser(self, browser: Visit) -> None:
        page = await browser.open()
        address = "/chat/static/" + page.partition('src="/chat/static/')[2].partition('"')[0]
        async with browser.http.get(address) as response:
            assert "immutable" in response.headers["Cache-Control"]
            tag = response.headers["ETag"]
        async with browser.http.get(address, headers={"If-None-Match": tag}) as response:
            assert response.status == 304
        async with browser.http.get("/chat/static/old-build/main.js") as response:
            assert (response.status, response.headers["Cache-Control"]) == (200, "no-cache")
        async with browser.http.get("/chat/static/old-build/chat.html") as response:
            assert response.status == 404

    async def test_nothing_in_the_setup_can_end_it(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        async with room.db.write() as tx:
            evil = "</script><script>alert(1)</script>"
            await tx.execute(update(Base.metadata.tables["area"]).values(name=evil))
        page = await browser.open()
        assert "<script>alert" not in page
        assert browser.setup["room"]["name"] == evil

    @pytest.mark.parametrize(
        ("accept", "language"),
        [
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
            ("zh-hant-TW", "zh"),
            ("en-GB", "en"),
            ("fr-FR,zh;q=0.3", "zh"),
            ("fr", "en"),
            ("en;q=0.1,zh;q=0.9", "zh"),
            ("en;q=x, zh", "zh"),
            ("*", "zh"),
            ("", "zh"),
            (None, "zh"),
        ],
    )
    async def test_it_speaks_the_browsers_language(self, accept: str | None, language: str) -> None:
        assert pick_language(accept) == language

    async def test_words_can_be_had_in_another(self, browser: Visit) -> None:
        async with browser.http.get("/chat/strings?lang=zh") as response:
            found = await response.json()
        assert found["language"] == "zh"
        assert found["words"].keys() == browser.setup["words"].keys()


class TestMemory:
    def test_the_least_used_is_forgotten_first(self, now: datetime) -> None:
        memory = Memory()
        for number in range(1, 60):
            memory.see(number, f"device {number}", now)
            talk = memory.begin(number, now)
            assert talk is not None
            talk.add({"text": "a" * 1_000_000}, now)
            memory.used(talk, now)
        assert 20 < len(memory) < 40
        assert memory.find(1, now) is None
        assert memory.find(59, now) is not None
        assert memory.chat_of("device 1") is None
        assert memory.chat_of("device 59") == 59

    def test_it_forgets_after_a_day(self, now: datetime) -> None:
        memory = Memory()
        memory.see(1, "device", now)
        memory.begin(1, now)
        assert memory.find(1, now + timedelta(hours=25)) is None

    def test_a_talk_holds_so_many_messages(self, now: datetime) -> None:
        memory = Memory()
        memory.see(1, "device", now)
        talk = memory.begin(1, now)
        assert talk is not None
        for number in range(MAX_BUBBLES + 5):
            talk.add({"text": str(number)}, now)
        assert len(talk.bubbles) == MAX_BUBBLES
        assert talk.last_message_id == MAX_BUBBLES + 5

    def test_nobody_seen_no_talk(self, now: datetime) -> None:
        assert Memory().begin(5, now) is None


class TestSmallParts:
    def test_a_bucket_fills_again(self) -> None:
        buckets = Buckets(burst=2, rate=1)
        assert [buckets.wait("a", 0) for _ in range(3)] == [0, 0, 1]
        assert buckets.wait("b", 0) == 0
        assert buckets.wait("a", 0.5) == 0.5
        assert buckets.wait("a", 1) == 0

    def test_marks_are_read_as_they_are_written(self) -> None:
        assert Mark.parse(str(Mark(5, 7))) == Mark(5, 7)
        assert Mark.parse("") == Mark.parse("a-b") == Mark.parse("1-2-3") == Mark(-1, 0)


async def test_a_message_opens_only_in_its_own_row(room: WebRoom, browser: Visit) -> None:
    await agree(browser)
    await browser.say("a secret")
    async with room.db.read() as tx:
        bodies = list((await tx.execute(select(WebMessage.body))).scalars())
        assert await tx.scalar(select(func.count()).select_from(WebChat)) == 1
        assert await tx.scalar(select(func.count()).select_from(Account)) == 1
    assert not any(b"secret" in body for body in bodies)

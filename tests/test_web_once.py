"""What a page sends has its effect once, and what is said reaches every page in order."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiogram.types import KeyboardButton, ReplyKeyboardMarkup

from bot.channels.web.conversations import PAGE
from bot.channels.web.live import MAX_STREAMS_A_CHAT
from bot.channels.web.update import update_id
from storage.database import Database
from tests import web_fixtures
from tests.web_browser import Visit, visit
from tests.web_fixtures import agree
from tests.web_room import WebRoom, open_room

room, browser = web_fixtures.room, web_fixtures.browser


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


async def test_what_is_said_while_the_talk_is_being_stored_is_stored_too(
    postgres_db: Database, tmp_path: Path
) -> None:
    (tmp_path / "words").mkdir()
    async with open_room(postgres_db, tmp_path / "words") as room, visit(room) as browser:
        await browser.say("hello")
        conversations = room.channel.conversations
        async with room.db.write() as tx:
            await room.join(tx, room.chat_id)
            assert await conversations.keep(tx, room.chat_id)
            # Another transaction cannot see yet that the person is known.
            late = await conversations.add(room.chat_id, {"text": "meanwhile"})
        await conversations.settle()
        assert conversations.memory.find(room.chat_id, room.channel.clock()) is None
        assert (await browser.texts())[-1] == "meanwhile"
        assert (await browser.messages())[-1]["id"] == late.message_id
        assert (await browser.texts()).count("meanwhile") == 1

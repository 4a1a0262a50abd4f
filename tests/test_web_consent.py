"""Before consent nothing of a web chat is stored, and after erasure nothing is left."""

import pytest
from aiogram.exceptions import TelegramBadRequest
from sqlalchemy import func, select

from storage.models import Account, WebChat, WebMessage
from tests import web_fixtures
from tests.web_browser import Visit, visit
from tests.web_fixtures import PNG, agree, invite_device, rows
from tests.web_room import WebRoom

room, browser = web_fixtures.room, web_fixtures.browser


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


async def test_a_message_opens_only_in_its_own_row(room: WebRoom, browser: Visit) -> None:
    await agree(browser)
    await browser.say("a secret")
    async with room.db.read() as tx:
        bodies = list((await tx.execute(select(WebMessage.body))).scalars())
        assert await tx.scalar(select(func.count()).select_from(WebChat)) == 1
        assert await tx.scalar(select(func.count()).select_from(Account)) == 1
    assert not any(b"secret" in body for body in bodies)

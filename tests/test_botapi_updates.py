"""What updates hold, and how a bot polls for them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiogram import Bot, Dispatcher
from aiogram.exceptions import TelegramBadRequest, TelegramConflictError
from aiogram.types import Message as AiogramMessage
from aiogram.types import Update

from tests.botapi import BotApi, PrivateConversation, User, fixtures
from tests.botapi.account import BotAccount
from tests.botapi.fixtures import inline

pytestmark = pytest.mark.asyncio

server, account, bot = fixtures.server, fixtures.account, fixtures.bot
fang, chat = fixtures.fang, fixtures.chat


class TestContent:
    async def test_start_with_a_payload(self, bot: Bot, fang: User, account: BotAccount) -> None:
        longest = "aZ09_-" * 10 + "abcd"
        await fang.open(account).start(longest)
        (update,) = await bot.get_updates()
        assert update.message is not None
        assert update.message.text == f"/start {longest}"
        assert update.message.entities is not None
        assert (update.message.entities[0].type, update.message.entities[0].length) == (
            "bot_command",
            6,
        )
        assert update.message.from_user is not None
        assert update.message.from_user.language_code == "zh-hans"
        assert update.update_id > 0
        for refused in (longest + "a", "a b", "é"):
            with pytest.raises(ValueError, match="start parameter"):
                await fang.open(account).start(refused)

    async def test_everything_a_person_does_is_an_update_aiogram_can_read(
        self, server: BotApi, account: BotAccount, bot: Bot, chat: PrivateConversation
    ) -> None:
        sent = await bot.send_message(chat.user.id, "?", reply_markup=inline(["a"]))
        account.updates.allow(["message", "edited_message", "message_reaction", "callback_query"])
        first = await chat.write("/help me at https://example.org")
        await chat.reply(chat.last, "because")
        await chat.edit(first, "other")
        await chat.send_photo(caption="look")
        await chat.send_voice()
        await chat.send_document(b"x")
        await chat.send_sticker()
        await chat.send_location(23.1, 113.3)
        await chat.send_contact("+8613800000000")
        await chat.send_raw({"dice": {"emoji": "🎲", "value": 4}})
        await chat.react(chat.last, "👍")
        chat.press(chat.last, "a")
        pending = list(account.updates.pending.values())
        updates = [Update.model_validate(update) for update in pending]
        contents = [u.message.content_type for u in updates if u.message is not None]
        assert contents == [
            "text", "text", "photo", "voice", "document", "sticker", "location", "contact", "dice",
        ]  # fmt: skip
        assert updates[1].message is not None
        assert updates[1].message.reply_to_message is not None
        assert updates[1].message.reply_to_message.message_id == sent.message_id
        assert [u.event_type for u in updates if u.message is None] == [
            "edited_message", "message_reaction", "callback_query",
        ]  # fmt: skip
        numbers = [u.update_id for u in updates]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))

    async def test_blocking_and_coming_back(self, bot: Bot, chat: PrivateConversation) -> None:
        await chat.block()
        await chat.block()
        with pytest.raises(RuntimeError, match="blocked"):
            await chat.write("x")
        await chat.start()
        updates = await bot.get_updates()
        states = [
            (u.my_chat_member.old_chat_member.status, u.my_chat_member.new_chat_member.status)
            for u in updates
            if u.my_chat_member is not None
        ]
        assert states == [("member", "kicked"), ("kicked", "member")]
        assert updates[-1].message is not None
        assert updates[-1].message.text == "/start"

    async def test_a_client_does_not_send_more_than_4096_units(
        self, chat: PrivateConversation
    ) -> None:
        await chat.write("👋" * 2048)
        for text in ("👋" * 2048 + "a", "", " \n"):
            with pytest.raises(ValueError, match="1–4096"):
                await chat.write(text)


class TestPolling:
    async def test_updates_stay_until_an_offset_confirms_them(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        for word in "abc":
            await chat.write(word)
        first = await bot.get_updates(limit=2)
        assert texts(first) == ["a", "b"]
        assert await bot.get_updates(limit=2) == first
        rest = await bot.get_updates(offset=first[-1].update_id + 1)
        assert texts(rest) == ["c"]
        assert await bot.get_updates(offset=rest[-1].update_id + 1) == []
        assert await bot.get_updates() == []

    async def test_a_negative_offset_forgets_all_but_the_last(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        for word in "abc":
            await chat.write(word)
        assert texts(await bot.get_updates(offset=-2)) == ["b", "c"]
        assert texts(await bot.get_updates()) == ["b", "c"]
        assert texts(await bot.get_updates(offset=-9)) == ["b", "c"]

    async def test_at_most_100_at_once(self, bot: Bot, chat: PrivateConversation) -> None:
        for number in range(101):
            await chat.write(str(number))
        assert len(await bot.get_updates(limit=500)) == 100

    async def test_a_long_poll_returns_with_the_first_update(
        self, bot: Bot, server: BotApi, account: BotAccount, chat: PrivateConversation
    ) -> None:
        poll = asyncio.create_task(bot.get_updates(timeout=30))
        await server.wait_until(lambda: account.updates.polled)
        await chat.write("now")
        assert texts(await poll) == ["now"]

    async def test_a_second_poller_ends_the_first(
        self, bot: Bot, server: BotApi, account: BotAccount, chat: PrivateConversation
    ) -> None:
        first = asyncio.create_task(bot.get_updates(timeout=30))
        await server.wait_until(lambda: account.updates.polled)
        second = asyncio.create_task(bot.get_updates(timeout=30))
        with pytest.raises(TelegramConflictError, match="terminated by other getUpdates"):
            await first
        await chat.write("x")
        assert texts(await second) == ["x"]

    async def test_allowed_updates(
        self, bot: Bot, account: BotAccount, chat: PrivateConversation
    ) -> None:
        await bot.get_updates(allowed_updates=["callback_query"])
        await chat.write("not wanted")
        await bot.get_updates(allowed_updates=[])
        await chat.write("wanted")
        assert texts(await bot.get_updates()) == ["wanted"]
        with pytest.raises(TelegramBadRequest, match="unknown update types"):
            await bot.get_updates(allowed_updates=["gossip"])

    async def test_an_update_that_nobody_can_read(
        self, server: BotApi, account: BotAccount, chat: PrivateConversation
    ) -> None:
        account.updates.push_raw({"message": {"date": "yesterday"}})
        await chat.write("x")
        status, answer = await fixtures.raw_call(server, "getUpdates")
        assert status == 200
        assert [u["message"].get("text") for u in answer["result"]] == [None, "x"]


def texts(updates: list[Update]) -> list[str | None]:
    return [u.message.text for u in updates if u.message is not None]


class TestDispatcher:
    async def test_a_dispatcher_that_polls_holds_a_conversation(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        dispatcher = Dispatcher()

        @dispatcher.message()
        async def echo(message: AiogramMessage) -> None:
            await message.answer(f"you said {message.text}", reply_markup=inline(["thanks"]))

        @dispatcher.callback_query()
        async def thank(query: Any) -> None:
            await query.message.edit_text("welcome")
            await query.answer("ok")

        polling = asyncio.create_task(
            dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False)
        )
        await chat.write("hello")
        (message,) = await chat.heard()
        assert message.text == "you said hello"
        assert (await chat.tap(message, "thanks")).text == "ok"
        assert message.text == "welcome"
        await dispatcher.stop_polling()
        await polling

"""Updates carried to a bot by POST."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiogram import Bot, Dispatcher
from aiogram.exceptions import TelegramBadRequest, TelegramConflictError
from aiogram.types import Message as AiogramMessage
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.botapi import BotApi, PrivateConversation, fixtures
from tests.botapi.account import BotAccount
from tests.botapi.changes import Changes

pytestmark = pytest.mark.asyncio

server, account, bot = fixtures.server, fixtures.account, fixtures.bot
fang, chat = fixtures.fang, fixtures.chat


class Receiver:
    """A bot's end of a webhook: what it got, and the statuses it answers with, 200 at last."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.headers: list[str | None] = []
        self.answers: list[int] = []
        self.reply: dict[str, Any] | None = None
        self.changes = Changes()
        self.gate = asyncio.Event()
        self.gate.set()
        self.running = 0
        self.most_running = 0

    async def handle(self, request: web.Request) -> web.Response:
        update = await request.json()
        self.headers.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        self.running += 1
        self.changes.notify()
        self.most_running = max(self.most_running, self.running)
        await self.gate.wait()
        self.running -= 1
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.got.append(update)
            if self.reply is not None:
                return web.json_response(self.reply)
        return web.Response(status=status)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest_asyncio.fixture
async def url(receiver: Receiver) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    async with TestServer(app) as listening:
        yield str(listening.make_url("/hook"))


class TestWebhook:
    async def test_updates_come_by_post_with_the_secret(
        self,
        bot: Bot,
        server: BotApi,
        account: BotAccount,
        chat: PrivateConversation,
        receiver: Receiver,
        url: str,
    ) -> None:
        await chat.write("before")
        await bot.set_webhook(url, secret_token="s3cret")
        await chat.write("after")
        await server.wait_until(lambda: not account.updates.pending)
        assert [u["message"]["text"] for u in receiver.got] == ["before", "after"]
        assert receiver.headers == ["s3cret", "s3cret"]
        info = await bot.get_webhook_info()
        assert (info.url, info.pending_update_count, info.max_connections) == (url, 0, 40)

    async def test_an_update_is_tried_until_2xx_and_the_next_one_waits(
        self,
        bot: Bot,
        server: BotApi,
        account: BotAccount,
        chat: PrivateConversation,
        receiver: Receiver,
        url: str,
    ) -> None:
        receiver.answers = [500, 302, 404]
        server.webhook_retry = 0.001
        await bot.set_webhook(url)
        await chat.write("one")
        await chat.write("two")
        await server.wait_until(lambda: not account.updates.pending)
        assert [u["message"]["text"] for u in receiver.got] == ["one", "two"]
        assert account.webhook is not None
        assert account.webhook.attempts == 5
        info = await bot.get_webhook_info()
        assert info.last_error_message == "Wrong response from the webhook: 404 Not Found"

    async def test_chats_go_side_by_side_and_each_in_order(
        self,
        bot: Bot,
        server: BotApi,
        account: BotAccount,
        chat: PrivateConversation,
        receiver: Receiver,
        url: str,
    ) -> None:
        other = server.add_user("Li").open(account)
        receiver.gate.clear()
        await bot.set_webhook(url)
        for word in "abc":
            await chat.write(word)
            await other.write(word)
        await receiver.changes.wait_for(lambda: receiver.running == 2, timeout=5)
        assert (await bot.get_webhook_info()).pending_update_count == 6
        receiver.gate.set()
        await server.wait_until(lambda: not account.updates.pending)
        assert receiver.most_running == 2
        for person in (chat.user, other.user):
            own = [u["message"] for u in receiver.got if u["message"]["chat"]["id"] == person.id]
            assert [message["text"] for message in own] == ["a", "b", "c"]

    async def test_an_address_where_nobody_listens(
        self, bot: Bot, server: BotApi, account: BotAccount, chat: PrivateConversation
    ) -> None:
        await bot.set_webhook("http://127.0.0.1:1/hook")
        await chat.write("x")
        await server.wait_until(
            lambda: account.webhook and account.webhook.json().get("last_error_date")
        )
        info = await bot.get_webhook_info()
        assert (info.last_error_message, info.pending_update_count) == ("Connection refused", 1)
        await bot.delete_webhook()
        (update,) = await bot.get_updates()
        assert update.message is not None
        assert update.message.text == "x"

    async def test_polling_and_webhook_exclude_each_other(
        self, bot: Bot, server: BotApi, account: BotAccount, url: str
    ) -> None:
        poll = asyncio.create_task(bot.get_updates(timeout=30))
        await server.wait_until(lambda: account.updates.polled)
        await bot.set_webhook(url)
        with pytest.raises(TelegramConflictError, match="terminated by setWebhook"):
            await poll
        with pytest.raises(TelegramConflictError, match="while webhook is active"):
            await bot.get_updates()
        await bot.delete_webhook()
        assert await bot.get_updates() == []

    async def test_drop_pending_updates(
        self, bot: Bot, chat: PrivateConversation, receiver: Receiver, url: str
    ) -> None:
        await chat.write("old")
        await bot.delete_webhook(drop_pending_updates=True)
        assert await bot.get_updates() == []
        await chat.write("old")
        await bot.set_webhook(url, drop_pending_updates=True)
        assert (await bot.get_webhook_info()).pending_update_count == 0

    async def test_a_bot_may_call_a_method_in_its_answer(
        self,
        bot: Bot,
        chat: PrivateConversation,
        server: BotApi,
        receiver: Receiver,
        url: str,
    ) -> None:
        receiver.reply = {"method": "sendMessage", "chat_id": chat.user.id, "text": "in passing"}
        await bot.set_webhook(url)
        await chat.write("x")
        (message,) = await chat.heard()
        assert message.text == "in passing"
        assert server.log.of("sendMessage")[0].via == "webhook"

    async def test_aiograms_own_handler_answers_in_its_multipart_way(
        self, bot: Bot, account: BotAccount, chat: PrivateConversation
    ) -> None:
        dispatcher = Dispatcher()

        @dispatcher.message()
        async def echo(message: AiogramMessage) -> Any:
            return message.answer(f"<b>{message.text}</b>", parse_mode="HTML")

        app = web.Application()
        handler = SimpleRequestHandler(
            dispatcher, bot, handle_in_background=False, secret_token="s"
        )
        handler.register(app, path="/hook")
        async with TestServer(app) as listening:
            await bot.set_webhook(str(listening.make_url("/hook")), secret_token="s")
            await chat.write("hello")
            (message,) = await chat.heard()
            assert message.text == "hello"
            assert message.entities == [{"type": "bold", "offset": 0, "length": 5}]
            await bot.delete_webhook()

    @pytest.mark.parametrize(
        ("params", "text"),
        [
            ({"secret_token": "a" * 257}, "secret token is too long"),
            ({"secret_token": "é"}, "unallowed characters"),
            ({"max_connections": 101}, "max_connections"),
        ],
    )
    async def test_bad_webhooks(self, bot: Bot, params: dict[str, Any], text: str) -> None:
        with pytest.raises(TelegramBadRequest, match=text):
            await bot.set_webhook("https://example.org/hook", **params)
        with pytest.raises(TelegramBadRequest, match="invalid webhook URL"):
            await bot.set_webhook("example.org")

    async def test_a_secret_of_256_characters(self, bot: Bot, url: str) -> None:
        await bot.set_webhook(url, secret_token="a" * 256)

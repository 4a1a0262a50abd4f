"""The Bot API server for tests, driven by a real aiogram Bot: sending, editing, taps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNotFound,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    Message,
    MessageEntity,
    ReactionTypeEmoji,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
    Update,
)

from tests.botapi import BotApi, PrivateConversation, User
from tests.botapi.account import BotAccount
from tests.botapi.conversation import PIXEL

pytestmark = pytest.mark.asyncio

TOKEN = "123456:TEST"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[BotApi]:
    server = BotApi()
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture
async def bot(server: BotApi) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    async with Bot(TOKEN, session=session) as bot:
        yield bot


@pytest.fixture
def account(server: BotApi) -> BotAccount:
    return server.add_bot(TOKEN, "kinroom_bot")


@pytest.fixture
def fang(server: BotApi) -> User:
    return server.add_user("Fang", language_code="zh-hans")


@pytest_asyncio.fixture
async def chat(fang: User, account: BotAccount) -> PrivateConversation:
    chat = fang.open(account)
    await chat.start()
    account.updates.pending.clear()
    return chat


async def raw(server: BotApi, method: str, token: str = TOKEN, **body: object) -> tuple[int, dict]:
    """A call without aiogram, with a JSON body: status and answer."""
    async with aiohttp.ClientSession() as session:
        url = f"{server.url}/bot{token}/{method}"
        async with session.post(url, json=body) as response:
            return response.status, await response.json()


def buttons(*rows: list[str]) -> InlineKeyboardMarkup:
    """Inline buttons whose data are their words."""
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=word, callback_data=word) for word in row] for row in rows
        ]
    )


class TestSending:
    async def test_a_message_comes_back_as_aiogram_reads_it_and_the_person_sees_it(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        sent = await bot.send_message(chat.user.id, "你好 👋", reply_markup=buttons(["好"]))
        assert isinstance(sent, Message)
        assert (sent.text, sent.chat.type, sent.chat.id) == ("你好 👋", "private", chat.user.id)
        assert sent.from_user is not None
        assert sent.from_user.is_bot
        (seen,) = await chat.heard()
        assert (seen.message_id, seen.text, seen.labels) == (sent.message_id, "你好 👋", ["好"])
        assert chat.last is seen


class TestTaps:
    async def test_a_tap_returns_the_bots_answer(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        await bot.send_message(chat.user.id, "?", reply_markup=buttons(["yes", "no"]))
        (question,) = await chat.heard()
        tap = asyncio.create_task(chat.tap(question, "yes"))
        (update,) = await bot.get_updates(timeout=5)
        assert update.callback_query is not None
        assert update.callback_query.data == "yes"
        await update.callback_query.answer("noted", show_alert=True)
        assert (await tap).text == "noted"
        assert (await tap).show_alert

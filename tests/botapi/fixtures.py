"""Fixtures for a module that tests against the server; take them over by name:

from tests.botapi import fixtures

server, account, bot, fang, chat = (
    fixtures.server, fixtures.account, fixtures.bot, fixtures.fang, fixtures.chat,
)
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from .account import BotAccount
from .conversation import PrivateConversation
from .server import BotApi
from .user import User

TOKEN = "123456:TEST"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[BotApi]:
    """A started server."""
    server = BotApi()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def account(server: BotApi) -> BotAccount:
    """The account of @kinroom_bot on the server."""
    return server.add_bot(TOKEN, "kinroom_bot")


@pytest_asyncio.fixture
async def bot(server: BotApi, account: BotAccount) -> AsyncIterator[Bot]:
    """An aiogram bot that speaks to the server as `account`."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
    yield Bot(TOKEN, session=session)
    # AiohttpSession.close waits a quarter of a second for TLS, which is not used here.
    if session._session is not None:
        await session._session.close()
    await session.close()


@pytest.fixture
def fang(server: BotApi) -> User:
    """A person whose Telegram is in Chinese."""
    return server.add_user("Fang", language_code="zh-hans")


@pytest_asyncio.fixture
async def chat(fang: User, account: BotAccount) -> PrivateConversation:
    """Fang's chat with the bot, started; the update of that is already gone."""
    chat = fang.open(account)
    await chat.start()
    account.updates.pending.clear()
    return chat


async def raw_call(
    server: BotApi, method: str, token: str = TOKEN, **body: Any
) -> tuple[int, dict[str, Any]]:
    """A call without aiogram, with a JSON body: status and answer."""
    async with aiohttp.ClientSession() as session:
        url = f"{server.url}/bot{token}/{method}"
        async with session.post(url, json=body) as response:
            return response.status, await response.json()


def inline(*rows: list[str]) -> InlineKeyboardMarkup:
    """Inline buttons whose data are their words."""
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=word, callback_data=word) for word in row] for row in rows
        ]
    )

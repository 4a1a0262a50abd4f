"""Faults that a test scripts, and the log that is the oracle for them."""

from __future__ import annotations

import asyncio

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)

from tests.botapi import (
    BotApi,
    Delay,
    Disconnect,
    Garble,
    Hold,
    PrivateConversation,
    blocked,
    broken,
    fixtures,
    flood,
    refused,
)
from tests.botapi.account import BotAccount

pytestmark = pytest.mark.asyncio

server, account, bot = fixtures.server, fixtures.account, fixtures.bot
fang, chat = fixtures.fang, fixtures.chat


async def test_a_flood_in_one_chat_strikes_that_chat_only_and_once(
    bot: Bot, server: BotApi, account: BotAccount, chat: PrivateConversation
) -> None:
    other = server.add_user("Li").open(account)
    await other.start()
    fault = server.faults.add(flood(7), "sendMessage", chat.user.id)
    await bot.send_message(other.user.id, "x")
    with pytest.raises(TelegramRetryAfter) as wait:
        await bot.send_message(chat.user.id, "x")
    assert wait.value.retry_after == 7
    assert "Too Many Requests: retry after 7" in str(wait.value)
    await bot.send_message(chat.user.id, "x")
    assert fault.struck == 1


async def test_a_global_flood_lasts(bot: Bot, server: BotApi, chat: PrivateConversation) -> None:
    fault = server.faults.add(flood(2), times=None, lasts=60)
    for _ in range(3):
        with pytest.raises(TelegramRetryAfter):
            await bot.send_message(chat.user.id, "x")
    await bot.get_me()  # a fault that names no method leaves this one alone
    fault.first_struck -= 60
    await bot.send_message(chat.user.id, "x")


@pytest.mark.parametrize(
    ("action", "error", "text"),
    [
        (blocked(), TelegramForbiddenError, "bot was blocked by the user"),
        (refused("chat not found"), TelegramBadRequest, "Bad Request: chat not found"),
        (broken(), TelegramServerError, "Internal Server Error"),
        (broken(502, "Bad Gateway"), TelegramServerError, "Bad Gateway"),
        (Garble(), ClientDecodeError, "Failed to decode object"),
    ],
)
async def test_refusals_have_no_effect(
    bot: Bot,
    server: BotApi,
    chat: PrivateConversation,
    action: object,
    error: type[Exception],
    text: str,
) -> None:
    server.faults.add(action)  # type: ignore[arg-type]
    with pytest.raises(error, match=text):
        await bot.send_message(chat.user.id, "x")
    assert server.log.accepted("sendMessage") == []
    assert not [m for m in chat.messages if m.from_bot]


async def test_a_connection_cut_before_the_effect(
    bot: Bot, server: BotApi, chat: PrivateConversation
) -> None:
    server.faults.add(Disconnect())
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(chat.user.id, "x")
    (call,) = server.log.of("sendMessage")
    assert (call.outcome, call.effect) == ("cut", False)
    assert len(chat.messages) == 1


async def test_an_answer_lost_after_the_effect(
    bot: Bot, server: BotApi, chat: PrivateConversation
) -> None:
    server.faults.add(Disconnect(after=True), "sendMessage", chat.user.id)
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(chat.user.id, "x")
    (call,) = server.log.accepted("sendMessage")
    assert (call.outcome, call.effect) == ("lost", True)
    assert chat.last.text == "x"


async def test_a_server_that_is_down_refuses_and_comes_back_with_its_memory(
    bot: Bot, server: BotApi, chat: PrivateConversation
) -> None:
    await bot.send_message(chat.user.id, "before")
    await server.stop()
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(chat.user.id, "into a connection that just broke")
    with pytest.raises(TelegramNetworkError, match="ClientConnectorError"):
        await bot.send_message(chat.user.id, "while")
    await server.start()
    await bot.send_message(chat.user.id, "after")
    assert [m.text for m in chat.messages] == ["/start", "before", "after"]


async def test_a_call_is_held_until_the_test_lets_it_go(
    bot: Bot, server: BotApi, chat: PrivateConversation
) -> None:
    hold = Hold(after=True)
    server.faults.add(hold, when=lambda call: call.params.get("text") == "slow")
    sending = asyncio.create_task(bot.send_message(chat.user.id, "slow"))
    (seen,) = await chat.heard()
    assert seen.text == "slow"
    assert not sending.done()
    (call,) = server.log.accepted("sendMessage")
    assert call.outcome == "pending"
    hold.gate.set()
    await sending
    assert call.outcome == "ok"


async def test_delays_add_to_the_fault_that_follows(
    bot: Bot, server: BotApi, chat: PrivateConversation
) -> None:
    server.faults.add(Delay(0.02))
    server.faults.add(broken())
    with pytest.raises(TelegramServerError):
        await bot.send_message(chat.user.id, "x")
    (call,) = server.log.of("sendMessage")
    assert call.answered_at - call.at >= 0.02


async def test_the_clients_timeout_leaves_an_effect(
    server: BotApi, bot: Bot, chat: PrivateConversation
) -> None:
    hold = Hold(after=True)
    server.faults.add(hold)
    with pytest.raises(TelegramNetworkError, match="timeout"):
        await bot.send_message(chat.user.id, "x", request_timeout=0.05)  # type: ignore[arg-type]
    assert chat.last.text == "x"
    hold.gate.set()


async def test_the_log_tells_what_was_asked_and_what_came_of_it(
    bot: Bot, server: BotApi, account: BotAccount, chat: PrivateConversation
) -> None:
    sent = await bot.send_message(chat.user.id, "x")
    with pytest.raises(TelegramBadRequest):
        await bot.send_message(1, "y")
    good, bad = server.log.of("sendMessage")
    assert (good.method, good.bot, good.chat_id) == ("sendMessage", account, chat.user.id)
    assert good.params == {"chat_id": chat.user.id, "text": "x"}
    assert (good.outcome, good.code, good.result["message_id"]) == ("ok", 200, sent.message_id)
    assert (bad.outcome, bad.code, bad.effect) == ("refused", 400, False)
    assert bad.description == "Bad Request: chat not found"
    assert good.at <= good.answered_at <= bad.at
    assert server.log.accepted() == [good]
    assert server.log.of(chat_id=1) == [bad]


async def test_waiting_gives_up_and_says_what_is_shown(chat: PrivateConversation) -> None:
    with pytest.raises(TimeoutError, match=r"1 message\(s\) of the bot; shown:\n.*'/start'"):
        await chat.heard(timeout=0)
    with pytest.raises(TimeoutError, match="a message that fits"):
        await chat.wait_for(lambda message: False, timeout=0)


async def test_each_message_is_heard_once_and_in_order(bot: Bot, chat: PrivateConversation) -> None:
    waiting = asyncio.create_task(chat.heard(2))
    for number in range(3):
        await bot.send_message(chat.user.id, str(number))
    assert [m.text for m in await waiting] == ["0", "1"]
    assert [m.text for m in await chat.heard()] == ["2"]
    await bot.send_message(chat.user.id, "3")
    chat.skip()
    await bot.send_message(chat.user.id, "4")
    assert [m.text for m in await chat.heard()] == ["4"]


async def test_a_mistake_of_the_server_itself_fails_the_test(bot: Bot, server: BotApi) -> None:
    server.files = None  # type: ignore[assignment]
    with pytest.raises(TelegramServerError, match="AttributeError"):
        await bot.get_file("x")
    with pytest.raises(ExceptionGroup, match="the test server failed"):
        await server.stop()


async def test_two_bots_have_their_own_chats(bot: Bot, server: BotApi, account: BotAccount) -> None:
    second = server.add_bot("777:SECOND", "second_bot")
    fang = server.add_user("Fang")
    await fang.open(second).start()
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(fang.id, "x")
    session = AiohttpSession(api=bot.session.api)
    await Bot("777:SECOND", session=session).send_message(fang.id, "hi")
    assert fang.open(second).last.text == "hi"
    assert session._session is not None
    await session._session.close()

"""The test server's limits and faults: it refuses as Telegram does, and the same again by seed."""

import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.botapi import ApiError, BotApi, Odds
from tests.botapi.account import BotAccount
from tests.botapi.limits import Limits
from tests.botapi.log import Call

TOKEN = "123456:TEST"


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    server = BotApi()
    await server.start()
    server.add_bot(TOKEN, "kinroom_bot")
    yield server
    await server.stop()


@pytest.fixture
def bot(api: BotApi) -> BotAccount:
    return api.bots[123456]


def chat_of(api: BotApi, bot: BotAccount) -> int:
    phone = api.add_user("Fang").open(bot)
    phone.chat.started = True
    return phone.user.id


def call(bot: BotAccount, chat_id: int, at: float, method: str = "sendMessage") -> Call:
    return Call(at, at, method, bot, {"chat_id": chat_id, "text": "x"})


def wait_of(limits: Limits, asked: Call) -> int:
    """The `retry_after` that this call is answered with; 0 if it may go."""
    try:
        limits.check(asked)
    except ApiError as error:
        seconds = error.parameters["retry_after"]
        words = f"Too Many Requests: retry after {seconds}"
        return seconds if (error.code, error.description) == (429, words) else -1
    return 0


def test_a_bot_may_send_so_many_in_any_second(bot: BotAccount) -> None:
    limits = Limits(bot_rate=30, bot_slack=1.0)
    waits = [wait_of(limits, call(bot, 1000 + n, 100 + n / 100)) for n in range(60)]
    assert waits == [0] * 30 + [1] * 30
    assert wait_of(limits, call(bot, 1, 101.0)) == 0
    assert wait_of(limits, call(bot, 2, 101.0)) == 1
    assert limits.refused == {"bot": 31}
    assert wait_of(limits, call(bot, 3, 101.0, "editMessageText")) == 0
    assert wait_of(limits, call(bot, 3, 101.0, "getUpdates")) == 0


def test_a_person_gets_one_a_second_and_short_bursts(bot: BotAccount) -> None:
    limits = Limits(chat_rate=1, chat_burst=3)
    assert [wait_of(limits, call(bot, 7, 50.0)) for _ in range(5)] == [0, 0, 0, 1, 1]
    assert wait_of(limits, call(bot, 8, 50.0)) == 0
    assert [wait_of(limits, call(bot, 7, 51.0)) for _ in range(2)] == [0, 1]
    assert limits.refused == {"chat": 3}


def test_a_group_gets_twenty_a_minute(bot: BotAccount) -> None:
    limits = Limits(group_minute=20)
    assert [wait_of(limits, call(bot, -5, 10.0 + n)) for n in range(22)] == [0] * 20 + [40, 39]
    assert wait_of(limits, call(bot, -5, 70.0)) == 0


def test_flood_waits_hold_a_chat_or_everything(bot: BotAccount) -> None:
    limits = Limits()
    limits.hold_chat(7, 105.0)
    assert [wait_of(limits, call(bot, chat, 100.5)) for chat in (7, 8)] == [5, 0]
    limits.hold_bot(bot.id, 103.0)
    assert [wait_of(limits, call(bot, chat, 101.0)) for chat in (7, 8)] == [4, 2]
    assert wait_of(limits, call(bot, 8, 102.0, "answerCallbackQuery")) == 1
    assert [wait_of(limits, call(bot, chat, 105.0)) for chat in (7, 8)] == [0, 0]


async def test_the_same_seed_draws_the_same_faults(api: BotApi, bot: BotAccount) -> None:
    def drawn(seed: int, order: list[int]) -> dict[int, list[str]]:
        odds = Odds(api, seed, {"broken": 0.1, "lost": 0.1, "blocked": 0.1})
        return {chat: [str(odds.draw(call(bot, chat, 0.0))) for _ in range(20)] for chat in order}

    first = drawn(7, [1, 2, 3, 4])
    assert drawn(7, [4, 3, 2, 1]) == first  # whatever other chats do meanwhile
    assert drawn(8, [1, 2, 3, 4]) != first
    struck = [fault for chat in first.values() for fault in chat if fault != "[]"]
    assert 10 < len(struck) < 40
    with pytest.raises(ValueError, match="no such fault"):
        Odds(api, 0, {"rain": 1.0})
    with pytest.raises(ValueError, match="more than 1"):
        Odds(api, 0, {"lost": 0.6, "slow": 0.6})


async def test_connections_are_refused_for_a_while(api: BotApi, bot: BotAccount) -> None:
    async with aiohttp.ClientSession() as session:
        url = f"{api.url}/bot{TOKEN}/getMe"
        assert (await session.get(url)).status == 200
        await api.shut()
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url)
        await api.listen()
        assert (await session.get(url)).status == 200


async def test_faults_and_limits_by_http(api: BotApi, bot: BotAccount) -> None:
    chat_id = chat_of(api, bot)

    async with aiohttp.ClientSession(api.url) as session:

        async def control(what: str, **body: object) -> tuple[int, dict[str, object]]:
            async with session.post(f"/control/{what}", json=body) as answer:
                return answer.status, await answer.json()

        async def send() -> int:
            form = {"chat_id": chat_id, "text": "x"}
            async with session.post(f"/bot{TOKEN}/sendMessage", data=form) as answer:
                return answer.status

        assert (await control("limits", chat_rate=1, chat_burst=1))[0] == 200
        assert [await send(), await send()] == [200, 429]
        async with session.get("/control/limits") as answer:
            assert (await answer.json())["refused"] == {"chat": 1}
        await control("limits", chat_rate=None)

        await control("faults", action="broken", code=503)
        assert [await send(), await send()] == [503, 200]
        await control("faults", hold_bot=30)
        assert await send() == 429
        api.limits.hold_bot(bot.id, time.monotonic())
        await control("faults", odds={"blocked": 1.0}, seed=5)
        assert await send() == 403
        assert (await control("faults", clear=True))[1]["faults"] == 0
        assert await send() == 200
        for bad in ({"action": "rain"}, {"odds": {"rain": 1}}, {"action": "refused"}):
            assert (await control("faults", **bad))[0] == 400
        assert (await control("limits", rain=1))[0] == 400
        assert len(api.log) == 7
        async with session.get("/control/log?from=5") as answer:
            assert [made["outcome"] for made in await answer.json()] == ["refused", "ok"]


async def test_a_light_log_still_tells_what_was_accepted(api: BotApi, bot: BotAccount) -> None:
    api.log.light = True
    chat_id = chat_of(api, bot)
    async with aiohttp.ClientSession(api.url) as session:
        form = {"chat_id": chat_id, "text": "x", "disable_notification": "true"}
        async with session.post(f"/bot{TOKEN}/sendMessage", data=form) as answer:
            message = (await answer.json())["result"]
    (kept,) = api.log.accepted("sendMessage", chat_id=chat_id)
    assert kept.params == {"chat_id": chat_id, "text": "x"}
    assert kept.result == message["message_id"]
    assert api.log.counts == {("sendMessage", "ok", 200): 1}

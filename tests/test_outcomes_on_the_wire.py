"""Each row of the table of errors, by our session and the test Bot API server: what becomes of
the message, of the account, and of what the server had of it.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from aiogram import Bot
from sqlalchemy import select

from bot.channels.telegram import telegram_bot
from scheduler import attempts
from scheduler.delivery import Delivery
from storage.database import Database
from storage.models import Account
from tests.botapi import (
    ApiError,
    BotApi,
    Disconnect,
    Garble,
    Hold,
    Refuse,
    blocked,
    broken,
    flood,
    refused,
)
from tests.botapi.errors import forbidden
from tests.botapi.faults import Action
from tests.fake_channel import Times
from tests.outbox_people import LANE, make_person, states
from tests.outbox_post import Rate, plain, put

TOKEN = f"{LANE}:TEST"
MOVED_TO = -1_007_000_000_001


@dataclass
class Post:
    """An outbox with a case's reply and a broadcast for one person, behind our own session."""

    db: Database
    server: BotApi
    times: Times
    delivery: Delivery
    chat_id: int
    bot: Bot

    async def send(self) -> tuple[dict[str, tuple[str, str | None]], str, int]:
        """Messages by their keys, and the account's state and chat, after one turn."""
        await self.delivery.turn()
        await self.delivery.settle()
        async with self.db.read() as tx:
            account = (await tx.execute(select(Account.state, Account.chat_id))).one()
        return await states(self.db), account.state, account.chat_id

    @property
    def accepted(self) -> int:
        return len(self.server.log.accepted("sendMessage"))


@pytest.fixture
async def server() -> AsyncIterator[BotApi]:
    server = BotApi()
    await server.start()
    yield server
    await server.stop()


async def make_post(db: Database, now: datetime, server: BotApi, url: str, token: str) -> Post:
    account = server.add_bot(TOKEN, "kinroom_bot")
    chat = server.add_user("Fang").open(account)
    await chat.start()
    times = Times(now)
    bot = telegram_bot(token, url)
    delivery = Delivery(
        db, {LANE: bot}, {LANE: Rate()}, plain, clock=times.clock, seconds=times.seconds
    )
    async with db.write() as tx:
        await make_person(tx, now, chat_id=chat.user.id)
    return Post(db, server, times, delivery, chat.user.id, bot)


@pytest.fixture
async def post(sqlite_db: Database, now: datetime, server: BotApi) -> AsyncIterator[Post]:
    made = await make_post(sqlite_db, now, server, server.url, TOKEN)
    yield made
    await made.bot.session.close()


async def queue(post: Post, template: str) -> None:
    async with post.db.write() as tx:
        await put(tx, 1, template, post.times.now, template=template)


NO_ANSWER = "no answer from the channel"
TROUBLE = "the channel has trouble"


@pytest.mark.parametrize(
    ("action", "state", "reason", "account"),
    [
        (blocked(), "failed", "blocked", "blocked"),
        (Refuse(forbidden("user is deactivated")), "failed", "gone", "gone"),
        (refused("chat not found"), "failed", "gone", "gone"),
        (refused("message is too long"), "failed", "refused: message is too long", "reachable"),
        (
            refused("can't parse entities: unsupported start tag"),
            "failed",
            "refused: can't parse entities: unsupported start tag",
            "reachable",
        ),
        (Refuse(ApiError(413, "Too Large")), "failed", "too large for the channel", "reachable"),
        (broken(), "queued", TROUBLE, "reachable"),
        (broken(502, "Bad Gateway"), "queued", TROUBLE, "reachable"),
        (Garble(), "queued", NO_ANSWER, "reachable"),
        (Disconnect(), "queued", NO_ANSWER, "reachable"),
        (flood(7), "queued", "slowed down by the channel", "reachable"),
    ],
    ids=lambda value: getattr(value, "error", value).__str__()[:30],
)
async def test_refused_or_put_off(
    post: Post, action: Action, state: str, reason: str, account: str
) -> None:
    await queue(post, "case_reply")
    post.server.faults.add(action, "sendMessage")
    messages, its_state, chat_id = await post.send()
    if state == "failed" and account != "reachable":
        # No other account is found: then it has failed.
        post.times.move(1)
        await post.send()
        messages, its_state, chat_id = await post.send()
    assert messages["case_reply"] == (state, reason)
    assert (its_state, chat_id, post.accepted) == (account, post.chat_id, 0)
    if state == "queued":
        post.times.move(600)
        messages, _, _ = await post.send()
        assert (messages["case_reply"][0], post.accepted) == ("sent", 1)


async def test_a_chat_that_moved(post: Post) -> None:
    await queue(post, "case_reply")
    moved = ApiError(400, "Bad Request: upgraded", migrate_to_chat_id=MOVED_TO)
    post.server.faults.add(Refuse(moved), "sendMessage")
    messages, state, chat_id = await post.send()
    assert messages["case_reply"][0] == "queued"
    assert (state, chat_id, post.accepted) == ("reachable", MOVED_TO, 0)


@pytest.mark.parametrize("template", ["case_reply", "broadcast"])
@pytest.mark.parametrize("after", [False, True])
async def test_reset_after_the_request(post: Post, template: str, *, after: bool) -> None:
    """Whether the server took it cannot be known: a reply goes again, a broadcast does not."""
    await queue(post, template)
    post.server.faults.add(Disconnect(after=after), "sendMessage")
    messages, state, _ = await post.send()
    again = template == "case_reply"
    assert messages[template] == ("queued" if again else "unknown", NO_ANSWER)
    assert state == "reachable"
    post.times.move(600)
    messages, _, _ = await post.send()
    assert messages[template][0] == ("sent" if again else "unknown")
    assert post.accepted == after + again


@pytest.mark.parametrize("template", ["case_reply", "broadcast"])
async def test_time_out(post: Post, template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await queue(post, template)
    monkeypatch.setattr(attempts, "REQUEST_TIMEOUT", 0.05)
    hold = Hold()
    post.server.faults.add(hold, "sendMessage")
    messages, _, _ = await post.send()
    assert messages[template] == ("queued" if template == "case_reply" else "unknown", NO_ANSWER)
    hold.gate.set()
    await asyncio.sleep(0)


@pytest.mark.parametrize("template", ["case_reply", "broadcast"])
async def test_reset_before_the_request(post: Post, template: str) -> None:
    """The kept connection has ended: nothing leaves by it, and nobody notices."""
    await queue(post, "first")
    assert (await post.send())[0]["first"][0] == "sent"
    await post.server.stop()
    await queue(post, template)
    messages, _, _ = await post.send()
    assert messages[template] == ("queued", "no connection to the channel")
    await post.server.start()
    post.times.move(600)
    messages, _, _ = await post.send()
    assert (messages[template][0], post.accepted) == ("sent", 2)


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("refused", "no connection to the channel"),
        ("name", "the channel's address was not found"),
        ("tls", "no secure connection to the channel"),
    ],
)
@pytest.mark.parametrize("template", ["case_reply", "broadcast"])
async def test_never_left(
    sqlite_db: Database,
    now: datetime,
    server: BotApi,
    where: str,
    reason: str,
    template: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It stays queued, a broadcast too: nothing is doubled by sending it later."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        urls = {
            "refused": f"http://127.0.0.1:{held.getsockname()[1]}",
            "name": "http://no-such-name.invalid",
            "tls": server.url.replace("http:", "https:"),
        }
        post = await make_post(sqlite_db, now, server, urls[where], TOKEN)
        if where == "name":

            async def unknown(*_: object, **__: object) -> object:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
        await queue(post, template)
        messages, state, _ = await post.send()
        assert messages[template] == ("queued", reason)
        assert (state, post.accepted) == ("reachable", 0)
        await post.bot.session.close()


async def test_a_wrong_token(sqlite_db: Database, now: datetime, server: BotApi) -> None:
    post = await make_post(sqlite_db, now, server, server.url, f"{LANE}:WRONG")
    await queue(post, "case_reply")
    messages, state, _ = await post.send()
    assert messages["case_reply"] == ("queued", "the channel refuses the bot's token")
    assert state == "reachable"
    post.times.now += timedelta(seconds=600)
    await post.send()
    assert len(post.server.log.of("sendMessage")) == 0
    await post.bot.session.close()

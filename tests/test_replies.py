"""Replies that a channel does not take: what goes out again, what waits, and what is given up."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import SendMessage
from aiohttp import ClientConnectorError
from aiohttp.client_reqrep import ConnectionKey
from sqlalchemy import select

from bot.metrics import Metrics
from bot.replies import Replies
from bot.speech import as_plain
from storage.database import Database
from storage.models import Intake
from storage.talk.intake import record_update
from tests.fake_channel import FakeSession, Gate, Times, fake_bot

CHAT = 7
ANY = SendMessage(chat_id=CHAT, text="?")


class Talk:
    """Replies through a fake channel, by a clock that is moved by hand."""

    def __init__(self, db: Database, now: datetime) -> None:
        self.db = db
        self.times = Times(now)
        self.bot, self.session = fake_bot(1)
        self.paused: list[float] = []
        self.replies = self.process()

    def process(self) -> Replies:
        bots, channels = {1: self.bot}, {1: "telegram"}
        return Replies(self.db, bots, Metrics(), channels, self.times.clock, pause=self._pause)

    async def _pause(self, seconds: float) -> None:
        self.paused.append(seconds)

    async def say(self, update_id: int, *texts: str) -> None:
        """The update is committed, and its replies are said as far as they can be."""
        methods = [SendMessage(chat_id=CHAT, text=text) for text in texts]
        async with self.db.write() as tx:
            await record_update(
                tx,
                bot_id=1,
                update_id=update_id,
                now=self.times.now,
                replies=[as_plain(method) for method in methods],
            )
        self.replies.speak(self.bot, CHAT, methods, (1, update_id))
        await self.replies.stop()

    async def later(self, seconds: float) -> None:
        """Time goes by, and the journal is looked through."""
        self.times.move(seconds)
        await self.replies.recover()
        await self.replies.stop()

    def heard(self) -> list[str]:
        return [text for _chat, text in self.session.texts()]

    async def journal(self) -> dict[int, list[str]]:
        """The texts that wait, by update."""
        async with self.db.read() as tx:
            rows = await tx.execute(
                select(Intake.update_id, Intake.replies).where(Intake.replies.is_not(None))
            )
            return {
                row.update_id: [
                    kept["fields"]["text"]
                    for kept in json.loads(
                        tx.vault.open("intake.replies", f"1/{row.update_id}", row.replies)
                    )
                ]
                for row in rows
            }


@pytest.fixture
async def talk(db: Database, now: datetime) -> Talk:
    return Talk(db, now)


def broken() -> TelegramServerError:
    return TelegramServerError(ANY, "Internal Server Error")


def slower(seconds: int) -> TelegramRetryAfter:
    return TelegramRetryAfter(ANY, "Flood control exceeded", seconds)


def no_connection() -> TelegramNetworkError:
    key: Any = ConnectionKey("api.telegram.org", 443, True, True, None, None, None)
    problem = TelegramNetworkError(ANY, "no connection")
    problem.__cause__ = ClientConnectorError(key, OSError("refused"))
    return problem


def refuse(session: FakeSession, text: str, error: Exception) -> None:
    session.always(lambda method: error if getattr(method, "text", "") == text else None)


async def test_what_is_out_does_not_go_out_again(talk: Talk) -> None:
    refuse(talk.session, "two", broken())
    await talk.say(1, "one", "two", "three")
    assert talk.heard() == ["one"]
    assert await talk.journal() == {1: ["two", "three"]}
    talk.session.always(lambda _method: None)
    await talk.later(60)
    assert talk.heard() == ["one", "two", "three"]
    assert await talk.journal() == {}


async def test_a_reply_that_never_goes_is_given_up(talk: Talk) -> None:
    refuse(talk.session, "two", broken())
    await talk.say(1, "one", "two", "three")
    await talk.later(60)
    assert talk.heard() == ["one", "three"]
    assert await talk.journal() == {}


async def test_while_the_channel_is_away_nothing_is_given_up(talk: Talk) -> None:
    talk.session.always(lambda _method: no_connection())
    await talk.say(1, "one", "two")
    for _ in range(5):
        await talk.later(60)
    assert await talk.journal() == {1: ["one", "two"]}
    talk.session.always(lambda _method: None)
    await talk.later(60)
    assert talk.heard() == ["one", "two"]


async def test_a_reply_that_is_refused_does_not_hold_up_the_rest(talk: Talk) -> None:
    refuse(talk.session, "one", TelegramBadRequest(ANY, "Bad Request: message is not modified"))
    await talk.say(1, "one", "two")
    assert talk.heard() == ["two"]
    assert await talk.journal() == {}
    assert talk.paused == []


async def test_a_short_wait_is_waited_for(talk: Talk) -> None:
    talk.session.say(CHAT, slower(60))
    await talk.say(1, "one")
    assert talk.paused == [60.0]
    assert talk.heard() == ["one"]


async def test_a_long_wait_is_respected_by_all_that_follows(talk: Talk) -> None:
    talk.session.say(CHAT, slower(90))
    await talk.say(1, "one", "two")
    assert talk.paused == []
    talk.times.move(30)
    await talk.say(2, "three")
    await talk.later(59)
    assert len(talk.session.tried) == 1
    assert await talk.journal() == {1: ["one", "two"], 2: ["three"]}
    await talk.later(1)
    assert talk.heard() == ["one", "two", "three"]
    assert await talk.journal() == {}


async def test_a_long_wait_outlives_the_process(talk: Talk) -> None:
    talk.session.say(CHAT, slower(600))
    await talk.say(1, "one")
    talk.replies = talk.process()
    await talk.replies.recover(everything=True)
    await talk.replies.stop()
    assert len(talk.session.tried) == 1
    await talk.later(600)
    assert talk.heard() == ["one"]


async def test_what_is_cut_short_goes_on_where_it_was(talk: Talk) -> None:
    gate = Gate()
    talk.session.say(CHAT, _taken, gate)
    async with talk.db.write() as tx:
        plain = [as_plain(SendMessage(chat_id=CHAT, text=text)) for text in ("one", "two")]
        await record_update(tx, bot_id=1, update_id=1, now=talk.times.now, replies=plain)
    await talk.replies.recover(everything=True)
    await gate.reached.wait()
    await talk.replies.stop(patience=0)
    assert await talk.journal() == {1: ["two"]}
    talk.replies = talk.process()
    await talk.replies.recover(everything=True)
    await talk.replies.stop()
    assert talk.heard() == ["one", "two"]
    assert await talk.journal() == {}


async def _taken() -> None:
    """As if nothing had been told."""


async def test_what_is_being_said_is_not_taken_over(talk: Talk) -> None:
    gate = Gate()
    talk.session.say(CHAT, gate)
    async with talk.db.write() as tx:
        plain = [as_plain(SendMessage(chat_id=CHAT, text="one"))]
        await record_update(tx, bot_id=1, update_id=1, now=talk.times.now, replies=plain)
    await talk.replies.recover(everything=True)
    await gate.reached.wait()
    talk.times.move(100)
    await talk.replies.recover()
    talk.times.move(100)
    other = talk.process()
    await other.recover()
    await other.stop()
    gate.open()
    await talk.replies.stop()
    assert talk.heard() == ["one"]


async def test_after_a_quarter_of_an_hour_it_is_of_no_use(talk: Talk) -> None:
    talk.session.always(lambda _method: no_connection())
    await talk.say(1, "one")
    await talk.later(timedelta(minutes=16).total_seconds())
    assert await talk.journal() == {}

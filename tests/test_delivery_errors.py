"""What a channel refuses or does not answer, and what delivery makes of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import aiohttp
import pytest
from aiogram import exceptions as said
from aiogram.methods import SendMessage

from scheduler.letters import Attached, Letter, Ready, Withheld
from storage.database import Database, Tx
from tests.outbox_people import LANE, WEB, make_person, states
from tests.outbox_post import METHOD, Post, put
from tests.test_outcomes import KEY, network


async def test_429_of_a_chat_holds_that_chat_only(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        for chat in (5, 6):
            await put(tx, await make_person(tx, now, chat_id=chat), str(chat), now)
    post = Post(db, now)
    post.channel.say(5, said.TelegramRetryAfter(METHOD, "Too Many Requests", 7))
    await post.round()
    assert post.channel.texts() == [(6, "case_reply 1")]
    post.times.move(6.9)
    await post.round()
    assert len(post.channel.taken) == 1
    post.times.move(0.1)
    await post.round()
    assert post.channel.texts()[1] == (5, "case_reply 1")  # throttling is not an attempt
    assert await states(db) == {"5": ("sent", None), "6": ("sent", None)}


async def test_429_of_the_bot_holds_the_lane_exactly(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        for number in range(6):
            await put(tx, await make_person(tx, now), str(number), now)
    post = Post(db, now, at_once=3)
    post.channel.always(lambda _m: said.TelegramRetryAfter(METHOD, "Too Many Requests", 7))
    await post.round(5)
    assert len(post.channel.tried) == 5
    post.channel.always(lambda _m: None)
    post.times.move(6.9)
    await post.round(2)
    assert len(post.channel.tried) == 5
    post.times.move(0.1)
    await post.round(2)
    assert len(post.channel.taken) == 6


async def test_wrong_token_stops_the_lane_and_keeps_the_rows(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        for number in range(2):
            await put(tx, await make_person(tx, now), str(number), now)
    post = Post(db, now, at_once=1)
    post.channel.always(lambda _m: said.TelegramUnauthorizedError(METHOD, "Unauthorized"))
    await post.round(3)
    assert len(post.channel.tried) == 1
    assert post.delivery.running() == []
    assert await states(db) == {
        "0": ("queued", "the channel refuses the bot's token"),
        "1": ("queued", None),
    }


async def test_refused_connection_is_repeated(db: Database, now: datetime) -> None:
    refused = network(aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "no")))
    async with db.write() as tx:
        await put(tx, await make_person(tx, now), "k", now, template="broadcast", priority=3)
    post = Post(db, now)
    post.channel.always(lambda _m: refused)
    await post.round(2)
    assert len(post.channel.tried) == 1
    assert await states(db) == {"k": ("queued", "no connection to the channel")}
    post.channel.always(lambda _m: None)
    post.times.move(0.5)
    await post.round()
    assert post.channel.texts()[0][1] == "broadcast 1"


@pytest.mark.parametrize(
    ("template", "after"),
    [("broadcast", ("unknown", "no answer from the channel")), ("checkin", ("sent", None))],
)
async def test_lost_answer_is_for_the_class_to_decide(
    db: Database, now: datetime, template: str, after: tuple[str, str | None]
) -> None:
    lost = said.TelegramNetworkError(METHOD, "Request timeout error")
    lost.__cause__ = TimeoutError()
    async with db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=5), "k", now, template=template)
    post = Post(db, now)
    post.channel.say(5, lost)
    await post.round()
    post.times.move(2)
    await post.round()
    assert await states(db) == {"k": after}


async def test_server_error_backs_off_refusal_ends(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=5), "again", now)
        await put(tx, await make_person(tx, now, chat_id=6), "never", now)
    post = Post(db, now)
    trouble = said.TelegramServerError(METHOD, "Internal Server Error")
    post.channel.say(5, trouble, trouble)
    post.channel.say(6, said.TelegramBadRequest(METHOD, "Bad Request: message is too long"))
    tries = []
    for _ in range(8):
        await post.round()
        tries.append(post.channel.tried.count(5))
        post.times.move(1)
    assert tries == [1, 1, 2, 2, 2, 2, 3, 3]
    assert await states(db) == {
        "again": ("sent", None),
        "never": ("failed", "refused: message is too long"),
    }


async def test_moved_chat_is_followed(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=-5), "k", now)
    post = Post(db, now)
    post.channel.say(-5, said.TelegramMigrateToChat(METHOD, "upgraded", -1005))
    await post.round(2)
    assert post.channel.texts() == [(-1005, "case_reply 1")]


async def test_parts_in_order_and_half_a_letter_is_unknown(db: Database, now: datetime) -> None:
    async def two(tx: Tx, batch: Sequence[Ready], /) -> Mapping[int, Letter | Withheld]:
        return {
            ready.message.id: Letter(
                [SendMessage(chat_id=chat, text=text) for chat, text in ((5, "one"), (6, "two"))]
            )
            for ready in batch
        }

    async with db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=5), "k", now, template="broadcast")
    post = Post(db, now, render=two)
    post.channel.say(6, said.TelegramServerError(METHOD, "Internal Server Error"))
    await post.round()
    assert await states(db) == {"k": ("unknown", "only in part: the channel has trouble")}


async def test_file_of_another_channel_is_brought_over(db: Database, now: datetime) -> None:
    def attached(file_id: str) -> Attached:
        return Attached(
            bot_id=WEB,
            file_id=file_id,
            file_name="voice.ogg",
            send=lambda file: SendMessage(chat_id=5, text=file.data.decode()),  # type: ignore[union-attr]
            instead=SendMessage(chat_id=5, text="it is gone"),
        )

    async def carry(tx: Tx, batch: Sequence[Ready], /) -> Mapping[int, Letter | Withheld]:
        return {batch[0].message.id: Letter([attached("here")])}

    async with db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=5), "k", now)
    post = Post(db, now, {LANE: 0.0, WEB: 0.0}, render=carry)
    await post.round()
    assert await states(db) == {"k": ("queued", "a file could not be fetched yet")}
    post.sessions[WEB].files["here"] = b"words"
    post.times.move(2)
    await post.round()
    assert post.channel.texts() == [(5, "words")]

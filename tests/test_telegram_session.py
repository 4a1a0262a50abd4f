"""Our session against aiogram's: the same errors; and what a connection may do to a request."""

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import TelegramAPIError, TelegramNetworkError
from aiogram.methods import SendChatAction, SendDocument, SendMessage, TelegramMethod
from aiogram.types import BufferedInputFile, Message
from pydantic import ValidationError

from bot.channels.telegram import telegram_bot
from scheduler.outcomes import Kind, NotSent, decide
from tests.botapi import (
    ApiError,
    BotApi,
    PrivateConversation,
    Refuse,
    blocked,
    broken,
    fixtures,
    flood,
    refused,
)
from tests.botapi.faults import Action

server, account, bot = fixtures.server, fixtures.account, fixtures.bot
fang, chat = fixtures.fang, fixtures.chat

TOKEN = fixtures.TOKEN
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
TAKEN = json.dumps(
    {
        "ok": True,
        "result": {
            "message_id": 7,
            "date": 1_795_000_000,
            "chat": {"id": 5, "type": "private", "first_name": "Fang"},
            "text": "平安？",
            "reply_markup": {"inline_keyboard": [[{"text": "平安", "callback_data": "ok"}]]},
        },
    }
).encode()
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(TAKEN) + TAKEN
QUESTION = SendMessage(chat_id=5, text="平安？")


@contextlib.asynccontextmanager
async def ours(url: str) -> AsyncIterator[Bot]:
    bot = telegram_bot(TOKEN, url)
    try:
        yield bot
    finally:
        await bot.session.close()


@pytest.mark.parametrize(
    "action",
    [
        blocked(),
        refused("chat not found"),
        refused("message is too long"),
        flood(7),
        broken(),
        broken(502, "Bad Gateway"),
        broken(500, "Internal Server Error: restart"),
        Refuse(ApiError(400, "Bad Request: upgraded", migrate_to_chat_id=-1007)),
        Refuse(ApiError(401, "Unauthorized")),
        Refuse(ApiError(404, "Not Found")),
        Refuse(ApiError(409, "Conflict: terminated by other")),
        Refuse(ApiError(413, "Request Entity Too Large")),
        Refuse(ApiError(418, "I'm a teapot")),
    ],
    ids=lambda action: action.error.description,
)
async def test_the_errors_are_aiograms(
    bot: Bot, server: BotApi, chat: PrivateConversation, action: Action
) -> None:
    assert type(bot.session) is AiohttpSession
    method = SendMessage(chat_id=chat.user.id, text="?")
    async with ours(server.url) as quick:
        raised: list[TelegramAPIError] = []
        for each in (bot, quick):
            server.faults.add(action, "sendMessage")
            with pytest.raises(TelegramAPIError) as error:
                await each(method)
            raised.append(error.value)
    theirs, mine = raised
    assert (type(mine), str(mine)) == (type(theirs), str(theirs))
    for also in ("retry_after", "migrate_to_chat_id", "method"):
        assert getattr(mine, also, None) == getattr(theirs, also, None)


async def test_the_message_is_whole_when_it_is_looked_at(
    bot: Bot, server: BotApi, chat: PrivateConversation
) -> None:
    async with ours(server.url) as quick:
        theirs = await bot.send_message(chat.user.id, "hello https://example.org")
        mine = await quick.send_message(chat.user.id, "hello https://example.org")
        assert isinstance(mine, Message)
        assert mine.bot is quick
        assert mine.message_id == theirs.message_id + 1
        for name in set(Message.model_fields) - {"message_id", "date"}:
            assert getattr(mine, name) == getattr(theirs, name), name
        assert mine.model_dump(exclude={"message_id", "date"}) == theirs.model_dump(
            exclude={"message_id", "date"}
        )
        assert not hasattr(mine, "a_field_of_next_year")
        edited = await mine.edit_text("bye")
        assert isinstance(edited, Message)
        assert edited.text == "bye"
        assert await quick.send_chat_action(chat.user.id, "typing") is True


# Scripted connections


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Scripted:
    """A server whose connections follow scripts, one after another; the last one repeats."""

    def __init__(self, scripts: list[Script]) -> None:
        self._scripts = scripts
        self.connections = 0
        self.requests: list[bytes] = []
        self._at_work: set[asyncio.Task[None]] = set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        self._at_work.add(asyncio.create_task(self._follow(script, reader, writer)))

    async def _follow(
        self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await script(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def end(self) -> None:
        for task in self._at_work:
            task.cancel()
        for problem in await asyncio.gather(*self._at_work, return_exceptions=True):
            assert problem is None or isinstance(problem, asyncio.CancelledError), problem

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        self.requests.append(head + await reader.readexactly(length))
        return self.requests[-1]


@contextlib.asynccontextmanager
async def scripted(*make: Callable[[Scripted], Script]) -> AsyncIterator[tuple[Scripted, Bot]]:
    told = Scripted([])
    told._scripts = [one(told) for one in make]
    listening = await asyncio.start_server(told.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        async with ours(f"http://127.0.0.1:{port}") as bot:
            yield told, bot
    finally:
        listening.close()
        await told.end()
        await listening.wait_closed()


def answering(*pieces: bytes, times: int = 10**6, reset: bool = False) -> Any:
    """Answers each request with these pieces, the loop at rest between them; then closes."""

    def make(told: Scripted) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _round in range(times):
                await told.request(reader)
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    for _ in range(3):
                        await asyncio.sleep(0)  # it is read meanwhile
            if reset:
                writer.transport.abort()

        return script

    return make


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


async def test_a_connection_that_ended_while_it_was_idle_is_not_asked() -> None:
    for closing in (answering(WHOLE, times=1), answering(WHOLE, times=1, reset=True)):
        async with scripted(closing) as (told, bot):
            for count in (1, 2, 3):
                assert (await bot(QUESTION)).message_id == 7
                for _ in range(9):
                    await asyncio.sleep(0)  # the end arrives
                assert told.connections == count


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        WHOLE[:-1],
        b"SSH-2.0-OpenSSH\r\n\r\n",
        HEAD + b"Content-Length: many\r\n\r\n",
        HEAD + b"Content-Length: 99999999999\r\n\r\n",
        CHUNKED + b"5\r\n{",
        CHUNKED + b"many\r\n",
        HEAD + b"Content-Length: 6\r\n\r\n<html>",
        HEAD + b"Content-Length: 2\r\n\r\n\xff\xfe",
        HEAD + b"Content-Length: 4\r\n\r\nnull",
        HEAD + b'Content-Length: 25\r\n\r\n{"ok":true,"result":true}',
        HEAD + b'Content-Length: 11\r\n\r\n{"ok": "?"}',
        HEAD + b"A: " + b"a" * (1 << 17),
    ],
)
async def test_what_came_after_the_request_is_lost(answer: bytes) -> None:
    async with scripted(answering(answer, times=1)) as (_told, bot):
        with pytest.raises(TelegramAPIError) as error:
            await bot(QUESTION)
        assert type(error.value) is TelegramNetworkError
        assert decide(error.value).kind is Kind.LOST
        assert TOKEN not in str(error.value)


async def test_reset_after_the_request() -> None:
    async with scripted(answering(b"", times=1, reset=True)) as (told, bot):
        with pytest.raises(TelegramNetworkError) as error:
            await bot(QUESTION)
        assert decide(error.value).kind is Kind.LOST
        assert len(told.requests) == 1  # it is not repeated by itself


async def test_no_answer_in_time() -> None:
    never = asyncio.Event()

    def silent(told: Scripted) -> Script:
        async def script(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await told.request(reader)
            await never.wait()

        return script

    async with scripted(silent) as (_told, bot):
        with pytest.raises(TelegramNetworkError, match="Request timeout error") as error:
            await bot(QUESTION, request_timeout=0.05)  # type: ignore[arg-type]  # seconds
        assert decide(error.value).kind is Kind.LOST
        never.set()


async def test_whoever_stops_waiting_leaves_no_answer_for_the_next() -> None:
    gate = asyncio.Event()

    def slow(told: Scripted) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await told.request(reader)
            gate.set()
            writer.write(WHOLE.replace(b'"message_id": 7', b'"message_id": 6'))
            await told.request(reader)

        return script

    async with scripted(slow, answering(WHOLE)) as (_told, bot):
        first = asyncio.create_task(bot(QUESTION))
        await gate.wait()
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        assert (await bot(QUESTION)).message_id == 7


# What never leaves


async def _not_sent(bot: Bot, method: TelegramMethod[Any] = QUESTION) -> str:
    with pytest.raises(TelegramNetworkError) as error:
        await bot(method)
    assert isinstance(error.value, NotSent)
    assert TOKEN not in str(error.value)
    decision = decide(error.value)
    assert decision.kind is Kind.UNSENT
    return decision.reason


async def test_nobody_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        async with ours(f"http://127.0.0.1:{held.getsockname()[1]}") as bot:
            assert await _not_sent(bot) == "no connection to the channel"


async def test_no_such_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    async with ours("http://no-such-name.invalid") as bot:
        assert await _not_sent(bot) == "the channel's address was not found"


async def test_no_tls_there(server: BotApi) -> None:
    async with ours(server.url.replace("http:", "https:")) as bot:
        assert await _not_sent(bot) == "no secure connection to the channel"
        assert isinstance((await _cause(bot)), ssl.SSLError)


async def _cause(bot: Bot) -> BaseException | None:
    with pytest.raises(NotSent) as error:
        await bot(QUESTION)
    return error.value.__cause__


async def test_a_file_goes_aiograms_way_beside_the_others(
    server: BotApi, chat: PrivateConversation
) -> None:
    async with ours(server.url) as bot:
        document = BufferedInputFile(b"?", "a.txt")
        held = asyncio.Event()
        first = asyncio.create_task(bot(SendChatAction(chat_id=chat.user.id, action="typing")))
        sent = await bot(SendDocument(chat_id=chat.user.id, document=document))
        held.set()
        assert await first is True
        assert sent.document is not None
        await bot.send_message(chat.user.id, "?")
    # Closed, it opens again when it is asked.
    async with ours(server.url) as bot:
        await bot.send_message(chat.user.id, "?")
        await bot.session.close()
        await bot.send_message(chat.user.id, "?")


async def test_a_message_that_is_none() -> None:
    odd = TAKEN.replace(b'"date": 1795000000', b'"date": "soon"')
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(odd) + odd
    async with scripted(answering(whole)) as (_told, bot):
        message = await bot(QUESTION)
        assert message.message_id == 7
        with pytest.raises(ValidationError):
            _ = message.date

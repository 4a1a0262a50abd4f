"""The Bot API server for tests, driven by a real aiogram Bot: calls, files, settings, control."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiogram import Bot, __api_version__, methods
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    MenuButtonCommands,
)

from tests.botapi import BotApi, PrivateConversation, fixtures, schema
from tests.botapi.account import BotAccount
from tests.botapi.fixtures import TOKEN, inline, raw_call
from tests.botapi.server import METHODS

pytestmark = pytest.mark.asyncio

server, account, bot = fixtures.server, fixtures.account, fixtures.bot
fang, chat = fixtures.fang, fixtures.chat

EMOJI = "👋"  # two UTF-16 units, four bytes


class TestCalls:
    async def test_get_me(self, bot: Bot) -> None:
        me = await bot.get_me()
        assert (me.id, me.username, me.is_bot) == (123456, "kinroom_bot", True)
        assert me.can_read_all_group_messages is False

    async def test_a_wrong_token_is_401(self, server: BotApi) -> None:
        session = AiohttpSession(api=TelegramAPIServer.from_base(server.url))
        stranger = Bot("999:WRONG", session=session)
        with pytest.raises(TelegramUnauthorizedError):
            await stranger.get_me()
        assert session._session is not None
        await session._session.close()

    async def test_an_unknown_method_is_404(self, server: BotApi, account: BotAccount) -> None:
        assert await raw_call(server, "sendMessages") == (
            404,
            {"ok": False, "error_code": 404, "description": "Not Found"},
        )

    async def test_a_methods_case_does_not_matter(
        self, server: BotApi, account: BotAccount
    ) -> None:
        status, _ = await raw_call(server, "GETME")
        assert status == 200

    async def test_a_method_without_behaviour_is_checked_and_then_501(
        self, bot: Bot, server: BotApi, chat: PrivateConversation
    ) -> None:
        _, answer = await raw_call(server, "sendDice", emoji="🎲")
        assert answer["description"] == "Bad Request: chat_id is empty"
        with pytest.raises(TelegramServerError, match="does not support sendDice"):
            await bot.send_dice(chat.user.id)

    async def test_the_schema_is_that_of_the_aiogram_in_use(self) -> None:
        assert schema.load()["version"] == __api_version__
        known = schema.load()["methods"]
        assert METHODS.keys() <= known.keys()
        for name in methods.__all__:
            method = getattr(methods, name)
            if getattr(method, "__api_method__", "") in known:
                # Deprecated parameters have left the schema, and this server refuses them.
                current = {
                    field
                    for field, info in method.model_fields.items()
                    if not (info.json_schema_extra or {}).get("deprecated")
                }
                missing = current - known[method.__api_method__].keys()
                assert not missing, (name, missing)

    @pytest.mark.parametrize(
        ("kind", "parts"),
        [
            ("Integer or String", ["Integer", "String"]),
            ("A or B or C", ["A", "B", "C"]),
            ("Array of A, B and C", ["Array of A, B and C"]),
        ],
    )
    async def test_kinds(self, kind: str, parts: list[str]) -> None:
        assert schema.alternatives(kind) == parts
        assert schema.element("Array of A, B and C") == "A or B or C"
        assert schema.element("Array of Array of A") == "Array of A"

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            ({}, "chat_id is empty"),
            ({"chat_id": 1}, "message text is empty"),
            ({"text": "x"}, "chat_id is empty"),
            ({"chat_id": 1, "text": "x"}, "chat not found"),
            ({"chat_id": "@nobody", "text": "x"}, "chat not found"),
            ({"chat_id": 1, "text": 5}, '"text" must be of type String'),
            ({"chat_id": [1], "text": "x"}, '"chat_id" must be of type'),
            ({"chat_id": 1, "text": "x", "colour": "red"}, 'unknown parameter "colour"'),
            ({"chat_id": 1, "text": "x", "reply_markup": "{"}, "can't parse reply keyboard markup"),
            ({"chat_id": 1, "text": "x", "reply_markup": {"a": 1}}, 'unknown field "a"'),
            (
                {"chat_id": 1, "text": "x", "reply_markup": {"inline_keyboard": [[{"text": 1}]]}},
                '"reply_markup.inline_keyboard.text" must be of type String',
            ),
            (
                {"chat_id": 1, "text": "x", "reply_markup": {"inline_keyboard": [[{}]]}},
                'can\'t find field "text" of InlineKeyboardButton',
            ),
            ({"chat_id": 1, "text": "x", "protect_content": "maybe"}, "must be of type Boolean"),
            ({"chat_id": 1, "text": "\ud800"}, "strings must be encoded in UTF-8"),
            ({"chat_id": 1, "text": " \n "}, "text must be non-empty"),
            ({"chat_id": 1, "text": "x", "parse_mode": "MarkdownV2"}, "does not support"),
            ({"chat_id": 1, "text": "x", "parse_mode": "XML"}, "unsupported parse_mode"),
        ],
    )
    async def test_bad_parameters_are_400(
        self, server: BotApi, account: BotAccount, body: dict[str, Any], text: str
    ) -> None:
        status, answer = await raw_call(server, "sendMessage", **body)
        assert (status, answer["error_code"]) == (400, 400)
        assert text in answer["description"]

    async def test_json_urlencoded_multipart_and_query_mean_the_same(
        self, server: BotApi, chat: PrivateConversation
    ) -> None:
        fields = {"chat_id": str(chat.user.id), "text": "你好", "protect_content": "true"}
        form = aiohttp.FormData(fields)
        multipart = aiohttp.FormData(fields, default_to_multipart=True)
        url = f"{server.url}/bot{TOKEN}/sendMessage"
        async with aiohttp.ClientSession() as session:
            for kwargs in (
                {"json": {**fields, "chat_id": chat.user.id, "protect_content": True}},
                {"data": form},
                {"data": multipart},
                {"params": fields},
            ):
                async with session.post(url, **kwargs) as response:
                    assert response.status == 200, await response.text()
        calls = server.log.accepted("sendMessage")
        assert len(calls) == 4
        assert all(call.params == calls[0].params for call in calls)

    async def test_only_loopback(self) -> None:
        with pytest.raises(ValueError, match="loopback"):
            BotApi(host="0.0.0.0")


class TestFiles:
    async def test_what_the_person_sends_can_be_downloaded(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        await chat.send_voice(b"OggS speech", duration=7)
        (update,) = await bot.get_updates()
        assert update.message is not None
        assert update.message.voice is not None
        assert update.message.voice.duration == 7
        file = await bot.get_file(update.message.voice.file_id)
        assert file.file_path is not None
        content = await bot.download_file(file.file_path)
        assert content is not None
        assert content.read() == b"OggS speech"

    async def test_a_file_may_be_sent_again_by_its_id(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        sent = await bot.send_document(chat.user.id, BufferedInputFile(b"a,b", "roster.csv"))
        assert sent.document is not None
        assert sent.document.file_name == "roster.csv"
        await bot.send_document(chat.user.id, sent.document.file_id)
        with pytest.raises(TelegramBadRequest, match="wrong file_id"):
            await bot.send_document(chat.user.id, "nonsense")
        with pytest.raises(TelegramBadRequest, match="wrong file_id"):
            await bot.get_file("nonsense")

    async def test_sizes(self, bot: Bot, chat: PrivateConversation) -> None:
        with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
            await bot.send_photo(chat.user.id, BufferedInputFile(b"text", "p.png"))
        for size in (50 * 1024 * 1024 + 1, 51 * 1024 * 1024):
            huge = BufferedInputFile(bytes(size), "huge.bin")
            with pytest.raises(TelegramEntityTooLarge):
                await bot.send_document(chat.user.id, huge)
        with pytest.raises(TelegramBadRequest, match="non-empty"):
            await bot.send_voice(chat.user.id, BufferedInputFile(b"", "v.ogg"))
        most = await chat.send_document(bytes(20 * 1024 * 1024))
        await bot.get_file(most.raw["document"]["file_id"])
        more = await chat.send_document(bytes(20 * 1024 * 1024 + 1))
        with pytest.raises(TelegramBadRequest, match="file is too big"):
            await bot.get_file(more.raw["document"]["file_id"])


class TestSettings:
    async def test_commands_by_language(self, bot: Bot) -> None:
        await bot.set_my_commands([BotCommand(command="start", description="Begin")])
        await bot.set_my_commands(
            [BotCommand(command="start", description="开始")], language_code="zh"
        )
        assert (await bot.get_my_commands(language_code="zh"))[0].description == "开始"
        assert (await bot.get_my_commands())[0].description == "Begin"
        assert await bot.get_my_commands(language_code="fr") == []
        with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_INVALID"):
            await bot.set_my_commands([BotCommand(command="Start", description="x")])
        with pytest.raises(TelegramBadRequest, match="invalid language code"):
            await bot.set_my_commands([], language_code="zh-hans")

    async def test_subtypes_are_told_apart_by_their_type(
        self, server: BotApi, account: BotAccount
    ) -> None:
        for scope, text in (
            ({"type": "village"}, "scope has unsupported type"),
            ({"type": "chat"}, 'can\'t find field "chat_id" of BotCommandScopeChat in scope'),
            ("all", "can't parse scope JSON object"),
        ):
            _, answer = await raw_call(server, "getMyCommands", scope=scope)
            assert answer["description"] == f"Bad Request: {text}"

    async def test_name_and_descriptions(self, bot: Bot) -> None:
        await bot.set_my_name("k" * 64)
        assert (await bot.get_my_name()).name == "k" * 64
        assert (await bot.get_my_name(language_code="zh")).name == "k" * 64
        await bot.set_my_description("d" * 512)
        await bot.set_my_short_description("s" * 120)
        for refused in (
            bot.set_my_name("k" * 65),
            bot.set_my_description("d" * 513),
            bot.set_my_short_description("s" * 121),
        ):
            with pytest.raises(TelegramBadRequest, match="TOO_LONG"):
                await refused

    async def test_menu_button(self, bot: Bot, chat: PrivateConversation) -> None:
        await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
        assert (await bot.get_chat_menu_button(chat_id=chat.user.id)).type == "commands"

    async def test_get_chat(self, bot: Bot, chat: PrivateConversation) -> None:
        found = await bot.get_chat(chat.user.id)
        assert (found.first_name, found.type) == ("Fang", "private")
        member = await bot.get_chat_member(chat.user.id, chat.user.id)
        assert member.status == "member"


class TestStandAlone:
    async def test_the_process_serves_until_it_is_interrupted(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.botapi", "--port", "0", "--token", TOKEN),
            cwd=Path(__file__).parent.parent,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
            (url,) = re.findall(r"http://127\.0\.0\.1:\d+", line)[:1]
            async with (
                aiohttp.ClientSession(url) as session,
                session.get(f"/bot{TOKEN}/getMe") as response,
            ):
                assert (await response.json())["result"]["id"] == 123456
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 0

    async def test_the_control_interface(
        self, server: BotApi, account: BotAccount, bot: Bot
    ) -> None:
        async with aiohttp.ClientSession(server.url) as session:

            async def control(action: str, **body: Any) -> dict[str, Any]:
                async with session.post(f"/control/{action}", json=body) as response:
                    answer: dict[str, Any] = json.loads(await response.text())
                    return answer

            user = (await control("users", first_name="Li"))["id"]
            message = await control("start", user=user, payload="abc")
            assert message["text"] == "/start abc"
            (update,) = await bot.get_updates()
            assert update.message is not None
            await update.message.answer("hi", reply_markup=inline(["ok"]))
            async with session.get(f"/control/messages?user={user}&after=1&wait=5") as response:
                shown = await response.json()
            assert [m["text"] for m in shown["messages"]] == ["hi"]
            tap = asyncio.create_task(control("tap", user=user, button="ok"))
            (update,) = await bot.get_updates(offset=update.update_id + 1, timeout=5)
            assert update.callback_query is not None
            await update.callback_query.answer("thanks")
            assert await tap == {"text": "thanks", "show_alert": False}
            assert "no such user" in (await control("write", user=1, text="x"))["error"]
            assert "start parameter" in (await control("start", user=user, payload="a b"))["error"]
            async with session.get("/control/log") as response:
                assert "sendMessage" in {call["method"] for call in await response.json()}

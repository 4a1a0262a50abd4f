"""Buttons: their limits, and what a tap on one does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
)
from aiogram.types import (
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from tests.botapi import BotApi, PrivateConversation, fixtures
from tests.botapi.fixtures import inline

pytestmark = pytest.mark.asyncio

server, account, bot = fixtures.server, fixtures.account, fixtures.bot
fang, chat = fixtures.fang, fixtures.chat

EMOJI = "👋"  # two UTF-16 units, four bytes


def one_button(**button: Any) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(**{"text": "x", **button})]])


class TestMarkup:
    async def test_callback_data_are_1_to_64_bytes(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        longest = "好" * 21 + "a"
        assert len(longest.encode()) == 64
        await bot.send_message(chat.user.id, "x", reply_markup=one_button(callback_data=longest))
        for data in ("a" * 65, "好" * 22, ""):
            with pytest.raises(TelegramBadRequest, match="BUTTON_DATA_INVALID"):
                await bot.send_message(
                    chat.user.id, "x", reply_markup=one_button(callback_data=data)
                )

    async def test_100_buttons_and_8_in_a_row(self, bot: Bot, chat: PrivateConversation) -> None:
        full = [["x"] * 8] * 12 + [["x"] * 4]
        await bot.send_message(chat.user.id, "x", reply_markup=inline(*full))
        for rows in ([*full, ["x"]], [["x"] * 9]):
            with pytest.raises(TelegramBadRequest, match="reply markup is too long"):
                await bot.send_message(chat.user.id, "x", reply_markup=inline(*rows))

    async def test_10_kilobytes(self, bot: Bot, chat: PrivateConversation) -> None:
        rows = [["好" * 21] for _ in range(80)]
        with pytest.raises(TelegramBadRequest, match="reply markup is too long"):
            await bot.send_message(chat.user.id, "x", reply_markup=inline(*rows))

    @pytest.mark.parametrize(
        ("button", "text"),
        [
            ({}, "Text buttons are unallowed"),
            ({"callback_data": "a", "url": "https://example.org"}, "exactly one action"),
            ({"text": " ", "callback_data": "a"}, "must be non-empty"),
            ({"url": "http://localhost:8080/"}, "Wrong HTTP URL"),
            ({"url": "ftp://example.org/"}, "Unsupported URL protocol"),
        ],
    )
    async def test_bad_inline_buttons(
        self, bot: Bot, chat: PrivateConversation, button: dict[str, str], text: str
    ) -> None:
        with pytest.raises(TelegramBadRequest, match=text):
            await bot.send_message(chat.user.id, "x", reply_markup=one_button(**button))

    async def test_a_reply_keyboard_is_shown_pressed_and_removed(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        markup = ReplyKeyboardMarkup(keyboard=[[KeyboardButton(text="报平安")]])
        sent = await bot.send_message(chat.user.id, "menu", reply_markup=markup)
        assert sent.reply_markup is None
        assert await chat.wait_for_keyboard() == [["报平安"]]
        await chat.write("报平安")
        await bot.send_message(chat.user.id, "plain", reply_markup=ReplyKeyboardRemove())
        assert chat.keyboard is None
        await bot.send_message(chat.user.id, "name?", reply_markup=ForceReply())
        with pytest.raises(TelegramBadRequest, match="message can't be edited"):
            await bot.edit_message_text(
                "other", chat_id=chat.user.id, message_id=chat.last.message_id
            )


class TestTaps:
    async def test_a_tap_returns_the_bots_answer(self, bot: Bot, chat: PrivateConversation) -> None:
        await bot.send_message(chat.user.id, "?", reply_markup=inline(["yes", "no"]))
        (question,) = await chat.heard()
        tap = asyncio.create_task(chat.tap(question, "yes"))
        (update,) = await bot.get_updates(timeout=5)
        query = update.callback_query
        assert query is not None
        assert (query.data, query.from_user.id) == ("yes", chat.user.id)
        assert query.chat_instance
        assert isinstance(query.message, Message)
        assert query.message.message_id == question.message_id
        await query.answer("noted", show_alert=True)
        answer = await tap
        assert (answer.text, answer.show_alert) == ("noted", True)

    async def test_an_answer_ends_at_200_units_and_is_given_once(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        await bot.send_message(chat.user.id, "?", reply_markup=inline(["yes"]))
        tap = chat.press(chat.last, "yes")
        with pytest.raises(TelegramBadRequest, match="MESSAGE_TOO_LONG"):
            await bot.answer_callback_query(tap.id, EMOJI * 100 + "a")
        await bot.answer_callback_query(tap.id, EMOJI * 100)
        assert (await tap.answered()).text == EMOJI * 100
        with pytest.raises(TelegramBadRequest, match="query is too old"):
            await bot.answer_callback_query(tap.id)

    async def test_an_old_or_unknown_query_is_refused(
        self, bot: Bot, server: BotApi, chat: PrivateConversation
    ) -> None:
        with pytest.raises(TelegramBadRequest, match="query ID is invalid"):
            await bot.answer_callback_query("123")
        await bot.send_message(chat.user.id, "?", reply_markup=inline(["yes"]))
        tap = chat.press(chat.last, "yes")
        server.callbacks.lifetime = -1
        with pytest.raises(TelegramBadRequest, match="query is too old"):
            await bot.answer_callback_query(tap.id)
        with pytest.raises(TimeoutError):
            await tap.answered(timeout=0)

    async def test_only_buttons_that_are_there_can_be_tapped_but_data_can_be_forged(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        sent = await bot.send_message(chat.user.id, "?", reply_markup=inline(["yes"]))
        with pytest.raises(LookupError, match="no button 'no'"):
            chat.press(chat.last, "no")
        chat.forge(chat.last, "erase:everyone")
        (update,) = await bot.get_updates()
        assert update.callback_query is not None
        assert update.callback_query.data == "erase:everyone"
        seen = chat.last
        await sent.delete()
        with pytest.raises(LookupError):
            chat.press(seen, "yes")

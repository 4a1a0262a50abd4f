"""What every channel promises the handlers about buttons, and about changing what was said."""

from typing import Any

import pytest
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import (
    BufferedInputFile,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from tests import every_channel
from tests.every_channel import PIXEL, Channel, Shown, buttons

place, channel = every_channel.place, every_channel.channel


def plain(markup: InlineKeyboardMarkup | None) -> dict[str, Any] | None:
    return markup.model_dump(exclude_none=True) if markup is not None else None


class TestButtons:
    async def test_they_stand_under_the_message(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("a", "b"))
        assert plain(sent.reply_markup) == plain(buttons("a", "b"))
        assert (await channel.shown())[-1].buttons == ["Button a", "Button b"]

    async def test_an_address_may_stand_on_one(self, channel: Channel) -> None:
        link = InlineKeyboardButton(text="Open", url="https://example.org/a?b=c")
        markup = InlineKeyboardMarkup(inline_keyboard=[[link]])
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=markup)
        assert plain(sent.reply_markup) == plain(markup)

    async def test_callback_data_has_64_bytes(self, channel: Channel) -> None:
        await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("好" * 21 + "a"))
        with pytest.raises(TelegramBadRequest, match="BUTTON_DATA_INVALID"):
            await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("好" * 22))

    async def test_a_tap_tells_the_message_and_its_buttons(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("yes"))
        query = (await channel.tap(sent, "yes")).callback_query
        assert query is not None
        assert (query.data, query.from_user.id) == ("yes", channel.chat_id)
        assert isinstance(query.message, Message)
        assert query.message.message_id == sent.message_id
        assert query.message.text == "?"
        assert plain(query.message.reply_markup) == plain(buttons("yes"))

    async def test_a_tap_is_answered_with_a_passing_word(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("yes"))
        update = await channel.tap(sent, "yes")
        assert await channel.toast(update, "Noted") == "Noted"

    async def test_an_answer_to_no_tap_is_refused(self, channel: Channel) -> None:
        with pytest.raises(TelegramBadRequest, match="query ID is invalid"):
            await channel.bot.answer_callback_query("12345", text="?")

    async def test_a_passing_word_has_200_units(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("yes"))
        query = (await channel.tap(sent, "yes")).callback_query
        assert query is not None
        with pytest.raises(TelegramBadRequest, match="MESSAGE_TOO_LONG"):
            await channel.bot.answer_callback_query(query.id, text="a" * 201)

    async def test_a_bar_of_choices_comes_and_goes(self, channel: Channel) -> None:
        keys = [
            [KeyboardButton(text="I'm fine"), KeyboardButton(text="Here", request_location=True)]
        ]
        bar = ReplyKeyboardMarkup(keyboard=keys)
        sent = await channel.bot.send_message(channel.chat_id, "Menu", reply_markup=bar)
        assert sent.reply_markup is None
        await channel.bot.send_message(channel.chat_id, "-", reply_markup=ReplyKeyboardRemove())
        await channel.bot.send_message(channel.chat_id, "Name?", reply_markup=ForceReply())
        assert [shown.text for shown in await channel.shown()] == ["Menu", "-", "Name?"]


class TestChanging:
    async def test_new_words_and_buttons_take_the_place_of_the_old(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("a"))
        changed = await channel.bot.edit_message_text(
            "!", chat_id=channel.chat_id, message_id=sent.message_id, reply_markup=buttons("b")
        )
        assert isinstance(changed, Message)
        assert (changed.message_id, changed.text) == (sent.message_id, "!")
        assert changed.edit_date is not None
        assert (await channel.shown())[-1] == Shown(sent.message_id, "!", ["Button b"])

    async def test_without_markup_the_buttons_go(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("a"))
        await sent.edit_text("Got it.")
        assert (await channel.shown())[-1] == Shown(sent.message_id, "Got it.", [])

    async def test_only_the_buttons_change(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("a"))
        await sent.edit_reply_markup(reply_markup=buttons("b"))
        assert (await channel.shown())[-1] == Shown(sent.message_id, "?", ["Button b"])
        await sent.edit_reply_markup(reply_markup=None)
        assert (await channel.shown())[-1].buttons == []

    async def test_no_change_is_refused(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "?", reply_markup=buttons("a"))
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await sent.edit_text("?", reply_markup=buttons("a"))
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await sent.edit_reply_markup(reply_markup=buttons("a"))

    async def test_what_is_not_there_is_refused(self, channel: Channel) -> None:
        with pytest.raises(TelegramBadRequest, match="message to edit not found"):
            await channel.bot.edit_message_text("?", chat_id=channel.chat_id, message_id=10**6)
        with pytest.raises(TelegramBadRequest, match="message to delete not found"):
            await channel.bot.delete_message(channel.chat_id, 10**6)

    async def test_what_the_person_said_is_theirs(self, channel: Channel) -> None:
        update = await channel.write("mine")
        assert update.message is not None
        with pytest.raises(TelegramBadRequest, match="message can't be edited"):
            await channel.bot.edit_message_text(
                "yours", chat_id=channel.chat_id, message_id=update.message.message_id
            )

    async def test_a_deleted_message_is_gone(self, channel: Channel) -> None:
        kept = await channel.bot.send_message(channel.chat_id, "kept")
        sent = await channel.bot.send_message(channel.chat_id, "?")
        assert await sent.delete()
        assert [shown.id for shown in await channel.shown()] == [kept.message_id]
        with pytest.raises(TelegramBadRequest, match="message to edit not found"):
            await sent.edit_text("!")
        with pytest.raises(TelegramBadRequest, match="message to delete not found"):
            await sent.delete()

    async def test_a_picture_has_a_caption_and_no_text(self, channel: Channel) -> None:
        photo = BufferedInputFile(PIXEL, "a.png")
        sent = await channel.bot.send_photo(channel.chat_id, photo, caption="one")
        with pytest.raises(TelegramBadRequest, match="there is no text in the message to edit"):
            await sent.edit_text("!")
        changed = await sent.edit_caption(caption="two")
        assert isinstance(changed, Message)
        assert changed.caption == "two"
        text = await channel.bot.send_message(channel.chat_id, "?")
        with pytest.raises(TelegramBadRequest, match="there is no caption in the message to edit"):
            await text.edit_caption(caption="!")

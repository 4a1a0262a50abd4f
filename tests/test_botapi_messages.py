"""Messages that a bot sends, changes and takes back: texts, limits, who may be written to."""

from __future__ import annotations

import math

import pytest
from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramServerError,
)
from aiogram.types import (
    BufferedInputFile,
    LinkPreviewOptions,
    Message,
    MessageEntity,
    ReactionTypeEmoji,
    ReplyParameters,
)

from tests.botapi import BotApi, PrivateConversation, User, fixtures
from tests.botapi.account import BotAccount
from tests.botapi.conversation import PIXEL
from tests.botapi.fixtures import inline

pytestmark = pytest.mark.asyncio

server, account, bot = fixtures.server, fixtures.account, fixtures.bot
fang, chat = fixtures.fang, fixtures.chat

EMOJI = "👋"  # two UTF-16 units, four bytes


class TestSending:
    async def test_a_message_comes_back_as_aiogram_reads_it_and_the_person_sees_it(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        sent = await bot.send_message(chat.user.id, "你好 👋", reply_markup=inline(["好"]))
        assert isinstance(sent, Message)
        assert (sent.text, sent.chat.type, sent.chat.id) == ("你好 👋", "private", chat.user.id)
        assert chat.user.id > 2**32
        assert sent.from_user is not None
        assert sent.from_user.is_bot
        (seen,) = await chat.heard()
        assert (seen.message_id, seen.text, seen.labels) == (sent.message_id, "你好 👋", ["好"])
        assert chat.last is seen

    @pytest.mark.parametrize("unit", ["a", "好", EMOJI])
    async def test_text_ends_at_4096_utf16_units(
        self, bot: Bot, chat: PrivateConversation, unit: str
    ) -> None:
        longest = unit * (4096 // (len(unit.encode("utf-16-le")) // 2))
        assert (await bot.send_message(chat.user.id, longest)).text == longest
        with pytest.raises(TelegramBadRequest, match="message is too long"):
            await bot.send_message(chat.user.id, longest + "a")

    async def test_text_is_counted_after_parsing(self, bot: Bot, chat: PrivateConversation) -> None:
        text = "<b>" + "&lt;" * 4096 + "</b>"
        sent = await bot.send_message(chat.user.id, text, parse_mode="HTML")
        assert sent.text == "<" * 4096
        with pytest.raises(TelegramBadRequest, match="message is too long"):
            await bot.send_message(chat.user.id, text + "x", parse_mode="HTML")

    async def test_caption_ends_at_1024_utf16_units(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        photo = BufferedInputFile(PIXEL, "p.png")
        sent = await bot.send_photo(chat.user.id, photo, caption=EMOJI * 512)
        assert sent.caption == EMOJI * 512
        with pytest.raises(TelegramBadRequest, match="caption is too long"):
            await bot.send_photo(chat.user.id, photo, caption=EMOJI * 512 + "a")

    async def test_entities_by_offset(self, bot: Bot, chat: PrivateConversation) -> None:
        bold = MessageEntity(type="bold", offset=3, length=2)
        sent = await bot.send_message(chat.user.id, f"{EMOJI} ab", entities=[bold])
        assert sent.entities is not None
        assert [(e.type, e.offset, e.length) for e in sent.entities] == [("bold", 3, 2)]
        assert sent.html_text == f"{EMOJI} <b>ab</b>"

    @pytest.mark.parametrize(
        ("offset", "length", "text"),
        [(0, 1, "middle"), (1, 1, "middle"), (0, 4, "after the end"), (-1, 1, "after the end")],
    )
    async def test_entities_must_lie_on_whole_characters_inside_the_text(
        self, bot: Bot, chat: PrivateConversation, offset: int, length: int, text: str
    ) -> None:
        entity = MessageEntity(type="bold", offset=offset, length=length)
        with pytest.raises(TelegramBadRequest, match=text):
            await bot.send_message(chat.user.id, f"{EMOJI}a", entities=[entity])

    async def test_text_is_trimmed_and_its_entities_move_along(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        sent = await bot.send_message(chat.user.id, "\n  a\r <b>b</b>  \n", parse_mode="HTML")
        assert sent.text == "a b"
        assert sent.entities is not None
        assert (sent.entities[0].offset, sent.entities[0].length) == (2, 1)

    async def test_a_reply_quotes_and_a_missing_message_is_refused(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        question = await chat.write("?")
        answer = await bot.send_message(
            chat.user.id, "!", reply_parameters=ReplyParameters(message_id=question.message_id)
        )
        assert answer.reply_to_message is not None
        assert answer.reply_to_message.text == "?"
        gone = ReplyParameters(message_id=999)
        with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
            await bot.send_message(chat.user.id, "!", reply_parameters=gone)
        gone = ReplyParameters(message_id=999, allow_sending_without_reply=True)
        await bot.send_message(chat.user.id, "!", reply_parameters=gone)

    async def test_who_can_be_written_to(
        self, bot: Bot, server: BotApi, account: BotAccount, fang: User
    ) -> None:
        chat = fang.open(account)
        with pytest.raises(TelegramBadRequest, match="chat not found"):
            await bot.send_message(fang.id, "x")
        server.add_group("family", fang).add(account)
        with pytest.raises(TelegramForbiddenError, match="can't initiate conversation"):
            await bot.send_message(fang.id, "x")
        await chat.start()
        await bot.send_message(fang.id, "x")
        await chat.block()
        with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
            await bot.send_message(fang.id, "x")
        await chat.unblock()
        await bot.send_message(fang.id, "x")
        fang.delete_account()
        with pytest.raises(TelegramForbiddenError, match="user is deactivated"):
            await bot.send_message(fang.id, "x")

    async def test_a_parameter_without_behaviour_is_501_not_ignored(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        with pytest.raises(TelegramServerError, match="message_effect_id"):
            await bot.send_message(chat.user.id, "x", message_effect_id="1")
        preview = LinkPreviewOptions(is_disabled=True)
        await bot.send_message(chat.user.id, "x", link_preview_options=preview)

    async def test_chat_action(self, bot: Bot, chat: PrivateConversation) -> None:
        assert await bot.send_chat_action(chat.user.id, "typing")
        assert chat.chat.actions == ["typing"]
        with pytest.raises(TelegramBadRequest, match="wrong parameter action"):
            await bot.send_chat_action(chat.user.id, "dancing")

    async def test_copy_and_forward(self, bot: Bot, chat: PrivateConversation) -> None:
        voice = await chat.send_voice()
        copied = await bot.copy_message(chat.user.id, chat.user.id, voice.message_id)
        assert chat.last.message_id == copied.message_id
        assert "voice" in chat.last.raw
        forwarded = await bot.forward_message(chat.user.id, chat.user.id, voice.message_id)
        assert forwarded.forward_origin is not None
        assert forwarded.forward_origin.type == "user"
        with pytest.raises(TelegramBadRequest, match="message to copy not found"):
            await bot.copy_message(chat.user.id, chat.user.id, 999)

    async def test_location(self, bot: Bot, chat: PrivateConversation) -> None:
        sent = await bot.send_location(chat.user.id, 23.1, 113.3)
        assert sent.location is not None
        assert sent.location.latitude == 23.1
        with pytest.raises(TelegramBadRequest, match="wrong location"):
            await bot.send_location(chat.user.id, 91, 0)
        with pytest.raises(TelegramBadRequest, match='"longitude" must be of type Float'):
            await bot.send_location(chat.user.id, 0, math.nan)


class TestEditing:
    async def test_an_edit_shows_and_an_edit_without_markup_takes_the_buttons(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        sent = await bot.send_message(chat.user.id, "one", reply_markup=inline(["a"]))
        (seen,) = await chat.heard()
        edited = await sent.edit_text("two", reply_markup=inline(["b"]))
        assert isinstance(edited, Message)
        assert (seen.text, seen.labels, seen.edited) == ("two", ["b"], True)
        await sent.edit_text("two")
        assert seen.labels == []

    async def test_an_edit_that_changes_nothing_is_refused(
        self, bot: Bot, chat: PrivateConversation
    ) -> None:
        sent = await bot.send_message(chat.user.id, "one", reply_markup=inline(["a"]))
        for edit in (
            sent.edit_text("one", reply_markup=inline(["a"])),
            sent.edit_reply_markup(reply_markup=inline(["a"])),
        ):
            with pytest.raises(TelegramBadRequest, match="specified new message content and"):
                await edit
        await sent.edit_reply_markup(reply_markup=inline(["b"]))
        await sent.edit_text("<b>one</b>", parse_mode="HTML", reply_markup=inline(["b"]))

    async def test_what_cannot_be_edited(self, bot: Bot, chat: PrivateConversation) -> None:
        theirs = await chat.write("mine")
        person = chat.user.id
        with pytest.raises(TelegramBadRequest, match="message to edit not found"):
            await bot.edit_message_text("x", chat_id=person, message_id=999)
        with pytest.raises(TelegramBadRequest, match="message can't be edited"):
            await bot.edit_message_text("x", chat_id=person, message_id=theirs.message_id)
        with pytest.raises(TelegramBadRequest, match="message identifier is not specified"):
            await bot.edit_message_text("x", chat_id=person)
        photo = await bot.send_photo(chat.user.id, BufferedInputFile(PIXEL, "p.png"))
        with pytest.raises(TelegramBadRequest, match="no text in the message to edit"):
            await photo.edit_text("x")
        await photo.edit_caption(caption="now")
        assert chat.last.text == "now"
        text = await bot.send_message(chat.user.id, "x")
        with pytest.raises(TelegramBadRequest, match="no caption in the message to edit"):
            await text.edit_caption(caption="x")

    async def test_delete(self, bot: Bot, chat: PrivateConversation) -> None:
        sent = await bot.send_message(chat.user.id, "x")
        await sent.delete()
        assert chat.messages[-1].message_id != sent.message_id
        with pytest.raises(TelegramBadRequest, match="message to delete not found"):
            await sent.delete()

    async def test_reaction(self, bot: Bot, chat: PrivateConversation) -> None:
        message = await chat.write("hi")
        emoji = ReactionTypeEmoji(emoji="👍")
        await bot.set_message_reaction(chat.user.id, message.message_id, [emoji])
        assert message.reactions[bot.id] == [{"type": "emoji", "emoji": "👍"}]
        with pytest.raises(TelegramBadRequest, match="REACTION_INVALID"):
            await bot.set_message_reaction(
                chat.user.id, message.message_id, [ReactionTypeEmoji(emoji="x")]
            )

"""What every channel promises the handlers about what is said, tried on each alike."""

import pytest
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import BotCommand, Message, MessageEntity, ReplyParameters

from bot.channels.telegram import telegram_bot
from tests import every_channel
from tests.every_channel import EMOJI, Channel, Shown

place, channel = every_channel.place, every_channel.channel


class TestSaying:
    async def test_a_message_comes_back_as_aiogram_reads_it(self, channel: Channel) -> None:
        sent = await channel.bot.send_message(channel.chat_id, "你好 👋")
        assert isinstance(sent, Message)
        assert (sent.text, sent.chat.id, sent.chat.type) == ("你好 👋", channel.chat_id, "private")
        assert sent.date.tzinfo is not None
        assert sent.from_user is not None
        assert sent.from_user.id == channel.bot.id == (await channel.bot.get_me()).id
        assert sent.bot is channel.bot
        assert (await channel.shown())[-1] == Shown(sent.message_id, "你好 👋", [])

    async def test_numbers_grow(self, channel: Channel) -> None:
        numbers = [
            (await channel.bot.send_message(channel.chat_id, "…")).message_id for _ in range(3)
        ]
        assert numbers == sorted(set(numbers))

    async def test_what_surrounds_a_text_is_trimmed_and_entities_move_along(
        self, channel: Channel
    ) -> None:
        bold = MessageEntity(type="bold", offset=3, length=4)
        sent = await channel.bot.send_message(channel.chat_id, "\n\n bold \n", entities=[bold])
        assert sent.text == "bold"
        assert [(e.type, e.offset, e.length) for e in sent.entities or ()] == [("bold", 0, 4)]

    @pytest.mark.parametrize("unit", ["a", "好", EMOJI])
    async def test_a_text_ends_at_4096_utf16_units(self, channel: Channel, unit: str) -> None:
        longest = unit * (4096 // (len(unit.encode("utf-16-le")) // 2))
        assert (await channel.bot.send_message(channel.chat_id, longest)).text == longest
        with pytest.raises(TelegramBadRequest, match="message is too long"):
            await channel.bot.send_message(channel.chat_id, longest + "a")

    @pytest.mark.parametrize("text", ["", "  \n "])
    async def test_an_empty_text_is_refused(self, channel: Channel, text: str) -> None:
        with pytest.raises(TelegramBadRequest, match="empty"):
            await channel.bot.send_message(channel.chat_id, text)

    async def test_an_unknown_chat_is_refused(self, channel: Channel) -> None:
        with pytest.raises(TelegramBadRequest, match="chat not found"):
            await channel.bot.send_message(4_000_000_000_000, "?")
        with pytest.raises(TelegramBadRequest, match="chat not found"):
            await channel.bot.edit_message_text("?", chat_id=4_000_000_000_000, message_id=1)

    async def test_an_answer_quotes_what_it_answers(self, channel: Channel) -> None:
        first = await channel.bot.send_message(channel.chat_id, "first")
        reply = ReplyParameters(message_id=first.message_id)
        sent = await channel.bot.send_message(channel.chat_id, "second", reply_parameters=reply)
        assert sent.reply_to_message is not None
        assert sent.reply_to_message.message_id == first.message_id
        assert sent.reply_to_message.text == "first"

    async def test_an_answer_to_nothing_is_refused_unless_that_is_allowed(
        self, channel: Channel
    ) -> None:
        gone = ReplyParameters(message_id=10**6)
        with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
            await channel.bot.send_message(channel.chat_id, "?", reply_parameters=gone)
        anyway = ReplyParameters(message_id=10**6, allow_sending_without_reply=True)
        sent = await channel.bot.send_message(channel.chat_id, "!", reply_parameters=anyway)
        assert sent.reply_to_message is None


class TestBesides:
    async def test_what_the_person_writes_arrives(self, channel: Channel) -> None:
        message = (await channel.write("平安 👋")).message
        assert message is not None
        assert (message.text, message.chat.id) == ("平安 👋", channel.chat_id)
        assert message.from_user is not None
        assert message.from_user.id == channel.chat_id
        assert not message.from_user.is_bot

    async def test_typing_is_seen(self, channel: Channel) -> None:
        await channel.bot.send_chat_action(channel.chat_id, "typing")
        assert await channel.saw_typing()

    async def test_commands_may_be_set(self, channel: Channel) -> None:
        commands = [BotCommand(command="menu", description="Menu")]
        assert await channel.bot.set_my_commands(commands) is True


def test_the_telegram_channel_is_aiograms_own_session() -> None:
    bot = telegram_bot("123456:TEST", "http://127.0.0.1:1")
    assert isinstance(bot.session, AiohttpSession)
    assert isinstance(bot.session.api, TelegramAPIServer)

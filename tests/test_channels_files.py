"""What every channel promises the handlers about files."""

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import BufferedInputFile

from tests import every_channel
from tests.every_channel import EMOJI, PIXEL, Channel, Shown, buttons

place, channel = every_channel.place, every_channel.channel


class TestFiles:
    async def test_a_picture_arrives_and_comes_back_whole(self, channel: Channel) -> None:
        photo = BufferedInputFile(PIXEL, "qr.png")
        sent = await channel.bot.send_photo(
            channel.chat_id, photo, caption="Scan me", reply_markup=buttons("a")
        )
        assert sent.caption == "Scan me"
        assert sent.photo is not None
        assert (sent.photo[-1].width, sent.photo[-1].height) == (1, 1)
        assert await _download(channel.bot, sent.photo[-1].file_id) == PIXEL
        assert (await channel.shown())[-1] == Shown(sent.message_id, "Scan me", ["Button a"])

    async def test_a_document_keeps_its_name(self, channel: Channel) -> None:
        document = BufferedInputFile(b"a,b\r\n1,2\r\n", "我的资料.csv")
        sent = await channel.bot.send_document(channel.chat_id, document)
        assert sent.document is not None
        assert sent.document.file_name == "我的资料.csv"
        assert sent.document.file_size == 10
        assert await _download(channel.bot, sent.document.file_id) == b"a,b\r\n1,2\r\n"

    async def test_a_voice_note_can_be_heard_and_sent_on(self, channel: Channel) -> None:
        update = await channel.upload(b"OggS and what was said")
        assert update.message is not None
        voice = update.message.voice
        assert voice is not None
        assert await _download(channel.bot, voice.file_id) == b"OggS and what was said"
        sent = await channel.bot.send_voice(channel.chat_id, voice.file_id, caption="From Fang")
        assert sent.voice is not None
        assert await _download(channel.bot, sent.voice.file_id) == b"OggS and what was said"

    async def test_a_file_nobody_has_is_refused(self, channel: Channel) -> None:
        with pytest.raises(TelegramBadRequest, match="file"):
            await channel.bot.get_file("no-such-file")
        with pytest.raises(TelegramBadRequest, match="file"):
            await channel.bot.send_document(channel.chat_id, "no-such-file")

    async def test_what_is_no_picture_is_refused(self, channel: Channel) -> None:
        with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
            await channel.bot.send_photo(channel.chat_id, BufferedInputFile(b"no", "a.png"))

    async def test_an_empty_file_is_refused(self, channel: Channel) -> None:
        with pytest.raises(TelegramBadRequest, match="file must be non-empty"):
            await channel.bot.send_document(channel.chat_id, BufferedInputFile(b"", "a.txt"))

    async def test_a_caption_has_1024_units(self, channel: Channel) -> None:
        photo = BufferedInputFile(PIXEL, "a.png")
        await channel.bot.send_photo(channel.chat_id, photo, caption=EMOJI * 512)
        with pytest.raises(TelegramBadRequest, match="caption is too long"):
            await channel.bot.send_photo(channel.chat_id, photo, caption=EMOJI * 512 + "a")


async def _download(bot: Bot, file_id: str) -> bytes:
    held = await bot.download(file_id)
    assert held is not None
    return held.read()

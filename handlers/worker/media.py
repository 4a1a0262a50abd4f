"""What a message carries besides words."""

from aiogram import F
from aiogram.types import Message

IS_MEDIA = F.voice | F.photo | F.video | F.video_note | F.audio | F.document
"""Anything that :func:`media_of` knows."""


def media_of(message: Message) -> tuple[str | None, str | None]:
    """The kind of media and its channel's ``file_id``: the largest size of a photo."""
    if message.voice is not None:
        return "voice", message.voice.file_id
    if message.photo:
        return "photo", message.photo[-1].file_id
    if message.video is not None:
        return "video", message.video.file_id
    if message.video_note is not None:
        return "video_note", message.video_note.file_id
    if message.audio is not None:
        return "audio", message.audio.file_id
    if message.document is not None:
        return "document", message.document.file_id
    return None, None

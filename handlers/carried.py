"""A voice, a picture or a file of a case, handed on to whoever answers it."""

from collections.abc import Callable
from typing import Any, Final

from aiogram.methods import (
    SendAudio,
    SendDocument,
    SendMessage,
    SendPhoto,
    SendVideo,
    SendVideoNote,
    SendVoice,
    TelegramMethod,
)
from aiogram.types import InputFile
from aiogram.utils.i18n import gettext as _

from scheduler.letters import Attached
from storage.claims import Address
from storage.contents import CaseWords

_AS_IT_CAME: Final[dict[str, tuple[Callable[..., TelegramMethod[Any]], str]]] = {
    "voice": (SendVoice, "voice"),
    "photo": (SendPhoto, "photo"),
    "video": (SendVideo, "video"),
    "video_note": (SendVideoNote, "video_note"),
    "audio": (SendAudio, "audio"),
    "document": (SendDocument, "document"),
}
# What every channel takes; anything else is handed on as a file.
_ANYWHERE: Final = ("voice", "photo")
_NAMES: Final = {
    "voice": "voice.ogg",
    "photo": "photo.jpg",
    "video": "video.mp4",
    "video_note": "video.mp4",
    "audio": "sound.mp3",
}


def media_parts(said: CaseWords, to: Address, *, silent: bool) -> list[Attached]:
    """The file of ``said``, as it came where it came through the same bot."""
    if said.media is None or said.file_id is None or said.bot_id is None:
        return []
    same = said.bot_id == to.bot_id
    kind = said.media if same or said.media in _ANYWHERE else "document"
    method, field = _AS_IT_CAME.get(kind, _AS_IT_CAME["document"])
    quiet = True if silent else None

    def send(file: InputFile | str) -> TelegramMethod[Any]:
        return method(chat_id=to.chat_id, disable_notification=quiet, **{field: file})

    lost = _("What they sent could not be brought over. Please ask them to write it.")
    return [
        Attached(
            bot_id=said.bot_id,
            file_id=said.file_id,
            file_name=_NAMES.get(said.media, "file"),
            send=send,
            instead=SendMessage(chat_id=to.chat_id, text=lost, disable_notification=quiet),
        )
    ]

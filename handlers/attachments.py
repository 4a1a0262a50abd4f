"""A voice, a picture or a file of a case, handed on to whoever answers it."""

from collections.abc import Callable
from dataclasses import dataclass
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
from aiogram.types import InlineKeyboardMarkup, InputFile
from aiogram.utils.i18n import gettext as _

from handlers.long_text import utf16_length
from scheduler.letters import Attached
from storage.outbox.claims import Address
from storage.outbox.contents import CaseWords

AS_IT_CAME: Final[dict[str, tuple[Callable[..., TelegramMethod[Any]], str]]] = {
    "voice": (SendVoice, "voice"),
    "photo": (SendPhoto, "photo"),
    "video": (SendVideo, "video"),
    "video_note": (SendVideoNote, "video_note"),
    "audio": (SendAudio, "audio"),
    "document": (SendDocument, "document"),
}
_LONGEST_CAPTION: Final = 1024
# What every channel takes; anything else is handed on as a file.
_ANYWHERE: Final = ("voice", "photo")
_NAMES: Final = {
    "voice": "voice.ogg",
    "photo": "photo.jpg",
    "video": "video.mp4",
    "video_note": "video.mp4",
    "audio": "sound.mp3",
}


@dataclass(frozen=True, slots=True)
class Carried:
    """The file's message; ``with_words``: the words and buttons are under it, in one bubble."""

    part: Attached
    with_words: bool


def carry(
    said: CaseWords, to: Address, words: str, markup: InlineKeyboardMarkup, *, silent: bool
) -> Carried | None:
    """The file of ``said``, as it came where it came through the same bot; None without one.

    ``words`` go under it where they fit, so that a reply to the voice is a reply to the case. A
    round video takes none.
    """
    if said.media is None or said.file_id is None or said.bot_id is None:
        return None
    as_it_came = said.bot_id == to.bot_id or said.media in _ANYWHERE
    method, field = AS_IT_CAME.get(said.media if as_it_came else "document", AS_IT_CAME["document"])
    with_words = method is not SendVideoNote and utf16_length(words) <= _LONGEST_CAPTION
    under: dict[str, Any] = {"disable_notification": True if silent else None}
    lost = _("What they sent could not be brought over. Please ask them to write it.")
    instead = SendMessage(chat_id=to.chat_id, text=lost, **under)
    if with_words:
        instead = SendMessage(
            chat_id=to.chat_id, text=f"{words}\n\n{lost}", reply_markup=markup, **under
        )
        under |= {"caption": words, "reply_markup": markup}

    def send(file: InputFile | str) -> TelegramMethod[Any]:
        return method(chat_id=to.chat_id, **under, **{field: file})

    part = Attached(
        bot_id=said.bot_id,
        file_id=said.file_id,
        file_name=_NAMES.get(said.media, "file"),
        send=send,
        instead=instead,
    )
    return Carried(part, with_words)

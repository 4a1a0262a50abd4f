"""Texts as Telegram keeps them: trimmed, counted in UTF-16 units, with plain entities."""

from typing import Any, Final

from aiogram.types import MessageEntity

MAX_TEXT: Final = 4096
MAX_CAPTION: Final = 1024
MAX_TOAST: Final = 200
_SHOWN: Final = {
    "bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre", "blockquote",
    "expandable_blockquote", "text_link",
}  # fmt: skip


class Unfit(Exception):
    """What was to be said does not fit; the text is Telegram's own description."""


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) + sum(char > "\uffff" for char in text)


def fit_text(
    text: str, entities: list[MessageEntity] | None, most: int, too_long: str
) -> dict[str, Any]:
    """``{"text", "entities"?}`` as the page shows it. Raises :class:`Unfit`.

    Entities the page does not show (mentions, commands, custom emoji) are left out: their words
    stay.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unfit("strings must be encoded in UTF-8") from None
    whole = units(text)
    bare = text.rstrip()
    lead = units(bare) - units(bare.lstrip())
    bare = bare.lstrip()
    size = units(bare)
    if size > most:
        raise Unfit(too_long)
    shown = []
    for entity in entities or ():
        end = entity.offset + entity.length
        if entity.offset < 0 or entity.length < 0 or end > whole:
            raise Unfit(
                f"entity beginning at UTF-16 offset {entity.offset} ends after the end of the "
                f"text at UTF-16 offset {whole}"
            )
        start, end = max(entity.offset - lead, 0), min(end - lead, size)
        if entity.type not in _SHOWN or end <= start:
            continue
        span: dict[str, Any] = {"type": str(entity.type), "offset": start, "length": end - start}
        if entity.type == "text_link":
            span["url"] = entity.url
        shown.append(span)
    return {"text": bare, "entities": shown} if shown else {"text": bare}

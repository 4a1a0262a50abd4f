"""Reply markup: from aiogram's objects to what the page shows, and back."""

from typing import Any, Final
from urllib.parse import urlsplit

from aiogram.types import (
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from bot.channels.web.texts import Unfit

MAX_DATA: Final = 64
MAX_BUTTONS: Final = 100
MAX_ROW: Final = 8

Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove | ForceReply


def fit_markup(markup: Markup | None) -> dict[str, Any]:
    """The part of a bubble's body that its buttons make. Raises :class:`Unfit`.

    ``inline``: rows of ``{text, data | url | copy, style?}``. ``keyboard``: ``{rows, once, hint}``
    with rows of ``{text, ask?}``, or ``False`` when it is taken away. ``force``: the hint shown
    while an answer is awaited.
    """
    if markup is None:
        return {}
    if isinstance(markup, ReplyKeyboardRemove):
        return {"keyboard": False}
    if isinstance(markup, ForceReply):
        return {"force": markup.input_field_placeholder or ""}
    if isinstance(markup, InlineKeyboardMarkup):
        inline = [[_inline(button) for button in row] for row in markup.inline_keyboard if row]
        _check_size(inline)
        return {"inline": inline} if inline else {}
    rows = [[_key(button) for button in row] for row in markup.keyboard if row]
    _check_size(rows)
    keyboard = {
        "rows": rows,
        "once": bool(markup.one_time_keyboard),
        "hint": markup.input_field_placeholder or "",
    }
    return {"keyboard": keyboard}


def inline_markup(body: dict[str, Any]) -> dict[str, Any] | None:
    """A body's inline buttons as ``reply_markup`` of the Bot API."""
    if "inline" not in body:
        return None
    names = {"data": "callback_data", "url": "url", "style": "style"}
    return {
        "inline_keyboard": [
            [
                {"text": button["text"]}
                | {api: button[ours] for ours, api in names.items() if ours in button}
                | ({"copy_text": {"text": button["copy"]}} if "copy" in button else {})
                for button in row
            ]
            for row in body["inline"]
        ]
    }


def holds_button(body: dict[str, Any], data: str) -> bool:
    """Whether a button with this callback data stands under the message now."""
    return any(button.get("data") == data for row in body.get("inline", ()) for button in row)


def _inline(button: InlineKeyboardButton) -> dict[str, Any]:
    shown: dict[str, Any] = {"text": _words(button.text)}
    if button.style:
        shown["style"] = button.style
    if button.callback_data is not None:
        if not 1 <= len(button.callback_data.encode()) <= MAX_DATA:
            raise Unfit("BUTTON_DATA_INVALID")
        return shown | {"data": button.callback_data}
    if button.url is not None:
        return shown | {"url": _address(button.url)}
    if button.copy_text is not None:
        return shown | {"copy": button.copy_text.text}
    if _extras(button, {"text", "style", "icon_custom_emoji_id"}):
        raise Unfit("this kind of inline button is not supported by the web chat")
    raise Unfit(
        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
    )


def _key(button: KeyboardButton) -> dict[str, Any]:
    shown: dict[str, Any] = {"text": _words(button.text)}
    if button.request_location:
        return shown | {"ask": "location"}
    if button.request_contact:
        return shown | {"ask": "contact"}
    if _extras(button, {"text", "style", "icon_custom_emoji_id"}):
        raise Unfit("this kind of keyboard button is not supported by the web chat")
    return shown


def _extras(button: InlineKeyboardButton | KeyboardButton, plain: set[str]) -> set[str]:
    return {name for name, value in button if value not in (None, False)} - plain


def _words(text: str) -> str:
    if not text.strip():
        raise Unfit("button text must be non-empty")
    return text.strip()


def _address(url: str) -> str:
    url = url.strip()
    bare = url if "://" in url or url.startswith("tel:") else f"https://{url}"
    parts = urlsplit(bare)
    if parts.scheme == "tel" and parts.path:
        return bare
    try:
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # javascript:…, read as a host with a port
        named = False
    if parts.scheme not in {"http", "https"} or not named or " " in bare:
        raise Unfit(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
    return bare


def _check_size(rows: list[list[dict[str, Any]]]) -> None:
    if sum(map(len, rows)) > MAX_BUTTONS or any(len(row) > MAX_ROW for row in rows):
        raise Unfit("reply markup is too long")

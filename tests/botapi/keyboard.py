"""Reply markup: what may stand under a message, or in place of the keyboard."""

from __future__ import annotations

import json
from typing import Any

from .errors import Json, bad_request
from .url import check_link

MAX_CALLBACK_DATA = 64  # bytes of UTF-8, at least 1
MAX_BUTTONS = 100
MAX_ROW = 8
MAX_BYTES = 10 * 1024

_ACTIONS = {
    "url", "callback_data", "web_app", "login_url", "switch_inline_query",
    "switch_inline_query_current_chat", "switch_inline_query_chosen_chat", "copy_text",
    "callback_game", "pay", "disabled",
}  # fmt: skip
_REQUESTS = {
    "request_users", "request_chat", "request_managed_bot", "request_contact",
    "request_location", "request_poll", "web_app",
}  # fmt: skip


def check_markup(markup: Json | None) -> None:
    """Raises ApiError 400 for what Telegram refuses.

    Also refused: a button without words, or with two actions, or a ninth one in a row,
    of which Telegram would drop one part silently.
    """
    if markup is None:
        return
    rows = markup.get("inline_keyboard", markup.get("keyboard"))
    if rows is None:
        return
    if sum(len(row) for row in rows) > MAX_BUTTONS or any(len(row) > MAX_ROW for row in rows):
        raise bad_request("reply markup is too long")
    if len(json.dumps(markup, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_BYTES:
        raise bad_request("reply markup is too long")
    for row in rows:
        for button in row:
            if not button["text"].strip():
                raise bad_request("button text must be non-empty")
            if "inline_keyboard" in markup:
                _check_inline(button)
            elif len(_REQUESTS & button.keys()) > 1:
                raise bad_request("keyboard button must have at most one request")


def _check_inline(button: Json) -> None:
    actions = _ACTIONS & button.keys()
    if not actions:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if len(actions) > 1:
        raise bad_request("inline keyboard button must have exactly one action")
    if "callback_data" in button:
        if not 1 <= len(button["callback_data"].encode()) <= MAX_CALLBACK_DATA:
            raise bad_request("BUTTON_DATA_INVALID")
    elif "url" in button:
        url = button["url"]
        try:
            button["url"] = check_link(url)
        except ValueError as problem:
            raise bad_request(f"inline keyboard button URL '{url}' is invalid: {problem}") from None


def inline_buttons(markup: Json | None) -> list[list[Json]]:
    """Rows of inline buttons; none for another kind of markup."""
    rows: list[list[Json]] = (markup or {}).get("inline_keyboard", [])
    return rows


def reply_buttons(markup: Json) -> list[list[str]] | None:
    """Rows of a reply keyboard's words, or None for another kind of markup."""
    rows: list[list[dict[str, Any]]] | None = markup.get("keyboard")
    return None if rows is None else [[button["text"] for button in row] for row in rows]

"""Joining: letters to one person that fall together leave as one message."""

from collections.abc import Sequence
from typing import Final

from aiogram.methods import SendMessage
from aiogram.types import InlineKeyboardMarkup

from scheduler.letters import Letter

JOINT: Final = "\n\n· · · · ·\n\n"
"""Stands between the texts that left as one; a tapped message with it is more than a question."""
_ORDER: Final = ("broadcast", "reminder", "rollcall", "checkin", "nudge", "nudge_again")
_MOST_BUTTONS: Final = 100


def place_of(template: str) -> int:
    """Where a text stands in a joined message: what is told first, what asks for a word last."""
    return _ORDER.index(template) if template in _ORDER else 0


def join(letters: Sequence[Letter]) -> Letter | None:
    """One letter of these, in their order, with all their buttons under it in the same order.

    What has buttons stands last: a tap finds its text by that. ``None`` when they have to go one
    by one: a letter of several parts or of something else than a text, more text than fits, or two
    buttons with the same words, which nobody could tell apart.
    """
    texts, rows = [], []
    for letter in sorted(letters, key=_has_buttons):
        (first, *more) = letter.parts
        if letter.joins <= 0 or more or type(first) is not SendMessage:
            return None
        if isinstance(first.reply_markup, InlineKeyboardMarkup):
            rows += first.reply_markup.inline_keyboard
        elif first.reply_markup is not None:
            return None
        texts.append(first)
    text = JOINT.join(one.text for one in texts)
    labels = [button.text for row in rows for button in row]
    most = min(letter.joins for letter in letters)
    if _length(text) > most or len(set(labels)) < len(labels) or len(labels) > _MOST_BUTTONS:
        return None
    markup = InlineKeyboardMarkup(inline_keyboard=rows) if rows else None
    whole = texts[-1].model_copy(update={"text": text, "reply_markup": markup})
    return Letter([whole], joins=most)


def _has_buttons(letter: Letter) -> bool:
    return getattr(letter.parts[-1], "reply_markup", None) is not None


def _length(text: str) -> int:
    """In UTF-16 units, as channels count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2

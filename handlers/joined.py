"""A tapped message that is several: what is done to one question leaves the others as they are."""

import re
from itertools import groupby
from typing import Final

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message

from scheduler.joining import JOINT

Rows = list[list[InlineKeyboardButton]]
_BELOW: Final = re.compile(r"[a-z]+\.([1-9])")


def without_question(
    shown: Message, data: str | None, text: str, markup: InlineKeyboardMarkup | None
) -> tuple[str, InlineKeyboardMarkup | None]:
    """The message with ``text`` in the place of the question that ``data`` answers.

    ``markup`` goes where its buttons were; without it, the text moves up before the questions that
    are still open. A message that is not joined becomes ``text`` and ``markup``.
    """
    parts, groups = (shown.text or "").split(JOINT), _groups(shown)
    keys = [key for key, _ in groups]
    below = _below(data)
    first = len(parts) - len(keys) - below
    if len(parts) < 2 or _key(data) not in keys or first < 0:
        return text, markup
    # What has buttons stands last, in the order of the buttons: what was answered in words, and
    # has none any more, moves up before it.
    parts[first:] = [*parts[len(parts) - below :], *parts[first : len(parts) - below]]
    first += below
    which = keys.index(_key(data))
    del parts[first + which]
    if markup is None:
        del groups[which]
        parts.insert(first, text)
    else:
        groups[which] = (keys[which], list(markup.inline_keyboard))
        parts.insert(first + which, text)
    return JOINT.join(parts), _keyboard(groups)


def without_buttons(shown: Message, data: str | None) -> InlineKeyboardMarkup | None:
    """What is left of the buttons without those of the question that ``data`` answers."""
    if JOINT not in (shown.text or ""):
        return None
    return _keyboard([group for group in _groups(shown) if group[0] != _key(data)])


def _key(data: str | None) -> str:
    """Of which question a button is: what its answer belongs to, and the number of that."""
    return ":".join((data or "").split(":")[:2])


def _below(data: str | None) -> int:
    """How many texts without buttons stand below the question's own."""
    found = _BELOW.fullmatch((data or "").rpartition(":")[2])
    return int(found[1]) if found else 0


def _groups(shown: Message) -> list[tuple[str, Rows]]:
    rows = shown.reply_markup.inline_keyboard if shown.reply_markup is not None else []
    return [
        (key, list(those))
        for key, those in groupby(rows, lambda row: _key(row[0].callback_data if row else None))
    ]


def _keyboard(groups: list[tuple[str, Rows]]) -> InlineKeyboardMarkup | None:
    rows = [row for _, those in groups for row in those]
    return InlineKeyboardMarkup(inline_keyboard=rows) if rows else None

"""Texts longer than a channel takes: split where a reader would pause, nothing left out."""

from typing import Final

_PAUSES: Final = ("\n\n", "\n", "。", "！", "？", ". ", "! ", "? ", "；", "，", ", ", " ")


def utf16_length(text: str) -> int:
    """Length as channels count it: UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_text(text: str, most: int) -> list[str]:
    """Pieces of at most ``most`` UTF-16 units, in order; an empty text stays one piece.

    Split after a paragraph, a line, a sentence or a word, in this order, unless that would leave
    a piece less than half full.
    """
    pieces: list[str] = []
    rest = text
    while utf16_length(rest) > most:
        cut = _fitting(rest, most)
        for pause in _PAUSES:
            at = rest.rfind(pause, 0, cut)
            if at >= cut // 2:
                cut = at + len(pause)
                break
        piece = rest[:cut].rstrip()
        if piece:
            pieces.append(piece)
        rest = rest[cut:].lstrip()
    if rest or not pieces:
        pieces.append(rest)
    return pieces


def cut_text(text: str, most: int) -> str:
    """The beginning of the text, at most ``most`` UTF-16 units, marked where it was cut."""
    if utf16_length(text) <= most:
        return text
    return f"{text[: _fitting(text, most - 1)].rstrip()}…"


def _fitting(text: str, most: int) -> int:
    """How many characters of ``text`` fit; never half of one, always at least one."""
    units = 0
    for number, sign in enumerate(text):
        units += 2 if ord(sign) > 0xFFFF else 1
        if units > most:
            return max(1, number)
    return len(text)

"""Message texts as Telegram keeps them: cleaned, counted in UTF-16 units, with entities."""

from __future__ import annotations

import re

from .errors import Json, bad_request

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_CALLBACK_ANSWER = 200

_FOUND = [
    (
        "bot_command",
        re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/<>])", re.ASCII),
    ),
    ("mention", re.compile(r"(?<!\w)@[A-Za-z0-9_]{2,32}(?!\w)")),
    ("hashtag", re.compile(r"(?<!\w)#(?=\w*[^\W\d_])\w{1,256}(?![\w#])")),
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII)),
    ("url", re.compile(r"(?<!\w)https?://[^\s<>\"«»]*[^\s<>\"«».,:;!?)\]]")),
]
_STYLES = {"bold", "italic", "underline", "strikethrough", "spoiler"}
_CLOSED = {"pre", "code"}
_ORDER = ["blockquote", "expandable_blockquote", "pre", "code", "text_link", "text_mention"]
_TYPES = {kind for kind, _ in _FOUND} | _STYLES | set(_ORDER) | {
    "cashtag", "phone_number", "custom_emoji", "date_time",
}  # fmt: skip


def units(text: str) -> int:
    """Length in UTF-16 code units, which is how Telegram counts."""
    return len(text) + sum(char > "\uffff" for char in text)


def cut(text: str, offset: int, length: int) -> str:
    """The part of `text` at `offset` for `length`, both in UTF-16 code units."""
    raw = text.encode("utf-16-le")
    return raw[2 * offset : 2 * (offset + length)].decode("utf-16-le")


def check_utf8(text: str) -> None:
    """Refuse lone surrogates, which cannot be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise bad_request("strings must be encoded in UTF-8") from None


def check_entities(text: str, given: list[Json]) -> list[Json]:
    """Entities as a bot passed them: whole characters inside `text`; empty ones are dropped."""
    if not given:
        return []
    ends = {0}
    at = 0
    for char in text:
        at += units(char)
        ends.add(at)
    kept = []
    for entity in given:
        offset, length = entity["offset"], entity["length"]
        if entity["type"] not in _TYPES:
            raise bad_request("can't parse MessageEntity: Unsupported type specified")
        if offset < 0 or length < 0 or offset + length > at:
            raise bad_request(
                f"entity beginning at UTF-16 offset {offset} ends after the end of the text "
                f"at UTF-16 offset {at}"
            )
        if offset not in ends:
            raise bad_request(f"entity begins in a middle of a UTF-16 symbol at offset {offset}")
        if offset + length not in ends:
            raise bad_request(
                f"entity beginning at UTF-16 offset {offset} ends in a middle of a UTF-16 symbol"
            )
        if length:
            kept.append(dict(entity))
    return kept


def clean(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Text without what Telegram strips, trimmed, and the entities moved along."""
    if not entities and not _STRIPPED.search(text):
        return text.rstrip().lstrip(" \n"), []
    kept: list[str] = []
    moved = [0]  # UTF-16 offset before -> after
    for char in text:
        shown = _shown(char)
        kept.append(shown)
        after = moved[-1] + units(shown)
        moved += [after] * units(char)
    text = "".join(kept)
    spans = [(moved[e["offset"]], moved[e["offset"] + e["length"]], e) for e in entities]

    bare = text.rstrip()
    first = min((start for start, _, _ in spans), default=units(bare))
    lead = min(units(bare) - units(bare.lstrip(" \n")), first)
    text = cut(bare, lead, units(bare) - lead)
    size = units(text)
    result = []
    for start, end, entity in spans:
        length = min(end - lead, size) - (start - lead)
        if length > 0:
            result.append({**entity, "offset": start - lead, "length": length})
    return text, arrange(result)


_STRIPPED = re.compile("[\x00-\x09\x0b-\x1f\u2028-\u202e]")


def _shown(char: str) -> str:
    if char == "\r" or "\u2028" <= char <= "\u202e":
        return ""
    return " " if char < " " and char != "\n" else char


def arrange(entities: list[Json]) -> list[Json]:
    """Sorted as Telegram returns them; touching styles joined, nothing inside code."""
    rank = {kind: number for number, kind in enumerate(_ORDER)}
    entities = sorted(
        entities, key=lambda e: (e["offset"], -e["length"], rank.get(e["type"], 50), e["type"])
    )
    joined: list[Json] = []
    closed: list[tuple[int, int]] = []
    for entity in entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if any(start < b and a < end for a, b in closed):
            continue
        if entity["type"] in _CLOSED:
            closed.append((start, end))
        before = _joinable(joined, entity)
        if before is None:
            joined.append(entity)
        else:
            before["length"] = max(before["length"], end - before["offset"])
    return joined


def _joinable(joined: list[Json], entity: Json) -> Json | None:
    if entity["type"] not in _STYLES:
        return None
    for other in reversed(joined):
        if other["type"] == entity["type"]:
            return other if entity["offset"] <= other["offset"] + other["length"] else None
    return None


def find(text: str, entities: list[Json]) -> list[Json]:
    """`entities` and those that Telegram finds by itself: commands, mentions, links."""
    taken = [
        (e["offset"], e["offset"] + e["length"])
        for e in entities
        if e["type"] in _CLOSED | {"text_link", "text_mention"}
    ]
    found = []
    for kind, pattern in _FOUND:
        for match in pattern.finditer(text):
            start = units(text[: match.start()])
            end = start + units(match.group())
            if not any(start < b and a < end for a, b in taken):
                taken.append((start, end))
                found.append({"type": kind, "offset": start, "length": end - start})
    return arrange([*entities, *found])

"""The HTML that a message may be written in: `parse_mode=HTML`.

Only the tags Telegram knows, each closed in order. Of the named entities only
`&lt; &gt; &amp; &quot;` are read; what is not understood stays as it is. Offsets in errors
are bytes of UTF-8, offsets in entities UTF-16 units. Tags for custom dates are not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import Json, bad_request
from .text import arrange, units
from .url import check_link

_TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline",
    "ins": "underline", "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
    "tg-spoiler": "spoiler", "span": "spoiler", "code": "code", "pre": "pre", "a": "text_link",
    "blockquote": "blockquote", "tg-emoji": "custom_emoji",
}  # fmt: skip
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([a-zA-Z]+));?")
_NAME = re.compile(r"[^\s>]*")
_ATTRIBUTE = re.compile(r"[^\s=>]*")
_SPACE = re.compile(r"\s*")
_TOKEN = re.compile(r"[A-Za-z0-9.-]*")
_USER_LINK = re.compile(r"tg://user\?id=(\d+)")


@dataclass
class _Open:
    tag: str
    attributes: dict[str, str]
    offset: int
    position: int  # of the tag's first character in the result, in characters


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Text and its entities. Raises ApiError 400 `can't parse entities: …`."""
    return _Parser(source).parse()


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.out: list[str] = []
        self.offset = 0
        self.open: list[_Open] = []
        self.entities: list[Json] = []

    def parse(self) -> tuple[str, list[Json]]:
        while self.at < len(self.source):
            char = self.source[self.at]
            if char == "<":
                begin = self.at
                self.at += 1
                if self.source.startswith("/", self.at):
                    self.at += 1
                    self._close(begin)
                else:
                    self._start(begin)
                continue
            self.out.append(piece := self._character())
            self.offset += units(piece)
        if self.open:
            tag = self.open[-1].tag
            raise _error(f'Can\'t find end tag corresponding to start tag "{tag}"')
        # A link's text may hold a surrogate pair written as two references.
        text = "".join(self.out)
        try:
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            raise _error(
                "Text contains invalid Unicode characters after decoding HTML entities, "
                "check for unmatched surrogate code units"
            ) from None
        for entity in self.entities:
            if entity["type"] == "code":
                entity.pop("language", None)
        return text, arrange(self.entities)

    def _character(self) -> str:
        match = _REFERENCE.match(self.source, self.at)
        decoded = _decode(match) if match else None
        if match is None or decoded is None:
            self.at += 1
            return self.source[self.at - 1]
        self.at = match.end()
        return decoded

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.source, self.at)
        assert match is not None  # every pattern here also matches nothing
        self.at = match.end()
        return match.group()

    def _byte(self, position: int) -> int:
        return len(self.source[:position].encode("utf-8", "surrogatepass"))

    def _start(self, begin: int) -> None:
        tag = self._take(_NAME).lower()
        unclosed = _error(f"Unclosed start tag at byte offset {self._byte(begin)}")
        if self.at == len(self.source):
            raise unclosed
        if tag not in _TAGS:
            raise _error(f'Unsupported start tag "{tag}" at byte offset {self._byte(begin)}')
        attributes = {}
        while True:
            self._take(_SPACE)
            if self.at == len(self.source):
                raise unclosed
            if self.source[self.at] == ">":
                self.at += 1
                break
            name, value = self._attribute(tag, begin)
            attributes[name] = value
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            where = self._byte(begin)
            raise _error(f'Tag "span" must have class "tg-spoiler" at byte offset {where}')
        self.open.append(_Open(tag, attributes, self.offset, len(self.out)))

    def _attribute(self, tag: str, begin: int) -> tuple[str, str]:
        where = f'the tag "{tag}" at byte offset {self._byte(begin)}'
        name = self._take(_ATTRIBUTE)
        if not name:
            raise _error(f"Empty attribute name in {where}")
        self._take(_SPACE)
        if not self.source.startswith("=", self.at):
            if tag == "blockquote" and name == "expandable":
                return name, ""
            raise _error(f"Expected equal sign in declaration of an attribute of {where}")
        self.at += 1
        self._take(_SPACE)
        quote = self.source[self.at : self.at + 1]
        if quote not in {"'", '"'}:
            token = self.at
            value = self._take(_TOKEN).lower()
            if self.at < len(self.source) and not re.match(r"[\s>]", self.source[self.at]):
                place = self._byte(token)
                raise _error(f"Unexpected end of name token at byte offset {place}")
            return name, value
        self.at += 1
        value = ""
        while self.at < len(self.source) and self.source[self.at] != quote:
            value += self._character()
        self.at = min(self.at + 1, len(self.source))
        return name, value

    def _close(self, begin: int) -> None:
        where = self._byte(begin)
        if not self.open:
            raise _error(f"Unexpected end tag at byte offset {where}")
        found = self._take(_NAME).lower()
        self._take(_SPACE)
        if not self.source.startswith(">", self.at):
            raise _error(f"Unclosed end tag at byte offset {where}")
        self.at += 1
        opened = self.open.pop()
        if found and found != opened.tag:
            raise _error(
                f"Unmatched end tag at byte offset {where}, "
                f'expected "</{opened.tag}>", found "</{found}>"'
            )
        if self.offset > opened.offset:
            self._add(opened)

    def _add(self, opened: _Open) -> None:
        entity: Json = {
            "type": _TAGS[opened.tag],
            "offset": opened.offset,
            "length": self.offset - opened.offset,
        }
        attributes = opened.attributes
        if opened.tag == "a":
            inside = "".join(self.out[opened.position :])
            if not _link(entity, attributes.get("href") or inside):
                return
        elif opened.tag == "tg-emoji":
            number = attributes.get("emoji-id", "")
            if not number.isdigit() or int(number) == 0:
                raise _error("Invalid custom emoji identifier specified")
            entity["custom_emoji_id"] = number
        elif opened.tag == "blockquote" and "expandable" in attributes:
            entity["type"] = "expandable_blockquote"
        elif opened.tag in {"pre", "code"}:
            language = attributes.get("class", "") if opened.tag == "code" else ""
            if language.startswith("language-") and language != "language-":
                entity["language"] = language.removeprefix("language-")
            if self._merge_code(entity):
                return
        self.entities.append(entity)

    def _merge_code(self, entity: Json) -> bool:
        """`<pre><code class="language-x">`, in either order, is one entity of type `pre`."""
        last = self.entities[-1] if self.entities else {"type": ""}
        if {last["type"], entity["type"]} != {"pre", "code"}:
            return False
        if (last["offset"], last["length"]) != (entity["offset"], entity["length"]):
            return False
        language = last.get("language") or entity.get("language")
        if not language:
            return False
        last.update(type="pre", language=language)
        return True


def _link(entity: Json, url: str) -> bool:
    if user := _USER_LINK.fullmatch(url):
        entity.update(type="text_mention", user_id=int(user.group(1)))
        return True
    try:
        entity["url"] = check_link(url)
    except ValueError:
        # Telegram leaves the words and drops the link.
        return False
    return True


def _decode(match: re.Match[str]) -> str | None:
    hexadecimal, decimal, name = match.groups()
    if name:
        return _NAMED.get(name)
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    too_long = match.end() - match.start() - match.group().endswith(";") >= 10
    return None if code == 0 or code >= 0x10FFFF or too_long else chr(code)


def _error(text: str) -> Exception:
    return bad_request(f"can't parse entities: {text}")

"""On which line of a TOML text each key and each element of a list stands.

The parser of the standard library says what a file holds and not where. This one says only where;
the text must be one that the parser accepted, so it need not know a mistake when it sees one.
"""

import json
import re
import tomllib
from bisect import bisect_right
from typing import Final

Path = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)+")
_SPACES = re.compile(r"[ \t]*")
_BASIC = re.compile(r'"(?:[^"\\]|\\.)*"')
_LITERAL = re.compile(r"'[^']*'")
# Up to two quotes may stand before the three that end it.
_LONG_BASIC = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL)
_PLAIN = re.compile(r"[^,\]}\n#]*")
_STRINGS: Final = (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL)


def find_lines(text: str) -> dict[Path, int]:
    """The line, from 1, of every table, key and element: ``("rule", 2, "nudges", 0)``.

    ``text`` is TOML that :mod:`tomllib` accepts; lines end with or without a carriage return.
    """
    scan = _Scan(text.replace("\r\n", "\n"))
    scan.document()
    return scan.lines


class _Scan:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}  # of tables in each array of tables
        self._newlines = [place for place, sign in enumerate(text) if sign == "\n"]

    def document(self) -> None:
        table: Path = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            line = self._line()
            if self.text.startswith("[[", self.at):
                array = self._within(self._key(2))
                table = (*array, self._counts.setdefault(array, 0))
                self._counts[array] += 1
                self.lines.setdefault(array, line)
                self.lines[table] = line
                self.at += 2
            elif self.text.startswith("[", self.at):
                table = self._table(self._key(1))
                self.lines.setdefault(table, line)
                self.at += 1
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _within(self, keys: list[str]) -> Path:
        """Where a new element of the array of tables goes."""
        return (*self._table(keys[:-1]), keys[-1])

    def _table(self, keys: list[str]) -> Path:
        """Keys of a header mean the newest table of each array on the way."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        line, path = self._line(), table
        for key in self._key(0):
            path = (*path, key)
            self.lines.setdefault(path, line)
        self.at += 1  # the equals sign
        self._skip(_SPACES)
        self._value(path)

    def _value(self, path: Path) -> None:
        sign = self.text[self.at]
        if sign == "[":
            self._list(path)
        elif sign == "{":
            self._inline(path)
        elif sign in "\"'":
            for pattern in _STRINGS:
                if self._skip(pattern):
                    return
        else:
            self._skip(_PLAIN)

    def _list(self, path: Path) -> None:
        place = 0
        self._next()
        while self.text[self.at] != "]":
            element = (*path, place)
            self.lines[element] = self._line()
            self._value(element)
            self._skip(_BLANK)
            if self.text[self.at] == ",":
                self._next()
            place += 1
        self.at += 1

    def _inline(self, path: Path) -> None:
        self._next()
        while self.text[self.at] != "}":
            self._pair(path)
            self._skip(_BLANK)
            if self.text[self.at] == ",":
                self._next()
        self.at += 1

    def _key(self, brackets: int) -> list[str]:
        """The parts of a dotted key, from here; stands on what follows it then."""
        self.at += brackets
        keys: list[str] = []
        while True:
            self._skip(_SPACES)
            keys.append(self._part())
            self._skip(_SPACES)
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _part(self) -> str:
        start = self.at
        for pattern in (_BARE_KEY, _BASIC, _LITERAL):
            if self._skip(pattern):
                break
        raw = self.text[start : self.at]
        if raw.startswith('"'):
            return str(tomllib.loads(f"key = {raw}")["key"])
        return raw[1:-1] if raw.startswith("'") else raw

    def _next(self) -> None:
        self.at += 1
        self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found is not None

    def _line(self) -> int:
        return bisect_right(self._newlines, self.at) + 1


def toml_string(text: str) -> str:
    """A text as TOML writes it, on one line."""
    # What JSON escapes TOML reads alike; but for one sign that TOML wants escaped too.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

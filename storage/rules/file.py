"""Rules and topics in a TOML file: read or refused as a whole, every problem with its line."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from storage.errors import Refused
from storage.reminders.reading import read_topic, topic_table
from storage.reminders.topics import TopicTerms
from storage.rules.reading import read_rule
from storage.rules.table import as_table
from storage.rules.terms import Terms
from storage.rules.toml_lines import Path, find_lines, toml_string
from storage.rules.words import on_one_line, suggest

LARGEST: Final = 1_000_000
"""Characters in a file; a thousand rules take a fifth of it."""

_AT = re.compile(r" \((?:at line ([0-9]+), column [0-9]+|at end of document)\)$")
_HEADS: Final = ("rule", "topic")
_AREA = re.compile(r"[^\s]{1,64}")
_PLACE = re.compile(r"\[[0-9]+\]$")


@dataclass(frozen=True, slots=True)
class FileProblem:
    """What is wrong, where. ``rule`` is its code or its number, "" for the whole file.

    ``what`` it is: ``rule`` or ``topic``.
    """

    line: int
    rule: str
    field: str
    reason: str
    what: str = "rule"

    def __str__(self) -> str:
        parts = [f"line {self.line}", f"{self.what} {self.rule}" if self.rule else "", self.field]
        return on_one_line(f"{', '.join(part for part in parts if part)}: {self.reason}")


@dataclass(frozen=True, slots=True)
class FileRule:
    """One rule of a file, for the area with this code. ``line`` is that of its header."""

    area: str
    terms: Terms
    line: int
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    def problem(self, name: str, reason: str) -> FileProblem:
        """What turns out to be wrong later, such as an area that does not exist."""
        line = self.lines.get(name, self.line)
        return FileProblem(line, self.terms.code, name, _sentence(reason))


@dataclass(frozen=True, slots=True)
class FileTopic:
    """One topic of a file. ``line`` is that of its header."""

    terms: TopicTerms
    line: int
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    def problem(self, name: str, reason: str) -> FileProblem:
        """What turns out to be wrong later, such as a rule that follows another date."""
        line = self.lines.get(name, self.line)
        return FileProblem(line, self.terms.code, name, _sentence(reason), "topic")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What a file holds, in its order."""

    rules: tuple[FileRule, ...] = ()
    topics: tuple[FileTopic, ...] = ()


def _sentence(reason: str) -> str:
    return reason if reason.endswith((".", "?")) else f"{reason}."


@dataclass(frozen=True, slots=True)
class Mention:
    """An ``area`` or a ``topic`` that a rule of a file names, right or wrong as the rule may be."""

    field: str
    code: str
    line: int
    rule: str

    def problem(self, reason: str) -> FileProblem:
        """That there is none."""
        return FileProblem(self.line, self.rule, self.field, _sentence(reason))


class BadRules(Refused):
    """A file that was refused, with everything that is wrong with it, in the order of lines.

    ``mentions`` are for who knows which areas and topics there are: to tell of them at once.
    """

    def __init__(self, problems: Iterable[FileProblem], mentions: Iterable[Mention] = ()) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line)
        self.mentions = tuple(mentions)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def read_rules(text: str, area: str | None = None) -> list[FileRule]:
    """The rules of a file, as :func:`read_set` reads them."""
    return list(read_set(text, area).rules)


def read_set(text: str, area: str | None = None) -> RuleSet:
    """The rules and topics of a file; ``area`` is for rules that name none.

    Raises :class:`BadRules`. Whether areas and topics exist is for who knows them to say.
    """
    table, lines = _parse(text.removeprefix("\ufeff"))
    problems: list[FileProblem] = []
    for key in table:
        if key not in _HEADS:
            hint = suggest(key, _HEADS)
            hint = hint or "a file holds [[rule]] and [[topic]] tables and nothing else."
            problems.append(FileProblem(lines[(key,)], "", key, f"there is no such key: {hint}"))
    rules: dict[tuple[str, str], FileRule] = {}
    mentions: list[Mention] = []
    for number, (one, where) in enumerate(_tables(table, lines, "rule", problems)):
        mentions += _mentions(one, number, where, area)
        rule, found = _read_one(one, number, where, area)
        problems += found
        if rule is not None:
            before = rules.setdefault((rule.area, rule.terms.code), rule)
            if before is not rule:
                reason = f"area {rule.area} has a rule of this code on line {before.line}."
                problems.append(rule.problem("code", reason))
    topics: dict[str, FileTopic] = {}
    for number, (one, where) in enumerate(_tables(table, lines, "topic", problems)):
        # Right or wrong, it is no topic that is missing.
        mentions = [it for it in mentions if (it.field, it.code) != ("topic", one.get("code"))]
        topic, found = _read_topic(one, number, where)
        problems += found
        if topic is not None:
            known = topics.setdefault(topic.terms.code, topic)
            if known is not topic:
                reason = f"there is a topic of this code on line {known.line}."
                problems.append(topic.problem("code", reason))
    if problems:
        raise BadRules(problems, mentions)
    return RuleSet(tuple(rules.values()), tuple(topics.values()))


def _tables(
    table: Mapping[str, Any], lines: Mapping[Path, int], head: str, problems: list[FileProblem]
) -> Iterator[tuple[dict[str, Any], dict[Path, int]]]:
    """The tables under one head, each with the lines of its keys."""
    given = table.get(head, [])
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        reason = f"head each {head} with [[{head}]]."
        problems.append(FileProblem(lines[(head,)], "", head, reason))
        return
    yield from zip(given, _by_number(lines, head, len(given)), strict=True)


def _by_number(lines: Mapping[Path, int], head: str, count: int) -> list[dict[Path, int]]:
    """For each table of a head the lines of its keys."""
    found: list[dict[Path, int]] = [{} for _ in range(count)]
    for path, line in lines.items():
        if len(path) > 1 and path[0] == head and isinstance(path[1], int) and path[1] < count:
            found[path[1]][path[2:]] = line
    return found


def _parse(text: str) -> tuple[dict[str, Any], dict[Path, int]]:
    if len(text) > LARGEST:
        reason = f"the file is too large: {len(text)} characters, and {LARGEST} are allowed."
        raise BadRules([FileProblem(1, "", "", reason)])
    try:
        return tomllib.loads(text), find_lines(text)
    except ValueError as problem:  # TOML's own, or a number of thousands of digits
        at = _AT.search(str(problem))
        line = int(at[1]) if at and at[1] else text.count("\n", 0, len(text.rstrip())) + 1
        reason = f"this is not TOML: {_AT.sub('', str(problem))}."
        raise BadRules([FileProblem(line, "", "", reason)]) from None
    except RecursionError:
        raise BadRules([FileProblem(1, "", "", "this is nested too deeply.")]) from None


def _read_one(
    one: dict[str, Any], number: int, where: Mapping[Path, int], area: str | None
) -> tuple[FileRule | None, list[FileProblem]]:
    told = _Told("rule", one, number, where)
    given = one.pop("area", area)
    if given is None:
        told.refuse("area", "this is missing: give an area's code.")
    elif not isinstance(given, str) or not _AREA.fullmatch(given):
        told.refuse("area", "give an area's code, in quotes.")
    terms, problems = read_rule(one)
    for problem in problems:
        told.refuse(problem.field, problem.reason)
    if terms is None or told.found:
        return None, told.found
    return FileRule(str(given), terms, told.head, told.lines), []


def _mentions(
    one: Mapping[str, Any], number: int, where: Mapping[Path, int], area: str | None
) -> Iterator[Mention]:
    told = _Told("rule", one, number, where)
    for name, code in (("area", one.get("area", area)), ("topic", one.get("topic"))):
        if isinstance(code, str) and _AREA.fullmatch(code):
            yield Mention(name, code, told.lines.get(name, told.head), told.name)


def _read_topic(
    one: dict[str, Any], number: int, where: Mapping[Path, int]
) -> tuple[FileTopic | None, list[FileProblem]]:
    told = _Told("topic", one, number, where)
    terms, problems = read_topic(one)
    for problem in problems:
        told.refuse(problem.field, problem.reason)
    return (None, told.found) if terms is None else (FileTopic(terms, told.head, told.lines), [])


class _Told:
    """What is wrong with one table of a file, each problem on the line of its key."""

    def __init__(
        self, what: str, one: Mapping[str, Any], number: int, where: Mapping[Path, int]
    ) -> None:
        code = one.get("code")
        self.what = what
        self.name = code if isinstance(code, str) and code else f"number {number + 1}"
        self.head = where[()]
        self.lines = {_name(path): line for path, line in where.items()}
        self.found: list[FileProblem] = []

    def refuse(self, key: str, reason: str) -> None:
        # A key that is missing stands where its table does: question.en at question, or the rule.
        whole = _PLACE.sub("", key)
        line = self.lines.get(key) or self.lines.get(whole) or self.lines.get(key.split(".")[0])
        self.found.append(FileProblem(line or self.head, self.name, whole, reason, self.what))


def _name(path: Path) -> str:
    """As a problem calls it: ``nudges[1]``, ``question.zh``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1:]


def as_toml(rules: Iterable[tuple[str, Terms]]) -> str:
    """The file of these rules, each with its area's code; :func:`read_rules` gives them back."""
    return "\n".join(_rule_toml(area, terms) for area, terms in rules)


def topics_as_toml(topics: Iterable[TopicTerms]) -> str:
    """The file of these topics; :func:`read_set` gives them back."""
    return "\n".join(_table_toml("topic", topic_table(terms)) for terms in topics)


def _rule_toml(area: str, terms: Terms) -> str:
    table = as_table(terms)
    return _table_toml("rule", {"code": table.pop("code"), "area": area, **table})


def _table_toml(head: str, table: Mapping[str, Any]) -> str:
    lines = [f"[[{head}]]"]
    for key, value in table.items():
        if isinstance(value, dict):
            lines += [f"{key}.{name} = {toml_string(text)}" for name, text in value.items()]
        else:
            lines.append(f"{key} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, date):
        return value.isoformat()
    return toml_string(value) if isinstance(value, str) else str(value)

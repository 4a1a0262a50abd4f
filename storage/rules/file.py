"""Rules in a TOML file: read as a whole or refused as a whole, every problem with its line."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from storage.errors import Refused
from storage.rules.reading import read_rule
from storage.rules.table import as_table
from storage.rules.terms import Terms
from storage.rules.toml_lines import Path, find_lines, toml_string
from storage.rules.words import suggest

LARGEST: Final = 1_000_000
"""Characters in a file; a thousand rules take a fifth of it."""

_AT = re.compile(r" \((?:at line ([0-9]+), column [0-9]+|at end of document)\)$")
_AREA = re.compile(r"[^\s]{1,64}")
_PLACE = re.compile(r"\[[0-9]+\]$")


@dataclass(frozen=True, slots=True)
class FileProblem:
    """What is wrong, where. ``rule`` is the rule's code or its number, "" for the whole file."""

    line: int
    rule: str
    field: str
    reason: str

    def __str__(self) -> str:
        parts = [f"line {self.line}", f"rule {self.rule}" if self.rule else "", self.field]
        return f"{', '.join(part for part in parts if part)}: {self.reason}"


@dataclass(frozen=True, slots=True)
class FileRule:
    """One rule of a file, for the area with this code. ``line`` is that of its header."""

    area: str
    terms: Terms
    line: int
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    def problem(self, name: str, reason: str) -> FileProblem:
        """What turns out to be wrong later, such as an area that does not exist."""
        return FileProblem(self.lines.get(name, self.line), self.terms.code, name, reason)


class BadRules(Refused):
    """A file that was refused, with everything that is wrong with it, in the order of lines."""

    def __init__(self, problems: Iterable[FileProblem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def read_rules(text: str, area: str | None = None) -> list[FileRule]:
    """The rules of a file, in its order; ``area`` is for rules that name none.

    Raises :class:`BadRules`. Whether areas and topics exist is for who knows them to say.
    """
    table, lines = _parse(text.removeprefix("\ufeff"))
    problems: list[FileProblem] = []
    for key in table:
        if key != "rule":
            hint = suggest(key, ["rule"]) or "a file holds [[rule]] tables and nothing else."
            problems.append(FileProblem(lines[(key,)], "", key, f"there is no such key: {hint}"))
    given = table.get("rule", [])
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        problems.append(FileProblem(lines[("rule",)], "", "rule", "head each rule with [[rule]]."))
        given = []
    rules: dict[tuple[str, str], FileRule] = {}
    for number, (one, where) in enumerate(zip(given, _by_rule(lines, len(given)), strict=True)):
        rule, found = _read_one(one, number, where, area)
        problems += found
        if rule is not None:
            before = rules.setdefault((rule.area, rule.terms.code), rule)
            if before is not rule:
                reason = f"area {rule.area} has a rule of this code on line {before.line}."
                problems.append(rule.problem("code", reason))
    if problems:
        raise BadRules(problems)
    return list(rules.values())


def _by_rule(lines: Mapping[Path, int], count: int) -> list[dict[Path, int]]:
    """For each rule the lines of its keys."""
    found: list[dict[Path, int]] = [{} for _ in range(count)]
    for path, line in lines.items():
        if len(path) > 1 and path[0] == "rule" and isinstance(path[1], int) and path[1] < count:
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
    code = one.get("code")
    name = code if isinstance(code, str) and code else f"number {number + 1}"
    head = where[()]
    lines = {_name(path): line for path, line in where.items()}
    found: list[FileProblem] = []

    def refuse(key: str, reason: str) -> None:
        # A key that is missing stands where its table does: question.en at question, or the rule.
        whole = _PLACE.sub("", key)
        line = lines.get(key) or lines.get(whole) or lines.get(key.split(".")[0])
        found.append(FileProblem(line or head, name, whole, reason))

    given = one.pop("area", area)
    if given is None:
        refuse("area", "this is missing: give an area's code.")
    elif not isinstance(given, str) or not _AREA.fullmatch(given):
        refuse("area", "give an area's code, in quotes.")
    terms, problems = read_rule(one)
    for problem in problems:
        refuse(problem.field, problem.reason)
    if terms is None or found:
        return None, found
    return FileRule(str(given), terms, head, lines), []


def _name(path: Path) -> str:
    """As a problem calls it: ``nudges[1]``, ``question.zh``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1:]


def as_toml(rules: Iterable[tuple[str, Terms]]) -> str:
    """The file of these rules, each with its area's code; :func:`read_rules` gives them back."""
    return "\n".join(_rule_toml(area, terms) for area, terms in rules)


def _rule_toml(area: str, terms: Terms) -> str:
    table = as_table(terms)
    lines = ["[[rule]]", f"code = {toml_string(table.pop('code'))}", f"area = {toml_string(area)}"]
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

"""Reading a topic from a table of plain values: either its terms, or everything that is wrong."""

from collections.abc import Mapping
from typing import Any, Final

from storage.reminders.topics import TopicTerms, check_topic
from storage.rules.terms import Problem
from storage.rules.words import shown, suggest

KEYS: Final = ("code", "name", "about", "asks")
"""What may stand in a topic."""


def read_topic(table: Mapping[str, object]) -> tuple[TopicTerms | None, list[Problem]]:
    """The terms, or None and everything that is wrong with them, each with its key."""
    problems: list[Problem] = []
    for key in table:
        if key not in KEYS:
            hint = suggest(key, KEYS)
            reason = f"there is no such key: {hint}" if hint else "there is no such key."
            problems.append(Problem(key, reason))
    code, asks = table.get("code"), table.get("asks")
    if code is None:
        problems.append(Problem("code", "this is missing."))
    for key, value in (("code", code), ("asks", asks)):
        if value is not None and not isinstance(value, str):
            problems.append(Problem(key, f"give a text in quotes, not {shown(value)}."))
    terms = TopicTerms(
        code if isinstance(code, str) else "?",
        _texts(table, "name", problems),
        _texts(table, "about", problems),
        asks if isinstance(asks, str) else None,
    )
    told = {problem.field.split(".")[0] for problem in problems}
    problems += [it for it in check_topic(terms) if it.field.split(".")[0] not in told]
    return (None, problems) if problems else (terms, [])


def _texts(table: Mapping[str, object], field: str, problems: list[Problem]) -> dict[str, str]:
    given = table.get(field, {})
    if not isinstance(given, Mapping):
        problems.append(Problem(field, f"write {field}.zh and {field}.en."))
        return {}
    found: dict[str, str] = {}
    for language, text in given.items():
        if isinstance(text, str):
            found[language] = text
        else:
            problems.append(
                Problem(f"{field}.{language}", f"give a text in quotes, not {shown(text)}.")
            )
    return found


def topic_table(terms: TopicTerms) -> dict[str, Any]:
    """Every key of the topic, as :func:`read_topic` reads it."""
    table: dict[str, Any] = {
        "code": terms.code,
        "name": dict(terms.names),
        "about": dict(terms.about),
    }
    return table if terms.asks is None else {**table, "asks": terms.asks}

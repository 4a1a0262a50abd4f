"""The form of a rule: what was typed becomes the table that every rule is read from."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from multidict import MultiDictProxy

from storage.rules.table import as_table
from storage.rules.terms import Terms

NTHS: Final = ("first", "second", "third", "fourth", "last")
_SCHEDULE: Final = ("every", "on", "around", "days", "lead", "date", "grace")
_LISTED: Final = ",，、 "


Form = MultiDictProxy[Any]
"""What a posted form is."""


def read_form(form: Form, kind: str, before: Terms | None) -> dict[str, Any]:
    """The table of a posted form; of an edited rule what ``before`` said is kept where told so."""
    table: dict[str, Any] = {"kind": kind, "code": before.code if before else _text(form, "code")}
    if kind == "reminder":
        table["topic"] = _text(form, "topic")
    table |= _schedule(form, kind, {} if before is None else as_table(before))
    table["at"] = _text(form, "at")
    table["between"] = [_text(form, "opens"), _text(form, "closes")]
    if kind == "checkin":
        table["window"] = _hours(_text(form, "window"))
        table["nudges"] = [_hours(each) for each in _split(_text(form, "nudges"))]
        table["then"] = _text(form, "then")
        if table["then"] != "none":
            told = _text(form, "supervisor")
            table["supervisor"] = _hours(told) if told else "never"
    texts = {language: _text(form, language) for language in ("zh", "en")}
    if any(texts.values()):
        table["question" if kind == "checkin" else "text"] = {
            language: text for language, text in texts.items() if text
        }
    for name in ("starts", "ends"):
        if given := _text(form, name):
            table[name] = given
    return table


def _schedule(form: Form, kind: str, before: Mapping[str, Any]) -> dict[str, Any]:
    repeat = _text(form, "repeat")
    if repeat == "keep" and before:
        return {key: before[key] for key in _SCHEDULE if key in before}
    if repeat == "weeks":
        return {"every": _count(form, "weeks", "week"), "on": _all(form, "weekday")}
    if repeat == "months":
        on = f"{_text(form, 'nth')} {_text(form, 'nth_weekday')}"
        return {"every": _count(form, "months", "month"), "on": [on]}
    if repeat == "monthdays":
        days = [_number(each) for each in _split(_text(form, "monthdays"))]
        return {"every": _count(form, "dates_months", "month"), "on": days}
    if repeat == "around":
        day = _text(form, "around_other") or _text(form, "around")
        return {"around": day, "days": _offsets(form, "around_days")}
    if repeat == "date" and kind == "reminder":
        table: dict[str, Any] = {"date": _text(form, "date"), "days": _offsets(form, "date_days")}
        if _text(form, "date_months"):
            table["every"] = _count(form, "date_months", "month")
        return table
    return {}


def first_values(kind: str) -> dict[str, Any]:
    """What a new form shows."""
    return {
        "repeat": "weeks", "code": "", "topic": "", "weeks": "1", "weekday": ["sunday"],
        "months": "1", "nth": "first", "nth_weekday": "sunday", "monthdays": "1",
        "dates_months": "1", "around": "spring-festival", "around_other": "", "around_days": "0",
        "date": "", "date_days": "-7", "date_months": "", "at": "10:00", "opens": "08:00",
        "closes": "21:00", "window": "72", "nudges": "24, 48", "then": "relative-first",
        "supervisor": "72", "zh": "", "en": "", "starts": "", "ends": "",
        "kind": kind,
    }  # fmt: skip


def values_of(terms: Terms) -> dict[str, Any]:
    """What the form of a kept rule shows: its schedule is kept unless another is chosen."""
    table = as_table(terms)
    shown = first_values(terms.kind) | {"repeat": "keep", "code": terms.code}
    shown |= {"at": table["at"], "opens": table["between"][0], "closes": table["between"][1]}
    for name in ("topic", "then"):
        shown[name] = table.get(name, shown[name])
    if terms.kind == "checkin":
        shown["window"] = table["window"].removesuffix("h")
        shown["nudges"] = ", ".join(each.removesuffix("h") for each in table["nudges"])
        told = table.get("supervisor", "never")
        shown["supervisor"] = "" if told == "never" else told.removesuffix("h")
    shown |= table.get("question", table.get("text", {}))
    for name in ("starts", "ends"):
        shown[name] = table[name].isoformat() if name in table else ""
    return shown


def typed_values(form: Form, kind: str) -> dict[str, Any]:
    """What the form shows again, as it was typed."""
    shown = first_values(kind)
    for name in shown.keys() - {"kind", "weekday"}:
        shown[name] = _text(form, name)
    shown["weekday"] = _all(form, "weekday")
    return shown


def field_of(problem_field: str, repeat: str) -> str:
    """The field of the form at which a problem is told."""
    name = problem_field.split("[")[0]
    if name in ("question", "text"):
        return "zh"
    if name in ("question.zh", "text.zh", "question.en", "text.en"):
        return name.split(".")[1]
    if name == "between":
        return "opens"
    if name == "on":
        chosen = {"months": "nth", "monthdays": "monthdays"}
        return chosen.get(repeat, "weekday" if repeat == "weeks" else "repeat")
    if name == "every":
        counts = {"weeks": "weeks", "months": "months", "monthdays": "dates_months"}
        return counts.get(repeat, "date_months" if repeat == "date" else "repeat")
    if name in ("days", "lead"):
        return "around_days" if repeat == "around" else "date_days"
    return name


def _text(form: Form, name: str) -> str:
    given = form.get(name, "")
    return given.strip().replace("\r\n", "\n") if isinstance(given, str) else ""


def _all(form: Form, name: str) -> list[str]:
    given: Sequence[Any] = form.getall(name, [])
    return [each for each in given if isinstance(each, str)]


def _split(text: str) -> list[str]:
    for mark in _LISTED:
        text = text.replace(mark, " ")
    return text.split()


def _number(text: str) -> object:
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= 6
    return int(text) if is_number else text


def _hours(text: str) -> str:
    return f"{text}h" if text.isdecimal() else text


def _count(form: Form, name: str, unit: str) -> str:
    return f"{_text(form, name)} {unit}s"


def _offsets(form: Form, name: str) -> list[object]:
    return [_number(each) for each in _split(_text(form, name))]

"""Rules as tables of plain values, to be read again by :mod:`storage.rules.reading`.

Every key is written, so that a stored rule means the same when a default changes. The text that a
column holds bears a version.
"""

import json
from datetime import date
from typing import Any, Final

from storage.calendar.personal_dates import Personal
from storage.calendar.recurrence import Around, MonthDays, MonthWeekdays, Weeks, When
from storage.rules.reading import read_rule
from storage.rules.terms import CheckinTerms, ReminderTerms, Terms
from storage.rules.words import between_words, every_words, on_words

VERSION: Final = 1


class BadRule(ValueError):
    """A stored rule that cannot be read: its message says why."""


def as_table(terms: Terms) -> dict[str, Any]:
    """Every key of the rule, as :func:`read_rule` reads it; values of JSON, and dates."""
    table: dict[str, Any] = {"code": terms.code, "kind": terms.kind}
    if isinstance(terms, ReminderTerms):
        table["topic"] = terms.topic
    table |= _when_table(terms.when, lead=isinstance(terms, ReminderTerms))
    table |= {"at": f"{terms.hours.at:%H:%M}", "between": between_words(terms.hours)}
    if isinstance(terms, CheckinTerms):
        table["window"] = f"{terms.window}h"
        table["nudges"] = [f"{nudge}h" for nudge in terms.nudges]
        table["then"] = terms.then
        if terms.then != "none":
            table["supervisor"] = "never" if terms.supervisor is None else f"{terms.supervisor}h"
    texts = terms.question if isinstance(terms, CheckinTerms) else terms.text
    if texts:
        table["question" if isinstance(terms, CheckinTerms) else "text"] = dict(texts)
    table |= {name: day for name, day in (("starts", terms.starts), ("ends", terms.ends)) if day}
    return table


def _when_table(when: When | Personal, *, lead: bool) -> dict[str, Any]:
    if isinstance(when, Weeks | MonthDays | MonthWeekdays):
        unit = "week" if isinstance(when, Weeks) else "month"
        return {"every": every_words(when.every, unit), "on": on_words(when)}
    days: dict[str, Any] = {"days": list(when.offsets)}
    if lead and all(offset <= 0 for offset in when.offsets):
        days = {"lead": [f"{-offset}d" for offset in when.offsets]}
    if isinstance(when, Around):
        return {"around": when.day, **days}
    every = {"every": every_words(when.months, "month")} if when.months else {}
    return {"date": when.date, **every, **days, "grace": f"{when.grace}d"}


def to_json(terms: Terms) -> str:
    """The text a column holds: versioned, and the same for the same terms."""
    table = {"version": VERSION, **as_table(terms)}
    return json.dumps(table, ensure_ascii=False, sort_keys=True, default=date.isoformat)


def from_json(text: str) -> Terms:
    """The terms of :func:`to_json`. Raises :class:`BadRule`."""
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise BadRule(f"This is not a stored rule: {problem}.") from None
    if not isinstance(table, dict) or table.pop("version", None) != VERSION:
        raise BadRule(f"This is not a stored rule of version {VERSION}.")
    terms, problems = read_rule(table, stored=True)
    if terms is None:
        raise BadRule("; ".join(str(problem) for problem in problems))
    return terms

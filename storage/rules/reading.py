"""Reading a rule from a table of plain values: either its terms, or everything that is wrong.

A file's ``[[rule]]``, the options of ``kinroom rule``, the fields of the console and the column all
hold the same keys; docs/rules.md shows them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from storage.calendar.personal_dates import Personal
from storage.calendar.recurrence import Around, Hours, MonthDays, MonthWeekdays, Weeks, When
from storage.rules.terms import (
    DAY,
    NEVER_COMES,
    NONE_GIVEN,
    THENS,
    CheckinTerms,
    Problem,
    ReminderTerms,
    Terms,
    check_terms,
)
from storage.rules.unkept import check_code, check_words
from storage.rules.words import (
    Miswritten,
    read_between,
    read_date,
    read_days,
    read_every,
    read_hours,
    read_list,
    read_nth_weekday,
    read_number,
    read_on,
    read_time,
    read_weekday,
    read_word,
    shown,
    suggest,
)

KINDS: Final = ("checkin", "reminder")
_ALWAYS: Final = (
    "code",
    "kind",
    "every",
    "on",
    "around",
    "days",
    "at",
    "between",
    "starts",
    "ends",
)
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "checkin": (*_ALWAYS, "question", "window", "nudges", "then", "supervisor"),
    "reminder": (*_ALWAYS, "topic", "date", "lead", "grace", "text"),
}
"""What may stand in a rule of each kind."""

T = TypeVar("T")
_LISTED: Final = re.compile(r"([a-z]+)\[([0-9]+)\]")
_SCHEDULE: Final = frozenset({"every", "on", "around", "days", "lead", "date", "grace"})
_NOT_BY_DATE: Final = (
    "dates of people's own are for reminders: a check-in goes by every and on, or by around."
)
_SOME_DAY: Final = Weeks(1, (6,))  # stands in for a schedule that cannot be read


class _Reading:
    """One table on its way to terms: problems are kept, and reading goes on."""

    def __init__(self, table: Mapping[str, object]) -> None:
        self.table = table
        self.problems: list[Problem] = []
        self.kept: dict[str, list[int]] = {}  # places in lists of the values that could be read

    def refuse(self, field: str, reason: str) -> None:
        self.problems.append(Problem(field, reason))

    def one(self, field: str, read: Callable[[object], T], default: T) -> T:
        if field not in self.table:
            return default
        try:
            return read(self.table[field])
        except ValueError as problem:
            self.refuse(field, str(problem))
            return default

    def needed(self, field: str, why: str = "this is missing.") -> str:
        if field not in self.table:
            self.refuse(field, why)
        return self.one(field, read_word, "")

    def many(self, field: str, read: Callable[[object], T]) -> tuple[T, ...]:
        found: list[T] = []
        kept = self.kept.setdefault(field, [])
        for place, value in enumerate(read_list(self.table.get(field, []))):
            try:
                found.append(read(value))
                kept.append(place)
            except ValueError as problem:
                self.refuse(f"{field}[{place}]", str(problem))
        return tuple(found)

    def texts(self, field: str) -> dict[str, str]:
        given = self.table.get(field, {})
        if not isinstance(given, Mapping):
            self.refuse(field, f"write {field}.zh and {field}.en.")
            return {}
        found: dict[str, str] = {}
        for language, text in given.items():
            if isinstance(text, str):
                found[language] = text
            else:
                self.refuse(f"{field}.{language}", f"give a text in quotes, not {shown(text)}.")
                found[language] = "?"
        return found


def read_rule(
    table: Mapping[str, object], *, stored: bool = False
) -> tuple[Terms | None, list[Problem]]:
    """The terms, or None and everything that is wrong with them.

    A problem's field is the key, with its place in a list (``nudges[1]``) or its language
    (``question.zh``) where that is what is wrong. What it is about is looked at when it is given,
    not when it is read back from where it is ``stored``.
    """
    reading = _Reading(table)
    kind = reading.needed("kind", f"this is missing: give {' or '.join(KINDS)}.")
    if kind not in KINDS:
        if not reading.problems:
            hint = suggest(kind, KINDS) or f"give {' or '.join(KINDS)}."
            reading.refuse("kind", f"{shown(kind)} is no kind of rule: {hint}")
        reading.needed("code")
        _check_keys(reading, KINDS)
        return None, reading.problems
    _check_keys(reading, (kind,))
    terms = _checkin(reading) if kind == "checkin" else _reminder(reading)
    _check_sense(reading, terms)
    if not stored:
        _check_subject(reading, terms)
    return (None, reading.problems) if reading.problems else (terms, [])


def _check_sense(reading: _Reading, terms: Terms) -> None:
    """What the terms cannot be, less what only stands in for a value that could not be read."""
    told = {problem.field for problem in reading.problems}
    lists = {field.split("[")[0] for field in told if "[" in field}
    for problem in check_terms(terms):
        listed = _LISTED.fullmatch(problem.field)
        field = listed[1] if listed else problem.field
        if field == "lead" and "lead" not in reading.table:
            field = "days"
        made_up = field in told or (terms.when is _SOME_DAY and field in _SCHEDULE)
        made_up |= field in lists and problem.reason.startswith(NONE_GIVEN)
        made_up |= bool(told) and problem.reason == NEVER_COMES
        if made_up:
            continue
        if listed:
            field = f"{field}[{reading.kept[field][int(listed[2])]}]"
        reading.refuse(field, problem.reason)


def _check_subject(reading: _Reading, terms: Terms) -> None:
    found = list(check_code("code", terms.code))
    if isinstance(terms, ReminderTerms):
        found += check_code("topic", terms.topic)
        found += check_code("date", terms.when.date) if isinstance(terms.when, Personal) else ()
        found += check_words("text", terms.text)
    else:
        found += check_words("question", terms.question)
    for field, reason in found:
        reading.refuse(field, reason)


def _check_keys(reading: _Reading, kinds: tuple[str, ...]) -> None:
    known = [key for kind in kinds for key in KEYS[kind]]
    for key in reading.table:
        other = next((kind for kind in KINDS if key in KEYS[kind]), None)
        if key in known:
            continue
        if key == "date":  # its own line: the lack of another schedule follows from it
            reading.refuse(key, _NOT_BY_DATE)
        elif other is not None:
            reading.refuse(key, f"this is for rules of kind {other}.")
        else:
            hint = suggest(key, known)
            reading.refuse(
                key, f"there is no such key: {hint}" if hint else "there is no such key."
            )


def _checkin(reading: _Reading) -> CheckinTerms:
    then = reading.one("then", _then, "relative-first")
    never = None if then == "none" else 72
    when = _when(reading)
    if isinstance(when, Personal):  # by a key that was refused: those are for reminders
        when = _SOME_DAY
    nudges = reading.many("nudges", read_hours) if "nudges" in reading.table else (24, 48)
    return CheckinTerms(
        code=reading.needed("code"),
        when=when,
        hours=_hours(reading),
        question=reading.texts("question"),
        window=reading.one("window", read_hours, 72),
        nudges=nudges,
        then=then,  # type: ignore[arg-type]  # one of THENS, or refused by check_terms
        supervisor=reading.one("supervisor", _supervisor, never),
        starts=reading.one("starts", read_date, None),
        ends=reading.one("ends", read_date, None),
    )


def _reminder(reading: _Reading) -> ReminderTerms:
    return ReminderTerms(
        code=reading.needed("code"),
        topic=reading.needed("topic"),
        when=_when(reading),
        hours=_hours(reading),
        text=reading.texts("text"),
        starts=reading.one("starts", read_date, None),
        ends=reading.one("ends", read_date, None),
    )


def _then(value: object) -> str:
    word = read_word(value)
    if word not in THENS:
        hint = suggest(word, THENS) or f"give one of {', '.join(THENS)}."
        raise Miswritten(f"{shown(word)} is not what can follow: {hint}")
    return word


def _supervisor(value: object) -> int | None:
    return None if value == "never" else read_hours(value)


def _hours(reading: _Reading) -> Hours:
    opens, closes = reading.one("between", read_between, (DAY.opens, DAY.closes))
    return Hours(reading.one("at", read_time, DAY.at), opens, closes)


def _when(reading: _Reading) -> When | Personal:
    table, own = reading.table, KEYS[str(reading.table["kind"])]
    by = [key for key in ("date", "around", "every") if key in table and key in own]
    if "date" in table and "date" not in own and not ("every" in by and "on" in table):
        return _SOME_DAY  # refused above, and what else is amiss follows from that
    if not by:
        choice = "every, around or date" if "date" in own else "every or around"
        reading.refuse("every", f"when is this due? Give {choice}.")
        return _SOME_DAY
    if "around" in by and len(by) > 1:
        other = next(key for key in by if key != "around")
        reading.refuse("around", f"give either this or {other}, not both.")
        return _SOME_DAY
    if by[0] == "every":
        return _by_every(reading)
    if "on" in table:
        reading.refuse("on", f"this goes with every, not with {by[0]}.")
    if "grace" in table and by[0] == "around" and "grace" in own:
        reading.refuse("grace", "this is for dates of people's own: it goes with date.")
    offsets = _offsets(reading)
    if by[0] == "around":
        return Around(reading.one("around", read_word, ""), offsets)
    months = reading.one("every", _months, 0)
    grace = reading.one("grace", read_days, 7)
    return Personal(reading.one("date", read_word, ""), offsets, months, grace)


def _offsets(reading: _Reading) -> tuple[int, ...]:
    by_lead = "lead" in reading.table and reading.table["kind"] == "reminder"
    if by_lead and "days" in reading.table:
        reading.refuse("lead", "give either this or days, not both.")
    if by_lead:
        return tuple(-days for days in reading.many("lead", _lead))
    return reading.many("days", read_number) if "days" in reading.table else (0,)


def _lead(value: object) -> int:
    days = read_days(value)
    if days < 0:
        raise Miswritten(f"{shown(value)} is after the day: use days = [{-days}] for that.")
    return days


def _months(value: object) -> int:
    count, unit = read_every(value)
    if unit != "month" or count < 1:
        raise Miswritten(f"after a date give months, as “6 months”, not {shown(value)}.")
    return count


def _by_every(reading: _Reading) -> When:
    for key in ("days", "lead", "grace"):
        if key in reading.table and key in KEYS[str(reading.table["kind"])]:
            reading.refuse(key, "this counts from a day: it goes with around or date.")
    count, unit = reading.one("every", read_every, (0, ""))
    if "on" not in reading.table:
        example = "[“sunday”]" if unit != "month" else "[“first sunday”] or [15]"
        reading.refuse("on", f"this is missing: give the days, as {example}.")
    if not unit:  # whichever it was to be: what is a day of none is told all the same
        reading.many("on", read_on)
    if not unit or "on" not in reading.table:
        return _SOME_DAY
    if unit == "week":
        return Weeks(count, reading.many("on", read_weekday))
    if any(isinstance(value, int) for value in read_list(reading.table["on"])):
        return MonthDays(count, reading.many("on", _month_day))
    return MonthWeekdays(count, reading.many("on", read_nth_weekday))


def _month_day(value: object) -> int:
    if isinstance(value, str):
        raise Miswritten("give either days of the month or weekdays, not both.")
    return read_number(value)

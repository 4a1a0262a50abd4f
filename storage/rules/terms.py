"""What a rule says: the terms of a check-in and of a reminder, and what terms cannot be.

Terms know nothing of areas, people or clocks: they are what a supervisor writes down, in a file
(:mod:`storage.rules.file`), on a command line or in the console, and what a column keeps.

Why the window is three days by default: nudges go out 24 h and 48 h after the question, the second
needs a day in which to answer it, and a period closes 72 h after its end, so that an answer inside
the window still counts in the period that is about to close.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import ClassVar, Final, Literal, get_args

from storage.calendar.almanac import YEARS, check_day
from storage.calendar.personal_dates import Personal
from storage.calendar.recurrence import (
    Around,
    Hours,
    MonthDays,
    MonthWeekdays,
    Timing,
    Weeks,
    When,
    planned_days,
)

LANGUAGES: Final = ("zh", "en")
"""A rule with words of its own has them in each of these."""

LONGEST_TEXT: Final = 3500
"""UTF-16 units: a message holds 4,096, and greeting, choices and a reason need room too."""

DAY: Final = Hours(time(10), time(8), time(21))
"""When anything may be sent: a rule may narrow it, not widen it. Only roll calls are urgent."""

NONE_GIVEN: Final = "give at least one"
NEVER_COMES: Final = "no day of this rule lies between its start and its end."

Then = Literal["none", "liaison", "relative-first"]
THENS: Final[tuple[Then, ...]] = get_args(Then)

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_SLUG: Final = 40
_LONGEST_HOURS: Final = 30 * 24
_MOST_NUDGES: Final = 5
_MOST_DAYS: Final = 12
_YEAR: Final = 366
_MOST_WEEKS, _MOST_MONTHS = 52, 60


@dataclass(frozen=True, slots=True)
class CheckinTerms:
    """A question that recurs. ``window`` and ``nudges`` are hours after it was delivered.

    ``then`` is what follows silence when the window has closed: nothing; a task for the liaison; or
    the agreed relative first, and the liaison if there is none or no word. ``supervisor`` is how
    many hours after the liaison the supervisor hears of it, None for never. An empty ``question``
    means the usual one.
    """

    code: str
    when: When
    hours: Hours = DAY
    question: Mapping[str, str] = field(default_factory=dict, hash=False)
    window: int = 72
    nudges: tuple[int, ...] = (24, 48)
    then: Then = "relative-first"
    supervisor: int | None = 72
    starts: date | None = None
    ends: date | None = None
    kind: ClassVar[Literal["checkin"]] = "checkin"


@dataclass(frozen=True, slots=True)
class ReminderTerms:
    """A message on a ``topic`` to those who subscribed to it; the topic's usual words if empty."""

    code: str
    topic: str
    when: When | Personal
    hours: Hours = DAY
    text: Mapping[str, str] = field(default_factory=dict, hash=False)
    starts: date | None = None
    ends: date | None = None
    kind: ClassVar[Literal["reminder"]] = "reminder"


Terms = CheckinTerms | ReminderTerms


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field, as a file calls it: ``question.zh``, ``nudges[1]``."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


def timing_of(terms: Terms, since: date) -> Timing:
    """The arithmetic of checked terms; ``since`` is the local day the rule was made.

    Weeks and months are counted from ``terms.starts``, or else from ``since``. Raises TypeError for
    a reminder of personal dates, which has no days of its own
    (:mod:`storage.calendar.personal_dates`).
    """
    if isinstance(terms.when, Personal):
        raise TypeError(f"rule {terms.code} follows each person's own date")
    return Timing(terms.when, terms.starts or since, terms.ends, terms.hours)


def check_terms(terms: Terms) -> list[Problem]:
    """Everything that is wrong with ``terms``; empty when nothing is."""
    found = [Problem(name, reason) for name, reason in _problems(terms)]
    if not found and not _ever_comes(terms):
        found.append(Problem("ends", NEVER_COMES))
    return found


def _ever_comes(terms: Terms) -> bool:
    if isinstance(terms.when, Personal) or terms.starts is None:
        return True
    return next(planned_days(timing_of(terms, terms.starts), terms.starts), None) is not None


def _problems(terms: Terms) -> Iterator[tuple[str, str]]:
    yield from check_slug("code", terms.code)
    yield from _when(terms.when, "lead" if isinstance(terms, ReminderTerms) else "days")
    yield from _hours(terms.hours)
    if isinstance(terms, CheckinTerms):
        yield from check_texts("question", terms.question)
        yield from _window(terms)
        yield from _silence(terms)
    else:
        yield from check_slug("topic", terms.topic)
        yield from check_texts("text", terms.text)
    yield from _span(terms)


def check_slug(name: str, value: str) -> Iterator[tuple[str, str]]:
    if not _SLUG.fullmatch(value):
        yield name, "use small letters, digits and single dashes, such as weekly-sunday."
    elif len(value) > _LONGEST_SLUG:
        yield name, f"use at most {_LONGEST_SLUG} characters; this has {len(value)}."


def _when(when: When | Personal, offsets: str) -> Iterator[tuple[str, str]]:
    if isinstance(when, Weeks):
        yield from _every(when.every, 1, _MOST_WEEKS, "week")
        yield from _listed("on", when.weekdays, "weekday")
        if not all(0 <= weekday <= 6 for weekday in when.weekdays):
            yield "on", "weekdays run from 0, Monday, to 6, Sunday."
    elif isinstance(when, MonthDays):
        yield from _every(when.every, 1, _MOST_MONTHS, "month")
        yield from _listed("on", when.days, "day")
        for place, day in enumerate(when.days):
            if not 1 <= day <= 31:
                yield f"on[{place}]", f"there is no day {day} in a month; 31 means the last."
    elif isinstance(when, MonthWeekdays):
        yield from _every(when.every, 1, _MOST_MONTHS, "month")
        yield from _listed("on", when.weekdays, "weekday")
        if not all(n in {1, 2, 3, 4, -1} and 0 <= day <= 6 for n, day in when.weekdays):
            yield "on", "give the first, second, third, fourth or last of a weekday."
    elif isinstance(when, Around):
        try:
            check_day(when.day)
        except ValueError as problem:
            yield "around", str(problem)
        yield from _offsets(offsets, when.offsets)
    else:
        yield from check_slug("date", when.date)
        yield from _every(when.months, 0, _MOST_MONTHS, "month")
        yield from _offsets(offsets, when.offsets)
        if not 0 <= when.grace <= _YEAR:
            yield "grace", f"give between 0 and {_YEAR} days, not {when.grace}."


def _every(every: int, least: int, most: int, unit: str) -> Iterator[tuple[str, str]]:
    if not least <= every <= most:
        yield "every", f"give between 1 and {most} {unit}s, not {every}."


def _listed(name: str, values: tuple[object, ...], noun: str) -> Iterator[tuple[str, str]]:
    if not values:
        yield name, f"{NONE_GIVEN} {noun}."
    elif len(set(values)) != len(values):
        yield name, f"the same {noun} stands here twice."


def _offsets(name: str, offsets: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    yield from _listed(name, offsets, "day")
    if len(offsets) > _MOST_DAYS:
        yield name, f"give at most {_MOST_DAYS} days; these are {len(offsets)}."
    for place, offset in enumerate(offsets):
        if abs(offset) > _YEAR:
            yield (
                f"{name}[{place}]",
                f"{abs(offset)} days are more than a year; stay within {_YEAR}.",
            )


def _hours(hours: Hours) -> Iterator[tuple[str, str]]:
    day = f"{DAY.opens:%H:%M} and {DAY.closes:%H:%M}"
    by_day = True
    for name, value in (("at", hours.at), ("between", hours.opens), ("between", hours.closes)):
        if value.second or value.microsecond or value.tzinfo:
            yield name, "give hours and minutes of local time, such as 10:00."
            by_day = False
    if hours.opens < DAY.opens or hours.closes > DAY.closes or hours.closes == time.min:
        yield "between", f"stay between {day}: nobody is written to at night."
        by_day = False
    elif hours.opens >= hours.closes:
        yield "between", f"{hours.opens:%H:%M} is not before {hours.closes:%H:%M}."
        by_day = False
    elif not _holds_a_quarter(hours):
        yield (
            "between",
            f"from {hours.opens:%H:%M} to {hours.closes:%H:%M} no quarter of an hour begins: "
            "give at least 15 minutes.",
        )
        by_day = False
    if not DAY.are_open(hours.at):
        yield "at", f"{hours.at:%H:%M} is in the night: stay between {day}."
    elif by_day and not hours.are_open(hours.at):
        yield (
            "at",
            f"{hours.at:%H:%M} is not between {hours.opens:%H:%M} and {hours.closes:%H:%M}, "
            "when this rule may write.",
        )


def _holds_a_quarter(hours: Hours) -> bool:
    """People are asked at whole quarters of an hour."""
    return any(
        hours.are_open(time(hour, minute)) for hour in range(24) for minute in (0, 15, 30, 45)
    )


def check_texts(name: str, texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for language, text in texts.items():
        where = f"{name}.{language}"
        if language not in LANGUAGES:
            yield where, f"the languages are {' and '.join(LANGUAGES)}."
        elif not text.strip():
            yield where, "this is empty: write it, or leave the words out in every language."
        else:
            yield from _length(where, text)
    for language in LANGUAGES if texts else []:
        if language not in texts:
            yield f"{name}.{language}", "this is missing: words of its own are in every language."


def _length(name: str, text: str) -> Iterator[tuple[str, str]]:
    try:
        units = len(text.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        yield name, "this holds half a character (a lone surrogate)."
        return
    if units > LONGEST_TEXT:
        yield name, f"use at most {LONGEST_TEXT} characters; this has {units}."
    if "\0" in text:
        yield name, "this holds a null character."


def _window(terms: CheckinTerms) -> Iterator[tuple[str, str]]:
    if not 1 <= terms.window <= _LONGEST_HOURS:
        yield "window", f"give between 1 and {_LONGEST_HOURS} hours, not {terms.window}."
    if len(terms.nudges) > _MOST_NUDGES:
        yield "nudges", f"give at most {_MOST_NUDGES}; these are {len(terms.nudges)}."
    for place, nudge in enumerate(terms.nudges):
        if nudge < 1:
            yield f"nudges[{place}]", f"{nudge} h is not after the question: give at least 1 h."
    if list(terms.nudges) != sorted(set(terms.nudges)):
        yield "nudges", "each comes later than the one before."
    last = max(terms.nudges, default=0)
    if 1 <= terms.window <= last:
        yield (
            "window",
            f"{terms.window} h is over before the nudge after {last} h could be answered: "
            f"give more than {last} h, or earlier nudges.",
        )


def _silence(terms: CheckinTerms) -> Iterator[tuple[str, str]]:
    if terms.then not in THENS:
        yield "then", f"give one of {', '.join(THENS)}."
    if terms.supervisor is None:
        return
    if terms.then == "none":
        yield "supervisor", "nothing follows silence here (then is none): leave this out."
    elif not 1 <= terms.supervisor <= _LONGEST_HOURS:
        yield (
            "supervisor",
            f"give between 1 and {_LONGEST_HOURS} hours, or never; not {terms.supervisor}.",
        )


def _span(terms: Terms) -> Iterator[tuple[str, str]]:
    for name, day in (("starts", terms.starts), ("ends", terms.ends)):
        if day is not None and day.year not in YEARS:
            yield name, f"give a year from {YEARS.start} to {YEARS.stop - 1}, not {day.year}."
    if terms.starts and terms.ends and terms.ends < terms.starts:
        yield "ends", f"{terms.ends} is before the rule starts, on {terms.starts}."

"""What rules may say, and the sentence for everything they may not."""

import json
from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from storage.calendar.almanac import NAMED
from storage.calendar.personal_dates import Personal
from storage.calendar.recurrence import Around, Hours, MonthDays, MonthWeekdays, Timing, Weeks
from storage.rules.reading import read_rule
from storage.rules.table import BadRule, as_table, from_json, to_json
from storage.rules.terms import (
    LONGEST_TEXT,
    CheckinTerms,
    ReminderTerms,
    Terms,
    check_terms,
    timing_of,
)

SOMEBODY: Any = "police"
SUNDAY = Weeks(1, (6,))
CHECKIN = CheckinTerms("weekly", SUNDAY)
REMINDER = ReminderTerms("check-up", "check-up", Personal("last-check-up", (-7,), months=6))


def some_of(values: some.SearchStrategy[Any], most: int) -> some.SearchStrategy[tuple[Any, ...]]:
    return some.lists(values, min_size=1, max_size=most, unique=True).map(tuple)


SLUGS = some.sampled_from(("weekly", "a", "before-spring-festival", "a1-b2"))
OFFSETS = some_of(some.integers(-366, 366), 12)
LEADS = some_of(some.integers(-366, 0), 4)
DAYS = some.one_of(some.sampled_from(sorted(NAMED)), some.sampled_from(("05-29", "lunar 12-24")))
WHENS = some.one_of(
    some.builds(Weeks, some.integers(1, 52), some_of(some.integers(0, 6), 7)),
    some.builds(MonthDays, some.integers(1, 60), some_of(some.integers(1, 31), 5)),
    some.builds(
        MonthWeekdays,
        some.integers(1, 60),
        some_of(some.tuples(some.sampled_from((1, 2, 3, 4, -1)), some.integers(0, 6)), 5),
    ),
    some.builds(Around, DAYS, some.one_of(OFFSETS, LEADS)),
)
PERSONAL = some.builds(
    Personal, SLUGS, some.one_of(OFFSETS, LEADS), some.integers(0, 60), some.integers(0, 366)
)
HOURS = some.tuples(
    some.integers(480, 1260), some.integers(480, 1260), some.integers(480, 1259)
).map(lambda minutes: _hours(sorted(minutes)))
WORDS = some.text(min_size=1, max_size=30).filter(lambda text: text.strip() and "\0" not in text)
TEXTS: some.SearchStrategy[dict[str, str]] = some.one_of(
    some.just({}), some.fixed_dictionaries({"zh": WORDS, "en": WORDS})
)
STARTS = some.one_of(some.none(), some.dates(date(2020, 1, 1), date(2025, 1, 1)))
ENDS = some.one_of(some.none(), some.dates(date(2090, 1, 1), date(2100, 12, 31)))
CHECKINS = some.builds(
    CheckinTerms,
    SLUGS,
    WHENS,
    HOURS,
    TEXTS,
    some.integers(200, 720),
    some_of(some.integers(1, 199), 5).map(lambda nudges: tuple(sorted(nudges))),
    some.sampled_from(("liaison", "relative-first")),
    some.one_of(some.none(), some.integers(1, 720)),
    STARTS,
    ENDS,
)
TERMS = some.one_of(
    CHECKINS,
    CHECKINS.map(lambda terms: replace(terms, then="none", supervisor=None, nudges=())),
    some.builds(
        ReminderTerms, SLUGS, SLUGS, some.one_of(WHENS, PERSONAL), HOURS, TEXTS, STARTS, ENDS
    ),
)


def _hours(minutes: list[int]) -> Hours:
    opens, at, closes = (time(*divmod(minute, 60)) for minute in minutes)
    return Hours(at, opens, closes) if opens <= at < closes else Hours()


@given(TERMS)
def test_terms_go_through_tables_and_a_column_and_stay_the_same(terms: Terms) -> None:
    assert check_terms(terms) == []
    assert read_rule(as_table(terms)) == (terms, [])
    text = to_json(terms)
    assert from_json(text) == terms
    assert to_json(from_json(text)) == text
    assert hash(terms) == hash(from_json(text))


def test_a_stored_rule_spells_out_its_defaults() -> None:
    """So that rules in the database keep their meaning when a default changes."""
    assert json.loads(to_json(CHECKIN)) == {
        "version": 1,
        "code": "weekly",
        "kind": "checkin",
        "every": "1 week",
        "on": ["sunday"],
        "at": "10:00",
        "between": ["08:00", "21:00"],
        "window": "72h",
        "nudges": ["24h", "48h"],
        "then": "relative-first",
        "supervisor": "72h",
    }
    assert json.loads(to_json(REMINDER)) == {
        "version": 1,
        "code": "check-up",
        "kind": "reminder",
        "topic": "check-up",
        "date": "last-check-up",
        "every": "6 months",
        "lead": ["7d"],
        "grace": "7d",
        "at": "10:00",
        "between": ["08:00", "21:00"],
    }


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "kind": "x"}', "null", "[" * 10**5]
)
def test_a_column_that_holds_no_rule(text: str) -> None:
    with pytest.raises(BadRule):
        from_json(text)


@pytest.mark.parametrize(
    ("terms", "problems"),
    [
        (replace(CHECKIN, window=48), ["window: 48 h is over before the nudge after 48 h"]),
        (replace(CHECKIN, window=24), ["window: 24 h is over before the nudge after 48 h"]),
        (replace(CHECKIN, window=0), ["window: give between 1 and 720 hours, not 0."]),
        (replace(CHECKIN, window=721), ["window: give between 1 and 720 hours, not 721."]),
        (replace(CHECKIN, nudges=(48, 24)), ["nudges: each comes later than the one before."]),
        (replace(CHECKIN, nudges=(24, 24)), ["nudges: each comes later than the one before."]),
        (replace(CHECKIN, nudges=(0,)), ["nudges[0]: 0 h is not after the question"]),
        (replace(CHECKIN, nudges=(1, 2, 3, 4, 5, 6)), ["nudges: give at most 5; these are 6."]),
        (replace(CHECKIN, then=SOMEBODY), ["then: give one of none, liaison, relative-first."]),
        (replace(CHECKIN, then="none"), ["supervisor: nothing follows silence here"]),
        (replace(CHECKIN, supervisor=0), ["supervisor: give between 1 and 720 hours, or never"]),
        (replace(CHECKIN, code="Weekly!"), ["code: use small letters"]),
        (replace(CHECKIN, code=""), ["code: use small letters"]),
        (replace(CHECKIN, code="a" * 41), ["code: use at most 40 characters; this has 41."]),
        (replace(CHECKIN, when=Weeks(0, (6,))), ["every: give between 1 and 52 weeks, not 0."]),
        (replace(CHECKIN, when=Weeks(1, ())), ["on: give at least one weekday."]),
        (replace(CHECKIN, when=Weeks(1, (7,))), ["on: weekdays run from 0, Monday, to 6, Sunday."]),
        (replace(CHECKIN, when=Weeks(1, (6, 6))), ["on: the same weekday stands here twice."]),
        (replace(CHECKIN, when=MonthDays(61, (1,))), ["every: give between 1 and 60 months"]),
        (replace(CHECKIN, when=MonthDays(1, (32,))), ["on[0]: there is no day 32 in a month"]),
        (replace(CHECKIN, when=MonthWeekdays(1, ((5, 6),))), ["on: give the first, second"]),
        (replace(CHECKIN, when=Around("02-30", (0,))), ["around: There is no day 30 in February"]),
        (replace(CHECKIN, when=Around("lunar 13-01", (0,))), ["around: There is no month 13"]),
        (
            replace(CHECKIN, when=Around("midautumn", (0,))),
            ["around: “midautumn” is not a day of the almanac: did you mean “mid-autumn”?"],
        ),
        (
            replace(CHECKIN, when=Around("qixi", (-367,))),
            ["days[0]: 367 days are more than a year"],
        ),
        (replace(CHECKIN, when=Around("qixi", tuple(range(13)))), ["days: give at most 12 days"]),
        (
            replace(REMINDER, when=Personal("x", (-400,))),
            ["lead[0]: 400 days are more than a year"],
        ),
        (replace(REMINDER, when=Personal("x", ())), ["lead: give at least one day."]),
        (replace(REMINDER, when=Personal("", (0,))), ["date: use small letters"]),
        (replace(REMINDER, when=Personal("x", (0,), -1)), ["every: give between 1 and 60 months"]),
        (replace(REMINDER, when=Personal("x", (0,), grace=-1)), ["grace: give between 0 and 366"]),
        (replace(REMINDER, topic="Folic acid"), ["topic: use small letters"]),
        (replace(CHECKIN, hours=Hours(time(22))), ["at: 22:00 is in the night"]),
        (replace(CHECKIN, hours=Hours(time(21))), ["at: 21:00 is in the night"]),
        (
            replace(CHECKIN, hours=Hours(time(10), time(7), time(22))),
            ["between: stay between 08:00 and 21:00: nobody is written to at night."],
        ),
        (replace(CHECKIN, hours=Hours(time(10), time(8), time(0))), ["between: stay between"]),
        (replace(CHECKIN, hours=Hours(time(10), time(12), time(9))), ["between: 12:00 is not bef"]),
        (
            replace(CHECKIN, hours=Hours(time(10), time(18), time(20))),
            ["at: 10:00 is not between 18:00 and 20:00, when this rule may write."],
        ),
        (replace(CHECKIN, hours=Hours(time(10, 0, 30))), ["at: give hours and minutes"]),
        (replace(CHECKIN, question={"zh": "好吗"}), ["question.en: this is missing"]),
        (replace(CHECKIN, question={"zh": "好吗", "en": " "}), ["question.en: this is empty"]),
        (
            replace(CHECKIN, question={"zh": "好", "en": "x", "fr": "y"}),
            ["question.fr: the languages are zh and en."],
        ),
        (
            replace(REMINDER, text={"zh": "好", "en": "😀" * (LONGEST_TEXT // 2 + 1)}),
            [f"text.en: use at most {LONGEST_TEXT} characters; this has {LONGEST_TEXT + 2}."],
        ),
        (replace(REMINDER, text={"zh": "\ud83d", "en": "x\0"}), ["text.zh: this", "text.en: this"]),
        (
            replace(CHECKIN, starts=date(2027, 1, 2), ends=date(2027, 1, 1)),
            ["ends: 2027-01-01 is before the rule starts, on 2027-01-02."],
        ),
        (
            replace(CHECKIN, starts=date(2027, 1, 4), ends=date(2027, 1, 8)),
            ["ends: no day of this rule lies between its start and its end."],
        ),
        (replace(CHECKIN, starts=date(2101, 1, 1)), ["starts: give a year from 1950 to 2100"]),
        (
            CheckinTerms("", Weeks(0, ()), Hours(time(3)), {"en": ""}, 1, (2,), "none", 3),
            ["code", "every", "on", "at", "question.en", "question.zh", "window", "supervisor"],
        ),
    ],
)
def test_what_terms_cannot_be(terms: Terms, problems: list[str]) -> None:
    found = [str(problem) for problem in check_terms(terms)]
    assert len(found) == len(problems), found
    for told, expected in zip(found, problems, strict=True):
        assert told.startswith(expected)
        assert told.endswith((".", "?"))


CHECKIN_TABLE = {"code": "a", "kind": "checkin", "every": "1 week", "on": ["sunday"]}
REMINDER_TABLE = {"code": "a", "kind": "reminder", "topic": "t", "date": "x", "lead": ["7d"]}


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"kind": "chekin"}, ["kind: “chekin” is no kind of rule: did you mean checkin?"]),
        ({"kind": "?", "x": 1}, ["kind: “?” is no kind of rule", "x: there is no such key."]),
        ({"kind": 3}, ["kind: give a text in quotes, not “3”."]),
        ({"kind": None}, ["kind: this is missing: give checkin or reminder."]),
        ({"code": None}, ["code: this is missing."]),
        ({"wndow": "3h"}, ["wndow: there is no such key: did you mean window?"]),
        ({"fine": "3h"}, ["fine: there is no such key."]),
        ({"topic": "x"}, ["topic: this is for rules of kind reminder."]),
        ({"every": None}, ["every: when is this due? Give every or around."]),
        ({"every": "fortnight"}, ["every: write it as “1 week” or “3 months”"]),
        ({"every": "2 years"}, ["every: write it as “1 week” or “3 months”"]),
        ({"every": 2}, ["every: write it as “1 week” or “3 months”, not “2”."]),
        ({"every": "0 weeks"}, ["every: give between 1 and 52 weeks, not 0."]),
        ({"on": None}, ["on: this is missing: give the days, as [“sunday”]."]),
        ({"every": "0 weeks", "on": ["x"]}, ["on[0]: “x” is not", "every: give between 1 and 52"]),
        ({"on": []}, ["on: give at least one weekday."]),
        ({"on": ["sunday", "wensday"]}, ["on[1]: “wensday” is not a weekday: did you mean wednes"]),
        ({"on": [15]}, ["on[0]: “15” is not a weekday: give monday to sunday."]),
        ({"every": "1 month"}, ["on[0]: in a rule by months write “first sunday” or a day"]),
        ({"every": "1 month", "on": ["fifth sunday"]}, ["on[0]: “fifth” is none of first"]),
        ({"every": "1 month", "on": [1, "x"]}, ["on[1]: give either days of the month or week"]),
        ({"every": "1 month", "on": [True, 2]}, ["on[0]: give a whole number, not “true”."]),
        ({"around": "qixi"}, ["around: give either this or every, not both."]),
        ({"around": "qixi", "every": None}, ["on: this goes with every, not with around."]),
        ({"days": [1]}, ["days: this counts from a day: it goes with around or date."]),
        ({"at": "25:00"}, ["at: there is no time “25:00”"]),
        ({"at": "ten"}, ["at: write the time as 10:00"]),
        ({"at": "23:00"}, ["at: 23:00 is in the night"]),
        ({"between": "08:00"}, ["between: give two times"]),
        ({"between": ["08:00", "24:00"]}, ["between: there is no time “24:00”"]),
        ({"window": 72}, ["window: write it as 72h or 3d, in quotes, not “72”."]),
        ({"window": "2d"}, ["window: 48 h is over before the nudge after 48 h"]),
        ({"nudges": ["24h", "soon"]}, ["nudges[1]: write it as 72h or 3d"]),
        (
            {"then": "relative"},
            ["then: “relative” is not what can follow: did you mean relative-f"],
        ),
        ({"supervisor": "later"}, ["supervisor: write it as 72h or 3d"]),
        ({"question": "Hi"}, ["question: write question.zh and question.en."]),
        ({"question": {"zh": 1, "en": "x"}}, ["question.zh: give a text in quotes, not “1”."]),
        ({"question": {"zh": "x", "en": "y", "x[0]": "z"}}, ["question.x[0]: the languages are"]),
        ({"starts": "2027-02-30"}, ["starts: there is no day “2027-02-30” in the calendar."]),
        ({"starts": "soon"}, ["starts: write the date as 2026-12-06"]),
        ({"ends": 2027}, ["ends: write the date as 2026-12-06, not “2027”."]),
        ({"date": "x"}, ["date: dates of people's own are for reminders: a check-in goes by"]),
        ({"date": "x", "every": None, "on": None}, ["date: dates of people's own are for remind"]),
        (
            {"date": "x", "every": None, "on": None, "days": [-7]},
            ["date: dates of people's own are for remind"],
        ),
        ({"date": "x", "every": "6 months", "on": None}, ["date: dates of people's own are for"]),
    ],
)
def test_what_is_miswritten_in_a_check_in(change: dict[str, Any], problems: list[str]) -> None:
    _expect(CHECKIN_TABLE, change, problems)


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"topic": None}, ["topic: this is missing."]),
        ({"nudges": ["24h"]}, ["nudges: this is for rules of kind checkin."]),
        ({"date": None}, ["every: when is this due? Give every, around or date."]),
        ({"date": 3}, ["date: give a text in quotes"]),
        ({"every": "2 weeks"}, ["every: after a date give months, as “6 months”"]),
        ({"every": "61 months"}, ["every: give between 1 and 60 months, not 61."]),
        ({"lead": ["7d", "2h"]}, ["lead[1]: write it in days, as 30d"]),
        ({"lead": ["1d", "2h", "400d"]}, ["lead[1]: write it in days", "lead[2]: 400 days are"]),
        ({"lead": ["2h"]}, ["lead[0]: write it in days"]),
        ({"lead": []}, ["lead: give at least one day."]),
        ({"date": None, "around": "qixi", "grace": "1d"}, ["grace: this is for dates of people"]),
        ({"lead": ["-7d"]}, ["lead[0]: “-7d” is after the day: use days = [7] for that."]),
        ({"lead": ["400d"]}, ["lead[0]: 400 days are more than a year"]),
        ({"days": [1]}, ["lead: give either this or days, not both."]),
        ({"lead": None, "days": ["1d"]}, ["days[0]: give a whole number, not “1d”."]),
        ({"lead": None, "days": [10**30]}, ["days[0]: “1000000000000000000000000000000” is too"]),
        ({"lead": None, "days": [367]}, ["days[0]: 367 days are more than a year"]),
        ({"grace": "1h"}, ["grace: write it in days, as 30d"]),
        ({"grace": "999d"}, ["grace: give between 0 and 366 days, not 999."]),
    ],
)
def test_what_is_miswritten_in_a_reminder(change: dict[str, Any], problems: list[str]) -> None:
    _expect(REMINDER_TABLE, change, problems)


def _expect(table: dict[str, Any], change: dict[str, Any], problems: list[str]) -> None:
    changed = {key: value for key, value in (table | change).items() if value is not None}
    terms, found = read_rule(changed)
    assert terms is None
    told = [str(problem) for problem in found]
    assert len(told) == len(problems), told
    assert all(one.startswith(start) for one, start in zip(told, problems, strict=True)), told


@given(some.dictionaries(
    some.sampled_from(("code", "kind", "every", "on", "around", "days", "date", "lead", "grace",
                       "at", "between", "window", "nudges", "then", "supervisor", "question",
                       "text", "topic", "starts", "ends", "x")),
    some.recursive(
        some.one_of(some.none(), some.booleans(), some.integers(), some.floats(), some.text(),
                    some.dates(), some.datetimes(), some.times(),
                    some.sampled_from(("checkin", "reminder", "1 month", "sunday", "24h", "7d"))),
        lambda inner: some.one_of(some.lists(inner, max_size=3),
                                  some.dictionaries(some.text(), inner, max_size=3)),
        max_leaves=4,
    ),
))  # fmt: skip
def test_whatever_is_given_is_read_or_refused(table: dict[str, Any]) -> None:
    for kind in ("checkin", "reminder"):
        terms, problems = read_rule({**table, "kind": kind})
        assert (terms is None) == bool(problems)
        assert all(problem.reason.endswith((".", "?")) for problem in problems)


def test_weeks_are_counted_from_the_start_or_from_when_the_rule_was_made() -> None:
    made = date(2026, 11, 22)
    assert timing_of(CHECKIN, made) == Timing(SUNDAY, made, None, Hours())
    later = replace(CHECKIN, starts=date(2027, 1, 1), ends=date(2027, 6, 1))
    assert timing_of(later, made) == Timing(SUNDAY, date(2027, 1, 1), date(2027, 6, 1), Hours())
    with pytest.raises(TypeError, match="each person's own date"):
        timing_of(REMINDER, made)


def test_short_forms() -> None:
    short = {"code": "a", "kind": "checkin", "every": "week", "on": "sun", "nudges": "1d"}
    terms, _ = read_rule(short)
    assert isinstance(terms, CheckinTerms)
    assert (terms.when, terms.nudges, terms.window) == (SUNDAY, (24,), 72)
    on_the_day, _ = read_rule({"code": "a", "kind": "checkin", "around": "qixi"})
    assert on_the_day is not None
    assert on_the_day.when == Around("qixi", (0,))
    quiet, _ = read_rule({**CHECKIN_TABLE, "then": "none"})
    assert isinstance(quiet, CheckinTerms)
    assert quiet.supervisor is None

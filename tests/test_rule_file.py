"""Rules in a file: read, refused with the line and the reason, and written back."""

import tomllib
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from storage.calendar.almanac import NAMED
from storage.calendar.personal_dates import Personal
from storage.calendar.recurrence import Around, Hours, MonthWeekdays, Weeks
from storage.rules.file import LARGEST, BadRules, FileProblem, as_toml, read_rules
from storage.rules.reading import KEYS
from storage.rules.terms import CheckinTerms, ReminderTerms
from storage.rules.toml_lines import find_lines
from tests.test_rule_terms import TERMS

DOCS = Path(__file__).parent.parent / "docs" / "rules.md"

WEEKLY = """\
[[rule]]
code = "weekly"
area = "nanlai"
kind = "checkin"
every = "1 week"
on = ["sunday"]
"""


def refused(text: str, area: str | None = None) -> list[FileProblem]:
    with pytest.raises(BadRules) as refusal:
        read_rules(text, area)
    assert str(refusal.value) == "\n".join(map(str, refusal.value.problems))
    return refusal.value.problems


def test_the_smallest_rule_has_the_usual_terms() -> None:
    (rule,) = read_rules(WEEKLY)
    assert (rule.area, rule.line) == ("nanlai", 1)
    assert rule.terms == CheckinTerms("weekly", Weeks(1, (6,)))
    (elsewhere,) = read_rules(WEEKLY.replace('area = "nanlai"\n', ""), area="beilai")
    assert elsewhere.area == "beilai"
    assert read_rules("") == read_rules("# nothing yet\n") == []
    assert read_rules("\ufeff" + WEEKLY.replace("\n", "\r\n")) == [rule]


def test_the_examples_in_the_docs_are_rules() -> None:
    page = DOCS.read_text(encoding="utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    rules = read_rules(example)
    assert [rule.terms.code for rule in rules] == [
        "weekly",
        "before-spring-festival",
        "monthly",
        "certificate",
        "check-up",
        "insurance",
    ]
    weekly, festival, monthly, certificate, check_up, insurance = (rule.terms for rule in rules)
    assert isinstance(weekly, CheckinTerms)
    assert weekly.hours == Hours(time(10), time(8), time(21))
    assert (weekly.starts, weekly.ends) == (date(2026, 12, 6), date(2030, 12, 31))
    assert festival.when == Around("spring-festival", (-7, 0))
    assert isinstance(monthly, CheckinTerms)
    assert monthly.when == MonthWeekdays(1, ((1, 6),))
    assert (monthly.nudges, monthly.then, monthly.supervisor) == ((), "none", None)
    assert certificate.when == Personal("certificate-expiry", (-30, -7))
    assert check_up.when == Personal("last-check-up", (-7, 0), months=6)
    assert isinstance(insurance, ReminderTerms)
    assert set(insurance.text) == {"zh", "en"}
    # What the example leaves out are the defaults the page names, and every key and day is named.
    used = {key for table in tomllib.loads(example)["rule"] for key in table}
    assert used == {"area"} | {key for keys in KEYS.values() for key in keys}
    assert {name for name in (*used, *NAMED) if f"`{name}" not in page} == set()


@given(some.lists(some.tuples(some.sampled_from(("nanlai", "东村", 'a"b')), TERMS), max_size=4))
def test_what_is_written_reads_the_same(rules: list[tuple[str, CheckinTerms]]) -> None:
    once = {(area, terms.code): (area, terms) for area, terms in rules}.values()
    text = as_toml(once)
    read = read_rules(text)
    assert [(rule.area, rule.terms) for rule in read] == list(once)
    assert as_toml((rule.area, rule.terms) for rule in read) == text
    assert [text.split("\n")[rule.line - 1] for rule in read] == ["[[rule]]"] * len(read)


LONG = """\
# A file as people write them.

[[rule]]  # the first
code = "one"
area = "nanlai"
kind = "checkin"
every = "0 weeks"
on = [
  "sunday",
  # the middle of the week
  "wensday", "friday",
]
at = 10:00:30
window = "40h"
question = { zh = "好吗", en = 3 }

[[rule]]
code = 'two'
area = "nanlai"
kind = "reminder"
topic = "check-up"
"around" = "02-30"
lead = [
  "7d", "2h",
  "400d",
]
nudges = ["24h"]
grace = 3
text.en = \"\"\"
Two lines, and a key = "value" in them,
[[rule]]
and an end.\"\"\"

[[rule]]
kind = "chekin"
wat = 1
[rule.question]
zh = "有"

[[rule]]
code = "one"
kind = "checkin"
area = "nanlai"
around = "qixi"
every = "1 week"
then = "relative first"
supervisor = 72
ends = 2026-02-30x
"""


def test_every_problem_has_its_line_its_rule_its_field_and_its_reason() -> None:
    text = LONG.replace("ends = 2026-02-30x\n", 'ends = "2026-02-30"\n')
    found = [(at.line, at.rule, at.field) for at in refused(text)]
    assert found == [
        (7, "one", "every"),
        (11, "one", "on"),
        (13, "one", "at"),
        (14, "one", "window"),
        (15, "one", "question.en"),
        (22, "two", "around"),
        (24, "two", "lead"),
        (25, "two", "lead"),
        (27, "two", "nudges"),
        (28, "two", "grace"),
        (29, "two", "text.zh"),
        (34, "number 3", "area"),
        (34, "number 3", "code"),
        (35, "number 3", "kind"),
        (36, "number 3", "wat"),
        (44, "one", "around"),
        (46, "one", "then"),
        (47, "one", "supervisor"),
        (48, "one", "ends"),
    ]


def test_a_file_that_is_no_toml_is_refused_on_its_line() -> None:
    (problem,) = refused(LONG)
    assert problem.line == 48
    assert "not TOML" in problem.reason
    assert "(at line" not in problem.reason
    (problem,) = refused(WEEKLY + 'at = "10:00')
    assert problem.line == 7
    (problem,) = refused(WEEKLY + "at = [\n\n\n")
    assert (problem.line, problem.rule, problem.field) == (7, "", "")
    (problem,) = refused(WEEKLY + 'code = "again"\n')
    assert problem.line == 7
    assert "overwrite" in problem.reason


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[rule]\ncode = 1\n", "line 1, rule: head each rule with [[rule]]."),
        ("\nrule = 3\n", "line 2, rule: head each rule with [[rule]]."),
        ("rule = [1]\n", "line 1, rule: head each rule with [[rule]]."),
        ("\n[[rules]]\ncode = 1\n", "line 2, rules: there is no such key: did you mean rule?"),
        (
            "x = 1\n" + WEEKLY,
            "line 1, x: there is no such key: a file holds [[rule]] and [[topic]]",
        ),
        (WEEKLY + "\n" + WEEKLY, "line 9, rule weekly, code: area nanlai has a rule of this code"),
        (WEEKLY.replace('"nanlai"', "7"), "line 3, rule weekly, area: give an area's code"),
        (WEEKLY.replace('"nanlai"', '" "'), "line 3, rule weekly, area: give an area's code"),
        (WEEKLY + "window = 48\n", "line 7, rule weekly, window: write it as 72h or 3d, in quotes"),
        (WEEKLY + 'at = "25:00"\n', "line 7, rule weekly, at: there is no time “25:00”"),
        (WEEKLY + "nudges = [[], {}]\n", "line 7, rule weekly, nudges: write it as 72h"),
        (WEEKLY + f"nudges = [{'9' * 5000}]\n", "line 7: this is not TOML"),
        (WEEKLY + f"nudges = [0x{'f' * 9999}]\n", "line 7, rule weekly, nudges: write it as 72h"),
        (WEEKLY + "x = " + "[" * 5000 + "]" * 5000, "line 1: this is nested too deeply."),
        ("#" * (LARGEST + 1), "line 1: the file is too large"),
    ],
)
def test_files_that_are_refused(text: str, problem: str) -> None:
    assert str(refused(text)[0]).startswith(problem)


def test_two_areas_may_use_one_code_and_inline_tables_are_rules_too() -> None:
    both = read_rules(WEEKLY + WEEKLY.replace("nanlai", "beilai"))
    assert [rule.area for rule in both] == ["nanlai", "beilai"]
    inline = 'rule = [\n {code="a", kind="checkin", around="qixi"},\n {code="b", kind="x"}]\n'
    (problem,) = refused(inline, "nanlai")
    assert (problem.line, problem.rule, problem.field) == (3, "b", "kind")


def test_what_turns_out_later_has_its_line_too() -> None:
    (rule,) = read_rules("\n\n" + WEEKLY + 'question = {zh = "好", en = "Hi"}\n')
    assert str(rule.problem("area", "there is no such area.")) == (
        "line 5, rule weekly, area: there is no such area."
    )
    assert rule.problem("question.en", "?").line == 9
    assert rule.problem("topic", "?").line == 3


KEY = some.one_of(
    some.text("ab-_1", min_size=1),
    some.text("a .=#'\"\\[]中\n", max_size=5),
)
VALUES = some.recursive(
    some.one_of(
        some.text("ab \"'\\#=[]{},\n中", max_size=8),
        some.integers(-99, 99),
        some.booleans(),
        some.dates().map(date.isoformat),
    ),
    lambda inner: some.one_of(
        some.lists(inner, max_size=3), some.dictionaries(KEY, inner, max_size=3)
    ),
    max_leaves=8,
)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


class _Writer:
    """Writes TOML with comments and turns of line wherever they may stand, and notes the lines."""

    def __init__(self) -> None:
        self.text = ""
        self.lines: dict[tuple[str | int, ...], int] = {}

    def here(self, path: tuple[str | int, ...]) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def write(self, value: object, path: tuple[str | int, ...]) -> None:
        if isinstance(value, dict):
            self.text += "{ "
            for place, (key, inner) in enumerate(value.items()):
                self.text += ", " if place else ""
                self.here((*path, key))
                self.text += f"{_quoted(key)} = "
                self.write(inner, (*path, key))
            self.text += " }"
        elif isinstance(value, list):
            self.text += "[ # ] a list\n"
            for place, inner in enumerate(value):
                self.here((*path, place))
                self.write(inner, (*path, place))
                self.text += ' , # "next"\n\n'
            self.text += "]"
        elif isinstance(value, str):
            multi = "\n" in value and not value.endswith('"') and '"""' not in value
            escaped = value.replace("\\", "\\\\")
            self.text += f'"""\n{escaped}"""' if multi else _quoted(value)
        else:
            self.text += str(value).lower()


@given(some.lists(some.dictionaries(KEY, VALUES, max_size=3), max_size=3))
def test_lines_are_those_where_keys_and_elements_stand(tables: list[dict[str, object]]) -> None:
    writer = _Writer()
    writer.text = "# a comment\n\n"
    for number, table in enumerate(tables):
        writer.here(("rule",))
        writer.here(("rule", number))
        writer.text += "[[ rule ]] # ]]\n"
        for key, value in table.items():
            writer.here(("rule", number, key))
            writer.text += f"  {_quoted(key)}\t= "
            writer.write(value, ("rule", number, key))
            writer.text += " # done\n"
    assert tomllib.loads(writer.text) == ({"rule": tables} if tables else {})
    assert find_lines(writer.text) == writer.lines


def test_lines_of_tables_in_tables() -> None:
    text = (
        "a.b . 'c' = 1\n[t]\nx = 1979-05-27 07:32:00\n"
        "[[t.u]]\ny=2\n[[t.u]]\n[t.u.v]\nz=''''q''''\nw=0"
    )
    tomllib.loads(text)
    assert find_lines(text) == {
        ("a",): 1,
        ("a", "b"): 1,
        ("a", "b", "c"): 1,
        ("t",): 2,
        ("t", "x"): 3,
        ("t", "u"): 4,
        ("t", "u", 0): 4,
        ("t", "u", 0, "y"): 5,
        ("t", "u", 1): 6,
        ("t", "u", 1, "v"): 7,
        ("t", "u", 1, "v", "z"): 8,
        ("t", "u", 1, "v", "w"): 9,
    }

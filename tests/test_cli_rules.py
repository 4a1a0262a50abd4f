"""``kinroom rule`` and ``kinroom agenda``: rules managed singly and from a file, and their days."""

from pathlib import Path

import pytest

from tests.command import Command


@pytest.fixture
def county(installed: Command) -> Command:
    """A town and a village of it, with the default rule of the town."""
    installed("area", "add", "nanlai", "南来镇")
    installed("area", "add", "tianjing", "甜井村", "--parent", "nanlai")
    return installed


def days(county: Command, area: str, first: str, last: str) -> list[tuple[str, str]]:
    entries = county("agenda", "--area", area, "--from", first, "--to", last, "--json").json
    assert all(entry.keys() == {"rule", "kind", "at_local", "at_utc"} for entry in entries)
    return [(entry["rule"], entry["at_local"][:10]) for entry in entries]


def test_a_week_before_spring_festival_and_on_the_day(county: Command) -> None:
    county("rule", "stop", "weekly", "--area", "nanlai")
    added = county(
        *("rule", "add", "festival", "--area", "nanlai"),
        *("--around", "spring-festival", "--days=-7", "--days", "0"),
    )
    assert added.out == "Added: nanlai/festival  checkin  spring-festival, -7 0, 10:00\n"
    assert days(county, "tianjing", "2027-01-01", "2027-12-31") == [
        ("festival", "2027-01-30"),
        ("festival", "2027-02-06"),
    ]
    assert days(county, "nanlai", "2030-01-27", "2030-02-03")[-1] == ("festival", "2030-02-03")
    assert len(days(county, "nanlai", "2027-01-01", "2096-12-31")) == 140


def test_times_are_the_areas_and_utc(county: Command) -> None:
    (entry,) = county(
        *("agenda", "--area", "nanlai", "--from", "2027-03-07", "--to", "2027-03-07", "--json")
    ).json
    assert entry == {
        "rule": "weekly",
        "kind": "checkin",
        "at_local": "2027-03-07T10:00:00+08:00",
        "at_utc": "2027-03-07T02:00:00+00:00",
    }


def test_a_nearer_rule_of_the_same_code_takes_its_place(county: Command) -> None:
    county("rule", "add", "weekly", "--area", "tianjing", "--every", "1 week", "--on", "friday")
    assert days(county, "tianjing", "2027-03-01", "2027-03-07") == [("weekly", "2027-03-05")]
    assert days(county, "nanlai", "2027-03-01", "2027-03-07") == [("weekly", "2027-03-07")]
    county("rule", "stop", "weekly", "--area", "tianjing")
    assert days(county, "tianjing", "2027-03-01", "2027-03-07") == [("weekly", "2027-03-07")]


def test_edit_changes_what_is_given(county: Command) -> None:
    words = ("--zh", "周末好，顺利吗？", "--en", "How was your week?")
    edited = county("rule", "edit", "weekly", "--area", "nanlai", *words, "--json").json
    assert edited["question"] == {"zh": "周末好，顺利吗？", "en": "How was your week?"}
    assert (edited["version"], edited["on"], edited["nudges"]) == (2, ["sunday"], ["24h", "48h"])
    later = county(
        *("rule", "edit", "weekly", "--area", "nanlai", "--around", "lantern", "--json")
    ).json
    assert "every" not in later
    assert (later["around"], later["version"]) == ("lantern", 3)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--every", "1 week", "--on", "sunday", "--window", "20h"), "--window: 20 h is over"),
        (("--around", "02-30"), "--around: There is no day 30 in February"),
        (("--every", "1 week", "--on", "sundae"), "did you mean sunday?"),
        (("--every", "1 week", "--on", "sunday", "--at", "23:00"), "--at: 23:00 is in the night"),
        (("--every", "1 week", "--on", "sunday", "--zh", "好吗"), "--en: this is missing"),
        (("--every", "1 week", "--on", "monday", "--nudge", "0h"), "--nudge: 0 h is not after"),
    ],
)
def test_a_bad_rule_is_refused_with_its_reason(
    county: Command, options: tuple[str, ...], says: str
) -> None:
    assert says in county("rule", "add", "x", "--area", "nanlai", *options).complaint


def test_an_edit_says_what_to_change(county: Command) -> None:
    assert "say what to change" in county("rule", "edit", "weekly", "--area", "nanlai").complaint


def test_what_is_not_there(county: Command) -> None:
    assert "tianjing has no rule “weekly” of its own" in (
        county("rule", "stop", "weekly", "--area", "tianjing").complaint
    )
    assert (
        "nanlai has a rule “weekly” already"
        in (
            county(
                "rule", "add", "weekly", "--area", "nanlai", "--every", "1 week", "--on", "monday"
            )
        ).complaint
    )
    assert "no area “moon”" in county("rule", "list", "--area", "moon").complaint
    assert (
        "is before --from"
        in (
            county("agenda", "--area", "nanlai", "--from", "2027-02-02", "--to", "2027-02-01")
        ).complaint
    )


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        ("2027-02-30", "2027-03-01", "--from: 2027-02-30 is no day: February 2027 has 28"),
        ("2027-02-01", "2027-13-01", "--to: 2027-13-01 is no day: months run from 01 to 12"),
        ("soon", "2027-03-01", "--from: “soon” is no day: write one like 2027-02-06"),
        ("2020-01-01", "2020-02-01", "--to 2020-02-01 is past: the agenda computes what comes"),
        ("2101-01-01", "2101-02-01", "the calendar is known until 2100-12-31"),
    ],
)
def test_a_day_that_cannot_be_is_told_in_words(
    county: Command, first: str, last: str, says: str
) -> None:
    assert says in county("agenda", "--area", "nanlai", "--from", first, "--to", last).complaint


def test_the_agenda_ends_with_the_almanac(county: Command) -> None:
    last = county("agenda", "--area", "nanlai", "--from", "2100-12-20", "--to", "9999-12-31")
    assert last.out.splitlines() == [
        "Sun 2100-12-26 10:00  checkin  weekly",
        "The calendar is known until 2100-12-31: what comes later is not here.",
    ]


def test_a_past_day_is_left_out_and_a_date_of_few_never_told(county: Command) -> None:
    county("topic", "load")  # with rules of its own
    span = ("agenda", "--area", "nanlai", "--from", "2020-01-01", "--to", "2028-01-01")
    told = county(*span)
    assert "Past days are not computed: this begins with today" in told.out
    assert (
        "certificate follows a date of each person's own: days of fewer than 5 people" in told.out
    )
    found = county(*span, "--json").json
    assert {each["rule"] for each in found} >= {"weekly", "tickets"}
    assert "certificate" not in {each["rule"] for each in found}  # no day of its own to tell
    assert all(each.keys() == {"rule", "kind", "at_local", "at_utc"} for each in found)


def test_a_stopped_topic_is_in_no_agenda(county: Command) -> None:
    county("topic", "load")
    span = ("agenda", "--area", "nanlai", "--from", "2027-01-01", "--to", "2027-12-31")
    assert "certificate follows" in county(*span).out
    before = {each["rule"] for each in county(*span, "--json").json}
    assert "tickets" in before
    county("topic", "stop", "certificate")
    county("topic", "stop", "tickets")
    assert "certificate follows" not in county(*span).out
    assert {each["rule"] for each in county(*span, "--json").json} == before - {"tickets"}
    county("topic", "start", "tickets")
    assert "tickets" in {each["rule"] for each in county(*span, "--json").json}


FILE = """
[[rule]]
code = "weekly"
area = "nanlai"
kind = "checkin"
every = "2 weeks"
on = ["saturday"]

[[rule]]
code = "festival"
area = "tianjing"
kind = "checkin"
around = "spring-festival"
days = [-7, 0]
"""


def test_a_file_may_speak_of_the_starting_set_before_the_service_ever_ran(
    county: Command, tmp_path: Path
) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    file = tmp_path / "rules.toml"
    file.write_text(readme.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    done = county("rule", "load", str(file), "--json").json
    assert done["changed"] == ["nanlai/weekly", "nanlai/certificate"]


def test_a_rule_of_a_starting_topic_before_the_service_ever_ran(county: Command) -> None:
    topic = ("--kind", "reminder", "--topic", "tickets", "--around", "05-29")
    assert "Added: tianjing/x" in county("rule", "add", "x", "--area", "tianjing", *topic).out


def test_a_file_is_taken_whole(county: Command, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(FILE, encoding="utf-8")
    dry = county("rule", "load", str(file), "--dry-run", "--json").json
    assert dry["changed"] == ["nanlai/weekly"]
    assert len(county("rule", "list", "--json").json["rules"]) == 1
    done = county("rule", "load", str(file), "--json").json
    assert (done["added"], done["changed"]) == (["tianjing/festival"], ["nanlai/weekly"])
    exported = county("rule", "list", "--toml").out
    file.write_text(exported, encoding="utf-8")
    again = county("rule", "load", str(file), "--json").json
    assert sorted(again["unchanged"]) == ["nanlai/weekly", "tianjing/festival"]


def test_a_wrong_file_changes_nothing_and_tells_each_line(county: Command, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    wrong = FILE.replace('"2 weeks"', '"2 years"').replace('"spring-festival"', '"02-30"')
    file.write_text(wrong, encoding="utf-8")
    done = county("rule", "load", str(file))
    assert done.code == 1
    lines = [line.split(": ")[2].split(",")[0] for line in done.err.splitlines()]
    assert lines == ["line 6", "line 13"]
    file.write_text(FILE.replace('"tianjing"', '"moon"'), encoding="utf-8")
    assert "line 11, rule festival, area: There is no area" in county("rule", "load", str(file)).err
    assert len(county("rule", "list", "--json").json["rules"]) == 1


def test_a_rule_is_called_as_the_list_calls_it(county: Command) -> None:
    shown = county("rule", "list").out.split()[0]
    assert shown == "nanlai/weekly"
    edited = county("rule", "edit", shown, "--at", "11:00", "--json").json
    assert (edited["area"], edited["code"], edited["at"]) == ("nanlai", "weekly", "11:00")
    way = ("--every", "1 week", "--on", "friday")
    assert "Added: tianjing/weekly" in county("rule", "add", "tianjing/weekly", *way).out
    assert "Stopped: tianjing/weekly" in county("rule", "stop", "tianjing/weekly").out
    assert "say of which area: AREA/weekly" in county("rule", "stop", "weekly").complaint
    two = county("rule", "stop", shown, "--area", "tianjing").complaint
    assert "names area nanlai, and --area names tianjing" in two
    assert "Stopped: nanlai/weekly" in county("rule", "stop", shown, "--area", "nanlai").out

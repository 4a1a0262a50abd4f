"""Bad rules are refused at entry, each with its line and its reason; what runs goes on."""

from pathlib import Path

import pytest

from tests.command import Command


@pytest.fixture
def county(installed: Command) -> Command:
    installed("area", "add", "nanlai", "南来镇")
    installed("area", "add", "tianjing", "甜井村", "--parent", "nanlai")
    return installed


RULE = """[[rule]]
code = "own"
area = "nanlai"
kind = "checkin"
every = "1 week"
on = ["wednesday"]
"""


@pytest.mark.parametrize(
    ("before", "after", "line", "says"),
    [
        ('on = ["wednesday"]', 'on = ["wednesday"]\nwindow = "20h"', 7, "20 h is over before"),
        ('every = "1 week"\non = ["wednesday"]', 'around = "02-30"', 5, "no day 30 in February"),
        ('"nanlai"', '"moon"', 3, "There is no area “moon”"),
        ("kind", "starts = 2027-02-29\nkind", 4, "this is not TOML"),
        ('"checkin"', '"reminder"\ntopic = "gold"', 5, "there is no topic “gold”"),
        (RULE, RULE + RULE, 8, "has a rule of this code on line 1"),
        ('"wednesday"', '"sunday"', 6, "each of its days is a day of nanlai/weekly too"),
        ('"1 week"', '"1 year"', 5, "write it as “1 week” or “3 months”"),
        ('["wednesday"]', '["wednesday", "sunday"]', 6, "each day of nanlai/weekly would be"),
        ('"own"', '"Own"', 2, "use small letters"),
        ("every", 'at = "23:30"\nevery', 5, "is in the night"),
        ("every", "ofter = 3\nevery", 5, "there is no such key"),
        ("every", 'nudges = ["48h", "24h"]\nevery', 5, "each comes later than the one before"),
    ],
)
def test_each_mistake_has_its_line_and_its_reason(
    county: Command, tmp_path: Path, before: str, after: str, line: int, says: str
) -> None:
    file = tmp_path / "rules.toml"
    assert before in RULE
    file.write_text(RULE.replace(before, after, 1), encoding="utf-8")
    done = county("rule", "load", str(file))
    assert done.code == 1
    assert f"line {line}" in done.err
    assert says in done.err
    assert [rule["code"] for rule in county("rule", "list", "--json").json["rules"]] == ["weekly"]


def test_a_file_may_move_one_rule_out_of_anothers_way(county: Command, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    moved = RULE.replace('"own"', '"weekly"') + RULE.replace('"wednesday"', '"sunday"')
    file.write_text(moved, encoding="utf-8")
    done = county("rule", "load", str(file), "--json").json
    assert (done["added"], done["changed"]) == (["nanlai/own"], ["nanlai/weekly"])


def test_one_rule_in_anothers_way_is_refused_by_options_too(county: Command) -> None:
    way = ("--every", "1 week", "--on", "sunday")
    refused = county("rule", "add", "second", "--area", "tianjing", *way).complaint
    assert "--on: each of its days is a day of nanlai/weekly too" in refused
    county("rule", "add", "second", "--area", "tianjing", "--every", "1 month", "--on", "15")
    refused = county("rule", "edit", "second", "--area", "tianjing", *way).complaint
    assert "nobody is asked twice on a day" in refused
    assert county("rule", "add", "weekly", "--area", "tianjing", *way).code == 0


def test_a_zone_that_does_not_exist(county: Command) -> None:
    bad = county("area", "add", "mare", "x", "--timezone", "Moon/Mare").complaint
    assert "“Moon/Mare” is not a time zone" in bad
    days = ("--from", "2027-01-01", "--to", "2027-01-02")
    bad = county("agenda", "--area", "nanlai", *days, "--timezone", "Moon/Mare").complaint
    assert "“Moon/Mare” is not a time zone" in bad


def test_the_agenda_ends_with_the_calendar_and_says_so(county: Command) -> None:
    late = county("agenda", "--area", "nanlai", "--from", "2100-12-20", "--to", "2102-01-01")
    assert "2100-12-26 10:00  checkin  weekly" in late.out
    assert late.out.splitlines()[-1].startswith("The calendar is known until 2100-12-31")
    beyond = county("agenda", "--area", "nanlai", "--from", "2101-01-01", "--to", "2102-01-01")
    assert "the calendar is known until 2100-12-31" in beyond.complaint
    lisbon = ("--from", "2027-03-07", "--to", "2027-03-07", "--timezone", "Europe/Lisbon", "--json")
    (entry,) = county("agenda", "--area", "nanlai", *lisbon).json
    assert entry["at_utc"] == "2027-03-07T10:00:00+00:00"


def test_the_readme_shows_a_file_that_is_taken(county: Command, tmp_path: Path) -> None:
    readme = Path(__file__).parent.parent.joinpath("README.md").read_text(encoding="utf-8")
    file = tmp_path / "rules.toml"
    shown = readme.split("```toml\n", 1)[1].split("```", 1)[0]
    file.write_text(shown, encoding="utf-8")
    county("topic", "load")
    done = county("rule", "load", str(file), "--json")
    assert done.code == 0, done.err
    assert done.json["changed"] == ["nanlai/weekly", "nanlai/certificate"]
    bad = shown.replace('"72h"  ', '"20h"  ')
    file.write_text(bad, encoding="utf-8")
    complaint = county("rule", "load", str(file), "--dry-run").err
    assert complaint.rpartition("/")[2].strip() in readme


def test_a_rule_that_is_over_before_it_begins(county: Command, tmp_path: Path) -> None:
    way = ("rule", "add", "own", "--area", "nanlai", "--every", "1 week", "--on", "monday")
    assert "--ends: 2020-01-01 is over already" in county(*way, "--ends", "2020-01-01").complaint
    file = tmp_path / "rules.toml"
    file.write_text(RULE + "ends = 2020-01-01\n", encoding="utf-8")
    assert "line 7, rule own, ends: 2020-01-01 is over" in county("rule", "load", str(file)).err
    assert ", until 2099-12-31" in county(*way, "--ends", "2099-12-31").out


def test_a_date_of_peoples_own_is_no_time_for_a_check_in(county: Command, tmp_path: Path) -> None:
    """One mistake has one line, in a file and by options."""
    reason = (
        "dates of people's own are for reminders: a check-in goes by every and on, or by around."
    )
    file = tmp_path / "rules.toml"
    weekly = 'every = "1 week"\non = ["wednesday"]'
    assert weekly in RULE
    file.write_text(RULE.replace(weekly, 'date = "certificate-expiry"'), encoding="utf-8")
    complaint = county("rule", "load", str(file)).complaint
    assert complaint == f"{file}: line 5, rule own, date: {reason}"
    way = ("rule", "add", "own", "--area", "nanlai", "--date", "certificate-expiry")
    assert county(*way).complaint == f"--date: {reason}"


@pytest.mark.parametrize("text", ["", " \n\n", "# nothing yet\n"])
def test_a_file_without_rules(county: Command, tmp_path: Path, text: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(text, encoding="utf-8")
    done = county("rule", "load", str(file))
    assert done.code == 1
    assert done.complaint == f"{file} holds no [[rule]] or [[topic]]"


def test_an_error_is_one_line_whatever_a_code_holds(county: Command, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(RULE.replace('"own"', '"o\\nn"'), encoding="utf-8")
    assert "rule o\\nn, code: use small" in county("rule", "load", str(file)).complaint


@pytest.mark.parametrize("given", ["abc", "-1", "0", "22"])
def test_a_budget_that_is_none(county: Command, given: str) -> None:
    assert "is 1 to 21 messages" in county("area", "budget", "nanlai", given).complaint


def test_every_bad_rule_is_told_at_once_whoever_finds_it(county: Command, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    short = RULE + 'window = "20h"\n'
    elsewhere = RULE.replace("nanlai", "moon")
    both = elsewhere.replace('"wednesday"', '"sundae"')
    gold = RULE.replace('"checkin"', '"reminder"\ntopic = "gold"').replace('"own"', '"gold"')
    known = gold.replace('"gold"', '"tickets"')
    file.write_text(short + elsewhere + both + gold + known, encoding="utf-8")
    done = county("rule", "load", str(file))
    assert done.code == 1
    told = [line.split("rules.toml: ")[1] for line in done.err.splitlines()]
    assert [(line.split(",")[0], line.split(", ")[2].split(":")[0]) for line in told] == [
        ("line 7", "window"),
        ("line 10", "area"),
        ("line 16", "area"),
        ("line 19", "on"),
        ("line 24", "topic"),
    ]
    assert len(county("rule", "list", "--json").json["rules"]) == 1


def test_a_bad_file_is_told_without_a_database(kinroom: Command, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(RULE + 'window = "20h"\n', encoding="utf-8")
    assert "line 7, rule own, window: 20 h is over" in kinroom("rule", "load", str(file)).complaint
    file.write_text(RULE, encoding="utf-8")
    assert "kinroom migrate" in kinroom("rule", "load", str(file)).complaint


def test_every_mistake_of_one_rule_is_told_at_once(county: Command, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    bad = 'every = "fortnight"\non = ["sundy", "friday", "fifth sunday"]\nat = "23:00"\n'
    kinds = RULE.replace("checkin", "reminder") + 'colour = "red"\ntopic = "nope"\n'
    file.write_text(kinds.replace('every = "1 week"\non = ["wednesday"]\n', bad), encoding="utf-8")
    told = [
        line.split("rule own, ")[1]
        for line in county("rule", "load", str(file)).err.split("\n")[:-1]
    ]
    assert [line.split(":")[0] for line in told] == ["every", "on", "on", "at", "colour", "topic"]
    assert told[1] == "on: “sundy” is not a weekday: did you mean sunday?"

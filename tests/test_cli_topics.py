"""``kinroom topic``, and topics in the file of ``kinroom rule load``."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.demo import make_demo
from storage.database import Tx
from storage.models import Person, Subscription, Topic
from storage.vault import Vault
from tests.command import Command, write_to

NAMES = ("--name-zh", "公积金", "--name-en", "Housing fund", "--zh", "去问问。", "--en", "Ask.")


@pytest.fixture
def county(installed: Command) -> Command:
    installed("area", "add", "nanlai", "南来镇")
    return installed


def test_a_topic_from_its_making_to_its_end(county: Command) -> None:
    made = county("topic", "load", "--json").json["made"]
    assert made > 15
    assert county("topic", "load", "--json").json["made"] == 0
    topics = county("topic", "list", "--json").json["topics"]
    assert {"code", "name", "about", "asks", "shipped", "subscribers", "stopped_at"} == set(
        topics[0]
    )
    added = county("topic", "add", "fund", *NAMES, "--asks", "fund-day", "--json").json
    assert (added["asks"], added["shipped"], added["name"]["zh"]) == ("fund-day", False, "公积金")
    rule = ("rule", "add", "fund", "--area", "nanlai", "--kind", "reminder", "--topic", "fund")
    assert county(*rule, "--date", "fund-day", "--lead", "30d", "--lead", "7d").code == 0
    assert "follows fund-day" in county("topic", "edit", "fund", "--asks", "none").complaint
    leads = county("rule", "edit", "fund", "--area", "nanlai", "--lead", "14d", "--json").json
    assert (leads["lead"], leads["date"]) == (["14d"], "fund-day")
    edited = county("topic", "edit", "fund", "--en", "Ask at work.", "--json").json
    assert edited["about"] == {"zh": "去问问。", "en": "Ask at work."}
    assert county("topic", "stop", "fund", "--json").json["stopped_at"] is not None
    assert "fund" not in county("topic", "list").out
    assert "fund  公积金 / Housing fund" in county("topic", "list", "--all").out
    assert county("topic", "start", "fund", "--json").json["stopped_at"] is None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("Fund", *NAMES), "CODE: use small letters"),
        (("fund",), "--name-zh: this is missing"),
        (("fund", *NAMES[:-2]), "--en: this is missing"),
        (("fund", *NAMES, "--asks", "Bad Day"), "--asks: use small letters"),
        (("fund", *NAMES, "--name-en", "x" * 41), "--name-en: use one line of at most 40"),
    ],
)
def test_topics_that_are_refused(county: Command, options: tuple[str, ...], says: str) -> None:
    assert says in county("topic", "add", *options).complaint


def test_what_is_not_there(county: Command) -> None:
    county("topic", "add", "fund", *NAMES)
    assert "there is a topic “fund” already" in county("topic", "add", "fund", *NAMES).complaint
    assert "there is no topic “moon”" in county("topic", "stop", "moon").complaint
    rule = ("rule", "add", "x", "--area", "nanlai", "--kind", "reminder", "--lead", "7d")
    moon = county(*rule, "--topic", "moon", "--around", "new-year")
    assert "there is no topic “moon”" in moon.complaint
    date = county(*rule, "--topic", "fund", "--date", "fund-day")
    assert "topic fund asks people for no date" in date.complaint


FILE = """\
[[topic]]
code = "fund"
name.zh = "公积金"
name.en = "Housing fund"
about.zh = "去问问。"
about.en = "Ask."
asks = "fund-day"

[[rule]]
code = "fund"
area = "nanlai"
kind = "reminder"
topic = "fund"
date = "fund-day"
lead = ["30d"]
"""


def test_topics_and_rules_in_one_file(county: Command, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(FILE, encoding="utf-8")
    done = county("rule", "load", str(file), "--json").json
    assert done["added"] == ["topic fund", "nanlai/fund"]
    file.write_text(county("topic", "list", "--toml").out, encoding="utf-8")
    assert county("rule", "load", str(file), "--json").json["unchanged"] == ["topic fund"]


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('name.zh = "公积金"\n', "", "line 3, topic fund, name.zh: this is missing"),
        ('code = "fund"\nname', 'kode = "fund"\nname', "line 1, topic number 1, code: this is"),
        ('asks = "fund-day"', "asks = 3", "line 7, topic fund, asks: give a text in quotes"),
        ('asks = "fund-day"', 'color = "red"', "line 7, topic fund, color: there is no such key"),
        ('asks = "fund-day"', 'asks = "other-day"', "line 14, rule fund, date: topic fund asks"),
        ('topic = "fund"', 'topic = "found"', "line 13, rule fund, topic: there is no topic"),
    ],
)
def test_every_bad_one_is_refused_with_its_line(
    county: Command, tmp_path: Path, before: str, after: str, says: str
) -> None:
    assert before in FILE
    file = tmp_path / "rules.toml"
    file.write_text(FILE.replace(before, after), encoding="utf-8")
    refused = county("rule", "load", str(file))
    assert refused.code == 1
    assert says in refused.err
    assert county("topic", "list", "--json").json["topics"] == []


def test_how_many_chose_a_topic_is_told_from_five_on(
    installed: Command, database_url: str, vault: Vault
) -> None:
    """Of fewer a number could say who: neither a line nor the JSON gives one."""
    write_to(database_url, vault, lambda tx: make_demo(tx, datetime.now(UTC)))
    installed("topic", "load")

    async def choose(tx: Tx) -> None:
        people = list((await tx.execute(select(Person.id).limit(5))).scalars())
        topics = {row.code: row.id for row in await tx.execute(select(Topic.code, Topic.id))}
        for code, count in (("wages", 4), ("tickets", 5)):
            for person in people[:count]:
                await tx.execute(
                    tx.insert(Subscription).values(
                        person_id=person, topic_id=topics[code], since=datetime.now(UTC)
                    )
                )

    write_to(database_url, vault, choose)
    told = {
        one["code"]: one["subscribers"]
        for one in installed("topic", "list", "--json").json["topics"]
    }
    assert (told["subsidy"], told["wages"], told["tickets"]) == (None, None, 5)
    lines = {
        line.split()[0]: line.rsplit(", ", 1)[1]
        for line in installed("topic", "list").out.splitlines()
    }
    assert (lines["subsidy"], lines["wages"]) == ("fewer than 5 subscribed",) * 2
    assert lines["tickets"] == "5 subscribed"

"""The register from the command line, of the demo county and of an empty one."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from bot.demo import make_demo
from storage.models import Person
from storage.vault import Vault
from tests.command import Command, write_to


def test_the_whole_county(installed: Command, database_url: str, vault: Vault) -> None:
    write_to(database_url, vault, lambda tx: make_demo(tx, datetime.now(UTC)))
    figures = installed("register", "--area", "demo", "--json").json
    assert set(figures) == {
        "area",
        "period",
        "definition",
        "closed",
        "expected",
        "standing",
        "silence",
        "excluded",
        "contact_rate",
        "voluntary_rate",
        "feedback_rate",
        "checkins",
    }
    assert list(figures["standing"]) == ["heard", "vouched", "reached", "tried", "silent"]
    assert list(figures["silence"]) == ["unreachable", "unanswered", "unasked", "quiet"]
    assert set(figures["checkins"]) == {"delivered", "answered"}
    assert sum(figures["standing"].values()) == figures["expected"]

    named = installed("register", "--area", "demo-tianjing", "--names", "--json").json
    assert "林小满" in [person["name"] for person in named["names"]]
    assert "林小满" in installed("register", "--area", "demo-tianjing", "--names").out

    asked = installed("rollcall", "--area", "demo", "--text", "地震了，你平安吗？", "--json").json
    assert asked["count"] == figures["expected"]
    told = installed("broadcast", "--area", "demo", "--text", "x", "--language", "en", "--json")
    assert 0 < told.json["count"] < 20
    box = installed("outbox", "--json").json
    assert set(box) == {"states", "oldest_due_seconds", "classes", "reasons", "lanes"}
    assert box["states"]["queued"] == asked["count"] + told.json["count"]
    assert box["oldest_due_seconds"] >= 0

    gone = installed("demo", "remove", "--json").json
    assert gone["people"] == 153
    assert gone["kept_areas"] == []
    left = write_to(database_url, vault, lambda tx: tx.scalar(select(func.count(Person.id))))
    assert left == 0
    assert installed("demo", "remove").out == "There is no demo in this database.\n"


@pytest.mark.parametrize("period", ["2026-W60", "2026-13", "yesterday", "2999-W01"])
def test_a_period_that_is_none(kinroom: Command, period: str) -> None:
    kinroom("area", "add", "x", "X")
    assert kinroom("register", "--area", "x", "--period", period).complaint


def test_an_empty_register_has_no_rates(kinroom: Command) -> None:
    kinroom("area", "add", "x", "X")
    figures = kinroom("register", "--area", "x", "--period", "2020-W01", "--json").json
    assert (figures["expected"], figures["contact_rate"]) == (0, None)
    assert "—" in kinroom("register", "--area", "x").out

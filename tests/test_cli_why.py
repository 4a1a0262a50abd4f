"""``kinroom why``: one person and one day, in the terminal's language."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from storage.database import Database
from storage.models import Person
from storage.people.areas import find_area
from storage.people.enrolment import rename
from storage.vault import Vault
from tests.command import Command
from tests.outbox_people import make_person

NOW = datetime.now(UTC)
REF = "-e87Px8_2Hr0YC7YbLpbJQ"  # one in 64 begins with a dash


@pytest.fixture
def county(installed: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    installed("area", "add", "nanlai", "南来镇")
    return installed


@pytest.fixture
def fang(county: Command, database_url: str, vault: Vault) -> str:
    """小芳, a worker; her ref."""
    del county  # made first

    async def work() -> str:
        db = Database(database_url, vault)
        try:
            async with db.write() as tx:
                area = await find_area(tx, "nanlai")
                worker = await make_person(tx, NOW - timedelta(days=3), area=area)
                await tx.execute(update(Person).where(Person.id == worker).values(ref=REF))
                await rename(tx, worker, "小芳")
                return REF
        finally:
            await db.close()

    return asyncio.run(work())


def test_a_day_in_words_and_as_json(county: Command, fang: str) -> None:
    told = county("why", "小芳", "--day", "2030-02-04")
    assert told.code == 0, told.err
    lines = told.out.splitlines()
    assert lines[0] == "小芳, Mon, Feb 4, 2030"
    for part in ("Who and where", "What the rules say", "What comes next"):
        assert part in lines
    assert (
        "Nothing was due by the rule “every week on Sunday, at 10:00”. The time before is"
        in told.out
    )
    found = county("why", fang, "--json").json
    assert (found["person"], found["timezone"]) == (fang, "Asia/Shanghai")
    facts = {fact["fact"] for fact in found["facts"]}
    assert {"where", "expected", "habits", "reach", "rule_held", "verdict", "coming"} <= facts
    assert all(fact["words"] for fact in found["facts"])


def test_the_terminals_language(
    county: Command, fang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "规则怎么说" in county("why", fang).out
    assert "What the rules say" in county("why", fang, "--language", "en").out


def test_who_is_not_known_or_not_alone(
    county: Command, fang: str, database_url: str, vault: Vault
) -> None:
    async def twin() -> None:
        db = Database(database_url, vault)
        async with db.write() as tx:
            area = await find_area(tx, "nanlai")
            await rename(tx, await make_person(tx, NOW, area=area), "小芳")
        await db.close()

    assert "nobody is known as “小王”" in county("why", "小王").complaint
    assert "nobody is known as" in county("why", "9" * 60).complaint
    asyncio.run(twin())
    several = county("why", "小芳").complaint
    assert "“小芳” are several" in several
    assert fang in several
    assert "not one of the languages" in county("why", fang, "--language", "fr").complaint
    no_day = county("why", fang, "--day", "2027-02-30").complaint
    assert "--day: 2027-02-30 is no day: February 2027 has 28" in no_day
    assert "is no day: write one like 2027-02-06" in county("why", fang, "--day", "xx").complaint
    for day in ("9999-12-31", "0001-01-01"):
        assert "give a day from 2000 to 2199" in county("why", fang, "--day", day).complaint

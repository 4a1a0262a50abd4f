"""The command: it does what it says, says it once, and tells mistakes in one line."""

import asyncio
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import func, select, text

from bot.demo import make_demo
from storage.database import Database, Tx
from storage.installation import TELEGRAM_USERNAME, put_value
from storage.models import Person
from storage.people.invites import check_invite
from storage.vault import Vault
from tests.command import Command

T = TypeVar("T")
COMMANDS = [
    (),
    ("run",),
    ("migrate",),
    ("area",),
    ("area", "add"),
    ("area", "list"),
    ("area", "budget"),
    ("officer",),
    ("officer", "invite"),
    ("worker",),
    ("worker", "invite"),
    ("rollcall",),
    ("broadcast",),
    ("broadcast", "list"),
    ("broadcast", "show"),
    ("broadcast", "stop"),
    ("register",),
    ("outbox",),
    ("rule",),
    ("rule", "list"),
    ("rule", "add"),
    ("rule", "edit"),
    ("rule", "stop"),
    ("rule", "load"),
    ("agenda",),
    ("backup",),
    ("restore",),
    ("doctor",),
    ("demo",),
    ("demo", "remove"),
]


def _write(url: str, vault: Vault, work: Callable[[Tx], Awaitable[T]]) -> T:
    async def run() -> T:
        db = Database(url, vault)
        try:
            async with db.write() as tx:
                return await work(tx)
        finally:
            await db.close()

    return asyncio.run(run())


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_explains_itself(kinroom: Command, words: tuple[str, ...]) -> None:
    done = kinroom(*words, "--help")
    assert done.code == 0
    assert done.out.startswith("Usage: kinroom")
    assert done.err == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Missing command"),
        (("area",), "Missing command"),
        (("nosuch",), "No such command 'nosuch'"),
        (("outbox", "--nosuch"), "No such option: --nosuch"),
        (("rollcall", "--area", "x"), "Missing option '--text'"),
        (("officer", "invite", "--area", "x", "--role", "king", "--name", "N"), "'king' is not"),
        (("worker", "invite", "--area", "x", "--uses", "0"), "greater than or equal to 1"),
        (("broadcast", "--area", "x", "--text", "t", "--language", "fr"), "'fr' is not"),
        (("broadcast",), "Missing option '--area'"),
        (("broadcast", "--area", "x"), "Missing option '--text'"),
        (("broadcast", "show"), "Missing argument"),
        (("broadcast", "stop", "many"), "valid integer"),
        (("broadcast", "stop", "0"), "greater than or equal to 1"),
    ],
)
def test_a_slip_is_one_line(kinroom: Command, words: tuple[str, ...], says: str) -> None:
    done = kinroom(*words)
    assert done.code == 2
    assert says in done.complaint


def test_a_bad_setting_is_one_line(kinroom: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINROOM_HTTP_PORT", "many")
    assert kinroom("outbox").complaint.startswith("KINROOM_HTTP_PORT cannot be used")


def test_nothing_is_made_by_looking(kinroom: Command) -> None:
    assert "run `kinroom migrate`" in kinroom("area", "list").complaint
    assert list(Path.cwd().iterdir()) == []


def test_migrate_makes_the_database_once(kinroom: Command) -> None:
    assert kinroom("migrate", "--json").json["before"] is None
    again = kinroom("migrate", "--json").json
    assert again["before"] == again["after"]
    assert "already" in kinroom("migrate").out


def test_the_first_area_makes_the_database(kinroom: Command) -> None:
    done = kinroom("area", "add", "qinghe", "青禾县")
    assert done.out == "Made the database.\nAdded 青禾县 (qinghe), Asia/Shanghai, zh.\n"
    added = kinroom("area", "add", "t1", "Town", "--parent", "qinghe", "--language", "en", "--json")
    assert added.json == {
        "code": "t1",
        "name": "Town",
        "parent": "qinghe",
        "timezone": "Asia/Shanghai",
        "language": "en",
    }
    assert kinroom("area", "list").out == (
        "qinghe  青禾县  (Asia/Shanghai, zh)\n  t1  Town  (Asia/Shanghai, en)\n"
    )
    areas = kinroom("area", "list", "--json").json["areas"]
    assert [(area["code"], area["parent"]) for area in areas] == [
        ("qinghe", None),
        ("t1", "qinghe"),
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("x", "X"), "already"),
        (("y", "Y", "--parent", "nosuch"), "no area “nosuch”"),
        (("y", "Y", "--timezone", "Mars/Olympus"), "not a time zone"),
        (("y", "Y", "--language", "tlh"), "not one of the languages"),
    ],
)
def test_areas_that_cannot_be(kinroom: Command, words: tuple[str, ...], says: str) -> None:
    kinroom("area", "add", "x", "X")
    assert says in kinroom("area", "add", *words).complaint
    assert len(kinroom("area", "list", "--json").json["areas"]) == 1


def test_the_weeks_budget_is_set_and_inherited(kinroom: Command) -> None:
    kinroom("area", "add", "x", "X")
    kinroom("area", "add", "y", "Y", "--parent", "x")
    assert kinroom("area", "budget", "y").out == (
        "y: 3 messages a week to each worker (as above it).\n"
    )
    assert kinroom("area", "budget", "x", "5", "--json").json == {
        "area": "x",
        "budget": 5,
        "own": True,
    }
    assert kinroom("area", "budget", "y", "--json").json["budget"] == 5
    assert ", 5 messages a week)" in kinroom("area", "list").out.splitlines()[0]
    assert [it["budget"] for it in kinroom("area", "list", "--json").json["areas"]] == [5, 5]
    for nonsense in ("0", "22", "99999999999", "some"):
        assert "1 to 21 messages" in kinroom("area", "budget", "y", nonsense).complaint
    assert "not both" in kinroom("area", "budget", "y", "4", "--as-above").complaint
    assert "no area “z”" in kinroom("area", "budget", "z").complaint
    assert "as above it" in kinroom("area", "budget", "x", "--as-above").out


def test_an_officer_is_invited(installed: Command, database_url: str, vault: Vault) -> None:
    installed("area", "add", "x", "X")
    made = installed(
        "officer", "invite", "--area", "x", "--role", "liaison", "--name", " 何 秋云 ", "--json"
    ).json
    token = made["token"]
    web = f"http://127.0.0.1:8080/chat/?start={token}"
    assert made == {"token": token, "links": {"telegram": None, "web": web}}
    now = datetime.now(UTC)
    invite = _write(database_url, vault, lambda tx: check_invite(tx, token, now))
    assert (invite.kind, invite.role, invite.name) == ("officer", "liaison", "何 秋云")
    said = installed("officer", "invite", "--area", "x", "--role", "admin", "--name", "N").out
    assert "http://127.0.0.1:8080/chat/?start=o" in said


def test_the_telegram_link_once_the_bot_is_known(
    installed: Command, database_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed("area", "add", "x", "X")
    _write(database_url, vault, lambda tx: put_value(tx, TELEGRAM_USERNAME, "kin_bot"))
    made = installed("worker", "invite", "--area", "x", "--json").json
    assert made["links"]["telegram"] is None
    monkeypatch.setenv("KINROOM_TELEGRAM_TOKEN", "42:abc")
    made = installed("worker", "invite", "--area", "x", "--json").json
    assert made["links"]["telegram"] == f"https://t.me/kin_bot?start={made['token']}"


def test_a_village_is_invited_with_a_qr_code(kinroom: Command, tmp_path: Path) -> None:
    kinroom("area", "add", "x", "X")
    file = tmp_path / "code.svg"
    done = kinroom("worker", "invite", "--area", "x", "--uses", "30", "--qr", str(file))
    assert "for 30 people" in done.out
    assert ET.parse(file).getroot().tag.endswith("svg")
    missing = tmp_path / "nowhere" / "code.svg"
    refused = kinroom("worker", "invite", "--area", "x", "--qr", str(missing))
    assert "there is no folder" in refused.complaint


@pytest.mark.parametrize("name", ["", "  ", "N" * 41, "123"])
def test_an_officer_has_a_name(kinroom: Command, name: str) -> None:
    kinroom("area", "add", "x", "X")
    refused = kinroom("officer", "invite", "--area", "x", "--role", "admin", "--name", name)
    assert "1 to 40 characters" in refused.complaint


@pytest.mark.parametrize(
    "words",
    [
        ("rollcall", "--text", "t"),
        ("broadcast", "--text", "t"),
        ("register",),
        ("worker", "invite"),
        ("officer", "invite", "--role", "admin", "--name", "N"),
    ],
)
def test_an_area_that_is_not_there(kinroom: Command, words: tuple[str, ...]) -> None:
    kinroom("migrate")
    assert "no area “nosuch”" in kinroom(*words, "--area", "nosuch").complaint


def test_the_whole_county(installed: Command, database_url: str, vault: Vault) -> None:
    _write(database_url, vault, lambda tx: make_demo(tx, datetime.now(UTC)))
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
    left = _write(database_url, vault, lambda tx: tx.scalar(select(func.count(Person.id))))
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


@pytest.mark.parametrize("words", ["", "   ", "长" * 3001])
@pytest.mark.parametrize("command", ["rollcall", "broadcast"])
def test_texts_that_cannot_be_sent(kinroom: Command, command: str, words: str) -> None:
    kinroom("area", "add", "x", "X")
    assert kinroom(command, "--area", "x", "--text", words).complaint.startswith("the text is")


def test_a_newer_database_is_left_alone(
    installed: Command, database_url: str, vault: Vault
) -> None:
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    _write(database_url, vault, lambda tx: tx.execute(newer))
    for words in (("migrate",), ("area", "list"), ("area", "add", "x", "X")):
        assert "written by a newer Kinroom" in installed(*words).complaint


def test_another_key_is_refused(installed: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    installed("area", "add", "x", "X")
    monkeypatch.setenv("KINROOM_SECRET_KEY", "another " * 5)
    assert "not the one this database was written with" in installed("area", "list").complaint


def test_it_answers_at_once() -> None:
    """What is slow to import waits until a command needs it."""
    code = (
        "import sys, bot.cli; "
        "slow = {'sqlalchemy', 'aiohttp', 'aiogram', 'pydantic', 'alembic', 'babel'}; "
        "sys.exit(' '.join(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_python_dash_m_bot(tmp_path: Path) -> None:
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "bot", "nosuch"],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )
    assert done.returncode == 2
    assert done.stderr == "kinroom: No such command 'nosuch' (kinroom --help shows how)\n"


def test_a_broadcast_is_listed_shown_and_stopped(
    installed: Command, database_url: str, vault: Vault
) -> None:
    assert installed("broadcast", "list").out == "No notice was sent yet.\n"
    assert installed("broadcast", "show", "1").complaint == "there is no broadcast 1"
    _write(database_url, vault, lambda tx: make_demo(tx, datetime.now(UTC)))
    installed("area", "add", "empty", "Nobody")

    none = installed("broadcast", "--area", "empty", "--text", "hello")
    assert "nobody to send it to, so it is over" in none.out
    over = installed("broadcast", "list", "--json").json["broadcasts"][0]
    assert (over["state"], over["audience"]) == ("done", 0)
    assert "There was nobody" in installed("broadcast", "show", str(over["broadcast"])).out
    assert "is over already" in installed("broadcast", "stop", str(over["broadcast"])).complaint

    sent = installed("broadcast", "--area", "demo", "--text", "体检", "--json").json
    assert set(sent) == {"broadcast", "area", "count"}
    number = str(sent["broadcast"])
    running = installed("broadcast", "show", number, "--names", "--json").json
    assert (running["state"], running["audience"]) == ("running", sent["count"])
    assert running["outcome"]["waiting"] == len(running["names"]) == sent["count"]
    assert "体检" in installed("broadcast", "list", "--area", "demo").out
    assert installed("broadcast", "list", "--area", "empty", "--json").json["broadcasts"] == [over]
    assert "no area “nosuch”" in installed("broadcast", "list", "--area", "nosuch").complaint

    stopped = installed("broadcast", "stop", number, "--json").json
    assert (stopped["state"], stopped["outcome"]["cancelled"]) == ("stopped", sent["count"])
    assert stopped["ended_at"] is not None
    assert "is stopped already" in installed("broadcast", "stop", number).complaint
    shown = installed("broadcast", "show", number, "--names").out
    assert "stopped" in shown
    assert "林小满: the notice was stopped" in shown
    assert "there is no broadcast 999" in installed("broadcast", "stop", "999").complaint
    both = installed("broadcast", "--area", "demo", "list")
    assert "either send a notice" in both.complaint

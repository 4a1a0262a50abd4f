"""The command itself: it explains itself, tells slips in one line, and answers at once."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.vault import Vault
from tests.command import Command, write_to

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


def test_a_newer_database_is_left_alone(
    installed: Command, database_url: str, vault: Vault
) -> None:
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    write_to(database_url, vault, lambda tx: tx.execute(newer))
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

"""What an operator reads when something is wrong with the machine."""

import errno
import os
import socket
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from bot.explain import explain, hide_secrets
from storage.errors import Refused
from storage.vault import SealBroken
from tests.command import Command

TOKEN = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"


def _sqlite(words: str) -> OperationalError:
    return OperationalError("SELECT 1", {}, sqlite3.OperationalError(words))


class _Postgres(Exception):
    def __init__(self, state: str) -> None:
        super().__init__("a server said something\nin two lines")
        self.sqlstate = state


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        (Refused("there is no such thing"), "there is no such thing"),
        (_sqlite("database is locked"), "locked by another program"),
        (_sqlite("database or disk is full"), "the disk is full"),
        (_sqlite("attempt to write a readonly database"), "cannot be written"),
        (_sqlite("unable to open database file"), "cannot be opened"),
        (_sqlite("file is not a database"), "not a SQLite database"),
        (_sqlite("database disk image is malformed"), "restore a backup"),
        (_sqlite("no such table: x"), "no such table: x"),
        (OperationalError("x", {}, _Postgres("28P01")), "user or the password"),
        (_Postgres("3D000"), "no such database"),
        (_Postgres("57P03"), "try again in a moment"),
        (_Postgres("53100"), "disk is full"),
        (_Postgres("53300"), "no connection left"),
        (SealBroken("x"), "does not open with this secret key"),
        (OSError(errno.ENOSPC, "x"), "the disk is full"),
        (OSError(errno.EADDRINUSE, "x"), "set KINROOM_HTTP_PORT"),
        (PermissionError(errno.EACCES, "x", "var/a"), "var/a may not be read or written"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "cannot be reached"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (KeyError("x"), "a fault in Kinroom: KeyError"),
    ],
)
def test_one_line_that_helps(problem: BaseException, says: str) -> None:
    line = explain(problem)
    assert says in line
    assert "\n" not in line
    assert "Traceback" not in line


def test_no_secret_is_repeated() -> None:
    assert TOKEN not in explain(ValueError(f"https://api.telegram.org/bot{TOKEN}/getMe"))
    assert "hunter2" not in explain(ValueError("postgresql://me:hunter2@host/db"))
    assert hide_secrets("at 12:30 all is well") == "at 12:30 all is well"


def _unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_server_that_is_not_there(kinroom: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"postgresql://me:hunter2@127.0.0.1:{_unused_port()}/kinroom"
    monkeypatch.setenv("KINROOM_DATABASE_URL", url)
    for words in (("area", "list"), ("migrate",), ("area", "add", "x", "X")):
        line = kinroom(*words).complaint
        assert "cannot be reached" in line
        assert "hunter2" not in line


def test_a_database_that_is_not_there(
    kinroom: Command, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = postgres_url.split("?")[0].rsplit("/", 1)[1]
    monkeypatch.setenv("KINROOM_DATABASE_URL", postgres_url.replace(f"/{name}", "/nosuch", 1))
    assert "no such database on the server" in kinroom("area", "list").complaint


def test_a_file_that_is_no_database(kinroom: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("notes.txt").write_text("this is not a database " * 100)
    monkeypatch.setenv("KINROOM_DATABASE_URL", "sqlite:///notes.txt")
    assert "not a SQLite database" in kinroom("area", "list").complaint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_closed(kinroom: Command) -> None:
    Path("var").mkdir(mode=0o500)
    assert kinroom("migrate").complaint


def test_a_folder_that_is_a_file(kinroom: Command) -> None:
    Path("var").write_text("in the way")
    assert kinroom("migrate").complaint

"""What is not put back, or not here, or not now; what is there stays."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.settings import read_settings
from bot.sole_service import sole_service
from tests import backup_county
from tests.backup_county import FILE, areas_of, connect
from tests.command import Command

small = backup_county.small


def _spoil(how: str) -> None:
    whole = FILE.read_bytes()
    if how == "empty":
        FILE.write_bytes(b"")
    elif how == "text":
        FILE.write_text("dear diary\n" * 100)
    elif how == "cut":
        FILE.write_bytes(whole[: len(whole) * 2 // 3])
    elif how == "flipped":
        middle = len(whole) // 2
        FILE.write_bytes(whole[:middle] + bytes(64) + whole[middle + 64 :])
    elif how == "gone":
        FILE.unlink()
    elif how == "folder":
        FILE.unlink()
        FILE.mkdir()


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("empty", "is empty"),
        ("text", "is not a backup"),
        ("cut", "cut short"),
        ("gone", "there is no file"),
        ("folder", "is not a file"),
    ],
)
def test_a_file_that_is_no_backup(small: Command, how: str, says: str) -> None:
    _spoil(how)
    small("area", "add", "y", "Y")
    assert says in small("restore", str(FILE), "--yes").complaint
    assert areas_of(small) == ["x", "y"]


def test_a_damaged_archive(small: Command, database_url: str) -> None:
    _spoil("flipped")
    assert small("restore", str(FILE), "--yes").complaint
    assert areas_of(small) == ["x"]


def test_another_database_altogether(small: Command, database_url: str) -> None:
    with closing(sqlite3.connect("other.db")) as raw:
        raw.execute("CREATE TABLE fish (name)")
    line = small("restore", "other.db", "--yes").complaint
    assert "not a backup of Kinroom" in line


def test_with_another_key(small: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINROOM_SECRET_KEY", "another " * 5)
    assert "the secret key is not the one" in small("restore", str(FILE), "--yes").complaint
    monkeypatch.delenv("KINROOM_SECRET_KEY")
    assert "the secret key is not here" in small("restore", str(FILE), "--yes").complaint
    assert not Path("var").exists()


def test_of_a_newer_program(small: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.backup.file.known_versions", lambda: ["0001"])
    line = small("restore", str(FILE), "--yes").complaint
    assert "written by a newer Kinroom" in line


def test_of_the_other_engine(
    small: Command, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on_sqlite = database_url.startswith("sqlite")
    other = "postgresql://me:hunter2@127.0.0.1:1/x" if on_sqlite else f"sqlite:///{tmp_path}/a.db"
    monkeypatch.setenv("KINROOM_DATABASE_URL", other)
    line = small("restore", str(FILE), "--yes").complaint
    assert "back into the engine it came from" in line
    assert not (tmp_path / "a.db").exists()


@contextmanager
def _service(url: str) -> Iterator[None]:
    """What a running service holds."""
    if url.startswith("sqlite"):
        with sole_service(read_settings()):
            yield
        return
    loop = asyncio.new_event_loop()
    settings = {"application_name": "kinroom"}
    conn = loop.run_until_complete(connect(url, server_settings=settings))
    try:
        yield
    finally:
        loop.run_until_complete(conn.close())
        loop.close()


def test_not_under_a_running_service(small: Command, database_url: str) -> None:
    with _service(database_url):
        assert small("backup", "while").code == 0
        assert "stop it first" in small("restore", str(FILE), "--yes").complaint
    assert areas_of(small) == ["x"]
    assert small("restore", str(FILE), "--yes").code == 0


def test_not_under_another_program(kinroom: Command) -> None:
    kinroom("area", "add", "x", "X")
    kinroom("backup", str(FILE))
    with closing(sqlite3.connect("var/kinroom.db")) as other:
        other.execute("SELECT count(*) FROM area").fetchone()
        assert "has the database" in kinroom("restore", str(FILE), "--yes").complaint
    assert sorted(path.name for path in Path("var").iterdir()) == [
        "kinroom.db",
        "kinroom.db.lock",
        "secret_key",
    ]

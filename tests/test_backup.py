"""A backup is taken as an operator does it, and put back, on both databases."""

import asyncio
import sqlite3
import stat
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from storage.vault import Vault
from tests import backup_county
from tests.backup_county import FILE, areas_of, connect, register_of
from tests.command import Command

county, small = backup_county.county, backup_county.small


def test_there_and_back(county: Command, database_url: str, vault: Vault) -> None:
    before, areas = register_of(county), areas_of(county)
    county("area", "add", "later", "Later")
    assert "add --yes" in county("restore", str(FILE)).complaint
    assert "later" in areas_of(county)
    back = county("restore", str(FILE), "--yes", "--json").json
    assert areas_of(county) == areas
    assert register_of(county) == before
    assert set(back) == {
        "file",
        "engine",
        "version",
        "at",
        "kept",
        "unknown",
        "waiting",
        "broadcasts_stopped",
        "sessions_ended",
        "links_ended",
        "left_again",
    }
    assert _kept(database_url, back["kept"]) == len(areas) + 1
    # And what is there now can be copied and put back again.
    again = county("backup", "again", "--json").json
    assert again["rows"] > 1000
    assert county("restore", "again", "--yes").code == 0
    assert register_of(county) == before
    if database_url.startswith("sqlite"):
        # So can what a restore has replaced.
        assert "of an unknown time" in county("restore", back["kept"], "--yes").out
        assert "later" in areas_of(county)


def _kept(url: str, kept: str) -> int:
    """The areas of the database that was replaced."""
    if url.startswith("sqlite"):
        assert stat.S_IMODE(Path(kept).stat().st_mode) == 0o600
        with closing(sqlite3.connect(kept)) as raw:
            return int(raw.execute("SELECT count(*) FROM area").fetchone()[0])

    async def count() -> int:
        conn = await connect(url)
        try:
            return int(await conn.fetchval(f"SELECT count(*) FROM {kept}.area"))
        finally:
            await conn.close()

    return asyncio.run(count())


def test_what_it_says(small: Command, database_url: str) -> None:
    made = small("backup", "second", "--json").json
    engine = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    assert (made["file"], made["engine"], made["secret_key"]) == ("second", engine, False)
    assert made["bytes"] == Path("second").stat().st_size
    assert made["version"] == small("migrate", "--json").json["after"]
    assert datetime.fromisoformat(made["at"]).utcoffset() is not None
    assert stat.S_IMODE(Path("second").stat().st_mode) == 0o600
    said = small("backup", "second", "--force").out
    assert "The secret key is not in it" in said
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["county.backup", "second"]


def test_where_it_cannot_be_written(small: Command, database_url: str) -> None:
    Path("folder").mkdir()
    Path("plain").write_text("x")
    assert "is there already" in small("backup", str(FILE)).complaint
    assert "is a folder" in small("backup", "folder").complaint
    assert "no folder" in small("backup", "nowhere/file").complaint
    assert small("backup", "plain/file").complaint
    names = {path.name for path in Path.cwd().iterdir()}
    assert names == {"county.backup", "folder", "plain"}
    if database_url.startswith("sqlite"):
        own = make_url(database_url).database or ""
        assert "the database itself" in small("backup", own, "--force").complaint
        assert "the database itself" in small("restore", own, "--yes").complaint
        assert areas_of(small) == ["x"]


def test_two_at_once_to_one_file(small: Command) -> None:
    from storage.backup.copying import written_whole

    with written_whole(Path("one")):
        assert "another backup" in small("backup", "one").complaint
    assert Path("one").exists()


def test_nothing_to_copy(kinroom: Command) -> None:
    assert "nothing to copy" in kinroom("backup", "a").complaint
    assert list(Path.cwd().iterdir()) == []

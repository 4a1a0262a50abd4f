"""A backup is taken and put back as an operator does it, on both databases."""

import asyncio
import json
import sqlite3
import stat
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url

from bot.demo import make_demo
from bot.possession import sole_service
from bot.settings import read_settings
from storage.backup import postgres as backup_postgres
from storage.backup import postgres_tools
from storage.database import Database, Tx
from storage.errors import Refused
from storage.migrate import RESTORING, known_versions, upgrade
from storage.models import Person
from storage.vault import Vault
from tests.command import Command

T = TypeVar("T")
FILE = Path("county.backup")


def _write(url: str, vault: Vault, work: Callable[[Tx], Awaitable[T]]) -> T:
    async def run() -> T:
        db = Database(url, vault, pool_size=1)
        try:
            async with db.write() as tx:
                return await work(tx)
        finally:
            await db.close()

    return asyncio.run(run())


@pytest.fixture
def county(installed: Command, database_url: str, vault: Vault) -> Command:
    """The command on a demo county, of which ``FILE`` is a backup."""
    _write(database_url, vault, lambda tx: make_demo(tx, datetime.now(UTC)))
    assert installed("backup", str(FILE)).code == 0
    return installed


@pytest.fixture
def small(installed: Command) -> Command:
    """The command on a database with one area, of which ``FILE`` is a backup."""
    installed("area", "add", "x", "X")
    assert installed("backup", str(FILE)).code == 0
    return installed


def _areas(kinroom: Command) -> list[str]:
    return [area["code"] for area in kinroom("area", "list", "--json").json["areas"]]


def _register(kinroom: Command) -> Any:
    return kinroom("register", "--area", "demo", "--json").json


def test_there_and_back(county: Command, database_url: str, vault: Vault) -> None:
    before, areas = _register(county), _areas(county)
    county("area", "add", "later", "Later")
    assert "add --yes" in county("restore", str(FILE)).complaint
    assert "later" in _areas(county)
    back = county("restore", str(FILE), "--yes", "--json").json
    assert _areas(county) == areas
    assert _register(county) == before
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
    assert _register(county) == before
    if database_url.startswith("sqlite"):
        # So can what a restore has replaced.
        assert "of an unknown time" in county("restore", back["kept"], "--yes").out
        assert "later" in _areas(county)


def _kept(url: str, kept: str) -> int:
    """The areas of the database that was replaced."""
    if url.startswith("sqlite"):
        assert stat.S_IMODE(Path(kept).stat().st_mode) == 0o600
        with closing(sqlite3.connect(kept)) as raw:
            return int(raw.execute("SELECT count(*) FROM area").fetchone()[0])

    async def count() -> int:
        conn = await _connect(url)
        try:
            return int(await conn.fetchval(f"SELECT count(*) FROM {kept}.area"))
        finally:
            await conn.close()

    return asyncio.run(count())


async def _connect(url: str, **more: Any) -> Any:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return await asyncpg.connect(plain, **more)


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


def test_into_an_empty_place(small: Command, database_url: str, vault: Vault) -> None:
    """On a new machine there is nothing to say yes to."""
    if database_url.startswith("sqlite"):
        Path(make_url(database_url).database or "").unlink()
    else:
        _write(database_url, vault, _drop_all)
    back = small("restore", str(FILE), "--json").json
    assert back["kept"] is None
    assert _areas(small) == ["x"]


async def _drop_all(tx: Tx) -> None:
    tables = await tx.execute(
        text("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
    )
    for name in tables.scalars().all():
        await tx.execute(text(f"DROP TABLE IF EXISTS {name} CASCADE"))


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
        assert _areas(small) == ["x"]


def test_two_at_once_to_one_file(small: Command) -> None:
    from storage.backup.copying import written_whole

    with written_whole(Path("one")):
        assert "another backup" in small("backup", "one").complaint
    assert Path("one").exists()


def test_nothing_to_copy(kinroom: Command) -> None:
    assert "nothing to copy" in kinroom("backup", "a").complaint
    assert list(Path.cwd().iterdir()) == []


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
    assert _areas(small) == ["x", "y"]


def test_a_damaged_archive(small: Command, database_url: str) -> None:
    _spoil("flipped")
    assert small("restore", str(FILE), "--yes").complaint
    assert _areas(small) == ["x"]


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
    conn = loop.run_until_complete(_connect(url, server_settings=settings))
    try:
        yield
    finally:
        loop.run_until_complete(conn.close())
        loop.close()


def test_not_under_a_running_service(small: Command, database_url: str) -> None:
    with _service(database_url):
        assert small("backup", "while").code == 0
        assert "stop it first" in small("restore", str(FILE), "--yes").complaint
    assert _areas(small) == ["x"]
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


def test_over_a_damaged_database(kinroom: Command) -> None:
    """What backups are for."""
    kinroom("area", "add", "x", "X")
    kinroom("backup", str(FILE))
    Path("var/kinroom.db").write_bytes(b"a cat walked over it" * 1000)
    assert "add --yes" in kinroom("restore", str(FILE)).complaint
    kept = kinroom("restore", str(FILE), "--yes", "--json").json["kept"]
    assert Path(kept).read_bytes().startswith(b"a cat")
    assert _areas(kinroom) == ["x"]


def test_a_full_disk(kinroom: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from storage.backup import copying as backup

    kinroom("area", "add", "x", "X")
    opened = backup._open

    def open_small(file: Path, mode: str) -> sqlite3.Connection:
        raw = opened(file, mode)
        if file.name.endswith(".partial"):
            raw.execute("PRAGMA max_page_count = 20")
        return raw

    monkeypatch.setattr(backup, "_open", open_small)
    assert "the disk is full" in kinroom("backup", str(FILE)).complaint
    assert [path.name for path in Path.cwd().iterdir()] == ["var"]


def test_before_an_upgrade(installed: Command, database_url: str, vault: Vault) -> None:
    """An older database is copied as it is, and brought up when it is put back."""
    if database_url.startswith("sqlite"):
        Path(make_url(database_url).database or "").unlink()
    else:
        _write(database_url, vault, _drop_all)

    async def begin() -> None:
        db = Database(database_url, vault, pool_size=1)
        try:
            await upgrade(db, "0001")
        finally:
            await db.close()

    asyncio.run(begin())
    assert installed("backup", "old", "--json").json["version"] == "0001"
    assert installed("restore", "old", "--yes").code == 0
    assert installed("migrate", "--json").json["before"] == known_versions()[-1]


class TestPostgres:
    """What only PostgreSQL can do, or fail to do."""

    @pytest.fixture
    def small(
        self, kinroom: Command, postgres_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> Command:
        monkeypatch.setenv("KINROOM_DATABASE_URL", postgres_url)
        kinroom("area", "add", "x", "X")
        assert kinroom("backup", str(FILE)).code == 0
        return kinroom

    def test_it_is_an_archive_of_pg_dump(self, small: Command) -> None:
        """Who has no Kinroom any more has pg_restore."""

        async def listed() -> str:
            db = Database(read_settings().database_url, Vault(""), pool_size=1)
            try:
                async with db.read() as tx:
                    server = await backup_postgres.find_server(tx)
                tool = await postgres_tools.find_tool(
                    "pg_restore", server.major, db.url, server.beside
                )
                return await postgres_tools.run_tool(tool, ["--list", str(FILE)], None, {})
            finally:
                await db.close()

        assert "TABLE DATA public delivery" in asyncio.run(listed())

    def test_without_pg_dump(self, small: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgres_tools, "_candidates", lambda *_: [])
        assert "install postgresql-client-" in small("backup", "b").complaint
        assert "install postgresql-client-" in small("restore", str(FILE), "--yes").complaint

    def test_with_an_old_pg_dump(
        self, small: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        old = tmp_path / "pg_dump"
        old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
        old.chmod(0o755)
        monkeypatch.setattr(postgres_tools, "_candidates", lambda *_: [str(old)])
        assert "is of version 9 here" in small("backup", "b").complaint
        assert [path.name for path in Path.cwd().iterdir() if path.name != "var"] == [str(FILE)]

    def test_a_failure_puts_back_what_was_there(
        self, small: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small("area", "add", "y", "Y")
        run = postgres_tools.run_tool

        async def fail(tool: Any, words: Any, *rest: Any) -> str:
            if "--single-transaction" in words:
                raise Refused("the disk is full")
            return await run(tool, words, *rest)

        monkeypatch.setattr("storage.backup.restore_postgres.run_tool", fail)
        assert "the disk is full" in small("restore", str(FILE), "--yes").complaint
        assert _areas(small) == ["x", "y"]

    def test_a_restore_that_was_killed(
        self, small: Command, postgres_url: str, vault: Vault
    ) -> None:
        """Nothing starts on what is half done; the next restore begins anew."""

        async def half() -> None:
            conn = await _connect(postgres_url)
            try:
                await conn.execute(f"CREATE SCHEMA {RESTORING}")
                tables = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
                for row in await conn.fetch(tables):
                    await conn.execute(f"ALTER TABLE {row[0]} SET SCHEMA {RESTORING}")
                await conn.execute("CREATE TABLE area (id int)")
            finally:
                await conn.close()

        asyncio.run(half())
        assert "did not come to its end" in small("area", "list").complaint
        assert "did not come to its end" in small("migrate").complaint
        assert small("restore", str(FILE), "--yes").code == 0
        assert _areas(small) == ["x"]

    def test_no_password_is_told(self, kinroom: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        url = make_url("postgresql+asyncpg://me:hunter2@127.0.0.1:1/x?ssl=require")
        asked = postgres_tools._libpq(url)
        assert asked["PGPASSWORD"] == "hunter2"
        assert asked["PGSSLMODE"] == "require"
        monkeypatch.setenv("KINROOM_DATABASE_URL", str(url.render_as_string(hide_password=False)))
        done = kinroom("backup", "b")
        assert done.code == 1
        assert "hunter2" not in done.err


def test_who_left_since_does_not_come_back(
    county: Command, database_url: str, vault: Vault
) -> None:
    async def leave(tx: Tx) -> str:
        from storage.models import Account
        from storage.people.erasure import erase_person
        from storage.people.who import load_who

        row = (
            await tx.execute(
                select(Person.ref, Account.bot_id, Account.chat_id)
                .join(Account, Account.person_id == Person.id)
                .where(Person.is_officer.is_(False))
                .limit(1)
            )
        ).one()
        who = await load_who(tx, row.bot_id, row.chat_id)
        assert who is not None
        await erase_person(tx, who, datetime.now(UTC))
        return str(row.ref)

    ref = _write(database_url, vault, leave)
    assert county("restore", str(FILE), "--yes", "--json").json["left_again"] == 1
    gone = select(Person.name, Person.erased_at).where(Person.ref == ref)
    row = _write(database_url, vault, lambda tx: tx.execute(gone)).one()
    assert row.name is None
    assert row.erased_at is not None
    assert json.loads(county("backup", "new", "--json").out)["rows"] > 0

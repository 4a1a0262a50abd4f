"""What a restore comes upon: nothing, damage, a full disk, an older program, who left since."""

import asyncio
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url

from storage.database import Database, Tx
from storage.migrate import known_versions, upgrade
from storage.models import Person
from storage.vault import Vault
from tests import backup_county
from tests.backup_county import FILE, areas_of
from tests.command import Command, write_to

county, small = backup_county.county, backup_county.small


def test_into_an_empty_place(small: Command, database_url: str, vault: Vault) -> None:
    """On a new machine there is nothing to say yes to."""
    if database_url.startswith("sqlite"):
        Path(make_url(database_url).database or "").unlink()
    else:
        write_to(database_url, vault, _drop_all)
    back = small("restore", str(FILE), "--json").json
    assert back["kept"] is None
    assert areas_of(small) == ["x"]


async def _drop_all(tx: Tx) -> None:
    tables = await tx.execute(
        text("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
    )
    for name in tables.scalars().all():
        await tx.execute(text(f"DROP TABLE IF EXISTS {name} CASCADE"))


def test_over_a_damaged_database(kinroom: Command) -> None:
    """What backups are for."""
    kinroom("area", "add", "x", "X")
    kinroom("backup", str(FILE))
    Path("var/kinroom.db").write_bytes(b"a cat walked over it" * 1000)
    assert "add --yes" in kinroom("restore", str(FILE)).complaint
    kept = kinroom("restore", str(FILE), "--yes", "--json").json["kept"]
    assert Path(kept).read_bytes().startswith(b"a cat")
    assert areas_of(kinroom) == ["x"]


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
        write_to(database_url, vault, _drop_all)

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

    ref = write_to(database_url, vault, leave)
    assert county("restore", str(FILE), "--yes", "--json").json["left_again"] == 1
    gone = select(Person.name, Person.erased_at).where(Person.ref == ref)
    row = write_to(database_url, vault, lambda tx: tx.execute(gone)).one()
    assert row.name is None
    assert row.erased_at is not None
    assert json.loads(county("backup", "new", "--json").out)["rows"] > 0

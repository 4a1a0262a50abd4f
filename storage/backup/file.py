"""What a backup's file says of itself: made by what, of what, when, and whether it is whole."""

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from storage.engine.sqlite import as_sqlalchemy
from storage.errors import Refused
from storage.installation import BACKUP, KEY_CHECK
from storage.migrate import known_versions
from storage.vault import Vault

Engine = Literal["sqlite", "postgresql"]

APPLICATION_ID: Final = int.from_bytes(b"Kinr", "big")
"""SQLite's ``PRAGMA application_id`` of a backup: ``file`` shows it."""

_SQLITE: Final = b"SQLite format 3\0"
_POSTGRES: Final = b"PGDMP"
# Behind the archive: pg_restore finds its parts by their place and reads no further.
_MARK: Final = b"\nkinroom-backup "
_LONGEST_MARK: Final = 4096
_BLOCK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a backup.

    ``version`` is the database's, the number of a migration; ``at`` (UTC) is when the copy was
    begun, None for a database that was copied by other means; ``rows`` are those of all tables.
    ``tool`` is the major version of the ``pg_dump`` that made it, ``schema`` what it holds.
    """

    engine: Engine
    version: str
    kinroom: str | None
    at: datetime | None
    rows: int
    key_check: str | None
    tool: int | None = None
    schema: str | None = None

    def as_json(self) -> str:
        known = asdict(self) | {"at": self.at.isoformat() if self.at else None}
        return json.dumps({name: value for name, value in known.items() if value is not None})

    @classmethod
    def parse(cls, text: str) -> "About":
        """Raises ``ValueError``, ``TypeError`` or ``KeyError`` for what is none."""
        known: dict[str, Any] = json.loads(text)
        at = datetime.fromisoformat(known["at"]).astimezone(UTC)
        blank: dict[str, Any] = {"kinroom": None, "key_check": None, "tool": None, "schema": None}
        return cls(**{**blank, **known, "at": at})


def check_backup(file: Path, engine: Engine, vault: Vault) -> About:
    """What a backup says of itself, once it is certain that it can be restored here.

    Raises :class:`Refused` when ``file`` is no backup, is damaged or cut short, belongs to the
    other engine or to another secret key, or was made by a newer Kinroom.
    """
    about = _read(file)
    if about.engine != engine:
        names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
        raise Refused(
            f"{file} is a backup of {names[about.engine]}, and KINROOM_DATABASE_URL names "
            f"{names[engine]}: a backup goes back into the engine it came from"
        )
    known = known_versions()
    if about.version not in known:
        raise Refused(
            f"{file} holds a database of version {about.version}, written by a newer Kinroom than "
            f"this one, which knows up to {known[-1]}: install the newer Kinroom first"
        )
    if about.key_check not in (None, vault.lookup(KEY_CHECK, "")):
        raise Refused(
            f"the secret key is not the one {file} was written with: put the var/secret_key that "
            "belongs to it back, or set KINROOM_SECRET_KEY; nothing about people opens without it"
        )
    return about


def _read(file: Path) -> About:
    if not file.exists():
        raise Refused(f"there is no file {file}")
    if not file.is_file():
        raise Refused(f"{file} is not a file")
    with file.open("rb") as content:
        start = content.read(len(_SQLITE))
    if not start:
        raise Refused(f"{file} is empty: it is no backup")
    if start == _SQLITE:
        return _read_sqlite(file)
    if start.startswith(_POSTGRES):
        return _read_postgres(file)
    raise Refused(f"{file} is not a backup of Kinroom")


def _read_sqlite(file: Path) -> About:
    try:
        # Immutable: nothing is written beside it, and it may lie where nothing can be.
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?immutable=1", uri=True)) as raw:
            if raw.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                raise _damaged(file)
            tables = {row[0] for row in raw.execute("SELECT name FROM sqlite_master")}
            if not {"alembic_version", "installation"} <= tables:
                raise Refused(f"{file} is a SQLite database, but not a backup of Kinroom")
            (version,) = raw.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
            said = dict(raw.execute("SELECT key, value FROM installation").fetchall())
    except sqlite3.OperationalError as problem:
        raise as_sqlalchemy("backup", problem) from problem
    except sqlite3.DatabaseError as problem:
        raise _damaged(file) from problem
    if BACKUP in said:
        return About.parse(said[BACKUP])
    return About("sqlite", version, None, None, 0, said.get(KEY_CHECK))


def _read_postgres(file: Path) -> About:
    size = file.stat().st_size
    with file.open("rb") as content:
        content.seek(max(0, size - _LONGEST_MARK))
        _archive, found, mark = content.read().rpartition(_MARK)
        if not found or not mark.endswith(b"}\n"):
            raise Refused(
                f"{file} is cut short, or was not made by `kinroom backup`: take another one"
            )
        digest, _, told = mark.decode(errors="replace").partition(" ")
        length = size - len(_MARK) - len(mark)
        content.seek(0)
        if _digest(content, length) != digest:
            raise _damaged(file)
    try:
        return About.parse(told)
    except (ValueError, TypeError, KeyError) as problem:
        raise _damaged(file) from problem


def mark_archive(file: Path, about: About) -> None:
    """Write behind a PostgreSQL archive what it is, and a digest that tells if it is whole."""
    with file.open("r+b") as content:
        digest = _digest(content, file.stat().st_size)
        content.write(_MARK + f"{digest} {about.as_json()}\n".encode())


def _digest(content: Any, length: int) -> str:
    """SHA-256 of the next ``length`` bytes; what is read stands behind them."""
    seen = hashlib.sha256()
    while length and (block := content.read(min(_BLOCK, length))):
        seen.update(block)
        length -= len(block)
    return seen.hexdigest()


def _damaged(file: Path) -> Refused:
    return Refused(f"{file} is damaged or cut short: take another backup")

"""A consistent copy of the database in one file, taken while the service runs."""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from storage.backup.file import APPLICATION_ID, About
from storage.engine.sqlite import as_sqlalchemy
from storage.errors import Refused
from storage.installation import BACKUP, KEY_CHECK

_STEP: Final = 256
"""Pages copied at a time: about 1 MiB."""
_REST: Final = 0.002
"""Seconds between steps, in which the service has disk and processor to itself."""
_STEPS_A_SYNC: Final = 16


@contextlib.contextmanager
def written_whole(file: Path, *, force: bool = False) -> Iterator[Path]:
    """A file to write instead of ``file``, readable by its owner only, that takes its place.

    It does so once the block has ended well and all of it is on the disk; otherwise it goes
    again. Raises :class:`Refused` when ``file`` is there and not to be overwritten (``force``),
    or cannot be written.
    """
    if file.is_dir():
        raise Refused(f"{file} is a folder: name a file in it")
    if file.exists() and not force:
        raise Refused(f"{file} is there already: name another file, or add --force")
    if not file.absolute().parent.is_dir():
        raise Refused(f"there is no folder {file.absolute().parent}")
    partial = file.with_name(f"{file.name}.partial")
    handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"another backup is being written to {partial}") from None
        try:
            # What an earlier one left when it was killed.
            os.ftruncate(handle, 0)
            os.fchmod(handle, 0o600)
            yield partial
            os.fsync(handle)
            if file.exists() and not force:
                raise Refused(f"{file} came to be meanwhile, and stays: name another file")
            partial.replace(file)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    finally:
        os.close(handle)
    sync_folder(file.absolute().parent)


def sync_folder(folder: Path) -> None:
    """Make sure that names given in ``folder`` outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def copy_sqlite(source: Path, copy: Path, *, kinroom: str, now: datetime) -> About:
    """Copy the SQLite database ``source`` to ``copy``, an empty file, and check the copy.

    SQLite's online backup inside one read transaction: in WAL mode that is a view which does not
    change, whatever is written meanwhile, and nobody waits for it. (Without the transaction each
    commit of the service would make the backup begin anew; ``VACUUM INTO`` would do it in one
    statement that never rests, and cost twice the time.)
    """
    try:
        with (
            closing(_open(source, "rw")) as original,
            closing(_open(copy, "rw")) as target,
            copy.open("rb") as content,
        ):
            target.execute("PRAGMA journal_mode = OFF")
            target.execute("PRAGMA synchronous = OFF")
            original.execute("BEGIN")
            original.execute("SELECT count(*) FROM sqlite_master").fetchone()
            steps = 0

            def rest(_status: int, _remaining: int, _total: int) -> None:
                nonlocal steps
                steps += 1
                if steps % _STEPS_A_SYNC == 0:
                    # Bit by bit: the service's own commits would wait behind a whole gigabyte.
                    os.fsync(content.fileno())
                time.sleep(_REST)

            original.backup(target, pages=_STEP, progress=rest)
            original.execute("ROLLBACK")
            target.execute("PRAGMA journal_mode = DELETE")
            about = _describe(target, kinroom, now)
            target.execute(
                "INSERT OR REPLACE INTO installation (key, value) VALUES (?, ?)",
                (BACKUP, about.as_json()),
            )
            target.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            if target.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                raise Refused("the database is damaged: its copy does not pass SQLite's check")
            return about
    except sqlite3.Error as problem:
        raise as_sqlalchemy("backup", problem) from problem


def _open(file: Path, mode: str) -> sqlite3.Connection:
    address = f"{file.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=10, isolation_level=None)


def _describe(raw: sqlite3.Connection, kinroom: str, now: datetime) -> About:
    (version,) = raw.execute("SELECT version_num FROM alembic_version").fetchone()
    key = raw.execute("SELECT value FROM installation WHERE key = ?", (KEY_CHECK,)).fetchone()
    tables = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    rows = sum(raw.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables)  # noqa: S608  # our own tables' names
    return About("sqlite", version, kinroom, now, rows, key[0] if key else None)

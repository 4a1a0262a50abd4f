"""A SQLite database put back from its backup: made ready beside the old one, then swapped in."""

import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from storage.backup.copying import sync_folder
from storage.database import Database, Tx
from storage.errors import Refused
from storage.migrate import upgrade
from storage.vault import Vault

T = TypeVar("T")
_LEFT: Final = "SELECT ref FROM person WHERE erased_at IS NOT NULL"
_BESIDE: Final = ("-wal", "-shm", "-journal")


async def restore_sqlite(
    file: Path,
    target: Path,
    vault: Vault,
    now: datetime,
    settle: Callable[[Tx, list[str]], Awaitable[T]],
) -> tuple[T, Path | None]:
    """Put ``file``, a checked backup, in the place of the database ``target``.

    A copy of it is brought up and made fit to go on from by ``settle``; only then does it take the
    place, in one rename. ``settle`` is told the refs of those whom the old database knew to have
    left. Returns what it did, and where the old database is kept, if there was one. Raises
    :class:`Refused` when somebody works on that.
    """
    if _is_same(file, target):
        raise Refused(f"{file} is the database itself: name a backup of it")
    ready = target.with_name(f"{target.name}.restoring")
    _remove(ready)
    try:
        _copy(file, ready)
        # By no other name may it be opened: the address of a database is its path.
        db = Database(f"sqlite+aiosqlite:///{ready.absolute()}", vault, pool_size=1)
        try:
            await upgrade(db)
            async with db.write() as tx:
                settled = await settle(tx, _left(target))
        finally:
            await db.close()
        _make_one_file(ready)
        return settled, _swap(ready, target, now)
    finally:
        _remove(ready)


def _is_same(file: Path, target: Path) -> bool:
    return target.exists() and file.samefile(target)


def _left(target: Path) -> list[str]:
    """Refs of those who have left; none from a database that cannot be read any more."""
    if not target.exists():
        return []
    try:
        with closing(sqlite3.connect(target, timeout=0.5)) as raw:
            return [row[0] for row in raw.execute(_LEFT)]
    except sqlite3.DatabaseError:
        return []


def _copy(file: Path, ready: Path) -> None:
    handle = os.open(ready, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as copy, file.open("rb") as content:
        shutil.copyfileobj(content, copy, 1024 * 1024)


def _make_one_file(database: Path) -> None:
    """Leave no journal beside the database, and all of it on the disk.

    Outside WAL nobody else can have it open: raises :class:`sqlite3.OperationalError` then.
    """
    with closing(sqlite3.connect(database, timeout=0.5, isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("PRAGMA journal_mode = DELETE")
    handle = os.open(database, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _swap(ready: Path, target: Path, now: datetime) -> Path | None:
    """Rename ``ready`` to ``target``: at every moment one of the two databases is there, whole."""
    kept = None
    if target.exists():
        kept = target.with_name(f"{target.name}.before-restore-{now:%Y%m%dT%H%M%S.%f}")
        try:
            _make_one_file(target)
        except sqlite3.OperationalError as problem:
            if "locked" in str(problem):
                raise Refused(
                    f"another program has the database {target} open: stop it first"
                ) from None
        except sqlite3.DatabaseError:
            pass  # what is damaged is kept as it is, with what lies beside it
        target.chmod(0o600)
        owner = target.stat()
        with suppress(PermissionError):
            # The service may run as another than who restores.
            os.chown(ready, owner.st_uid, owner.st_gid)
        try:
            os.link(target, kept)
        except OSError:
            # A file system without links: for a moment there is no database.
            target.rename(kept)
        for suffix in _BESIDE:
            with suppress(FileNotFoundError):
                Path(f"{target}{suffix}").rename(f"{kept}{suffix}")
    ready.replace(target)
    sync_folder(target.absolute().parent)
    return kept


def _remove(database: Path) -> None:
    for suffix in ("", *_BESIDE):
        Path(f"{database}{suffix}").unlink(missing_ok=True)

"""One service to a SQLite database: a second would say again what the first is about to say."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from bot.opening import sqlite_file
from bot.settings import Settings
from storage.errors import Refused


@contextlib.contextmanager
def sole_service(settings: Settings) -> Iterator[None]:
    """Hold ``<database>.lock`` while the block runs; on PostgreSQL services run side by side.

    The lock ends with the process, however that ends; the file stays. Commands do not ask for it.
    Raises :class:`storage.errors.Refused` when another service holds it.
    """
    file = sqlite_file(settings)
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    held = _lock(file, Path(f"{file}.lock"))
    try:
        yield
    finally:
        os.close(held)


def _lock(file: Path, lock: Path) -> int:
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise Refused(
            f"another service runs on the database {file}: stop it first, or set "
            "KINROOM_DATABASE_URL to another"
        ) from None
    except BaseException:
        os.close(handle)
        raise
    return handle

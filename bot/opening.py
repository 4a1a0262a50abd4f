"""The database as the settings name it, opened with its secret key."""

import contextlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bot.settings import VAR, Settings
from storage.database import Database
from storage.engine.postgres import PATIENT
from storage.errors import Refused
from storage.installation import KEY_CHECK, check_key, find_value, keep_key
from storage.migrate import Standing, check_version, upgrade
from storage.vault import Vault

KEY_FILE = VAR / "secret_key"


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database. ``before`` and ``after`` tell its version around an upgrade."""

    settings: Settings
    db: Database
    secret_key: str
    before: str | None
    after: str | None


async def open_database(
    settings: Settings,
    *,
    bring_up: bool = False,
    pool_size: int = 20,
    patience: float = PATIENT,
) -> Opened:
    """Open the database; with ``bring_up`` also make it, or bring it to this version.

    ``patience`` is :class:`Database`'s; to bring it up takes as long as it takes.

    Makes ``var/secret_key`` for a new database when no key is set. Raises
    :class:`storage.errors.Refused` when the database is missing, behind or newer, or when the
    secret key is lost or another's.
    """
    _check_file(settings, bring_up=bring_up)
    key = find_secret_key(settings)
    if key is None:
        await _refuse_lost_key(settings)
        key = make_secret_key()
    db = Database(settings.database_url, Vault(key), pool_size=pool_size, patience=patience)
    try:
        before = after = None
        async with db.read() as tx:
            standing = await check_version(tx)
        if standing != "current":
            _check_standing(standing, bring_up=bring_up)
            before, after = await _upgrade(settings, key)
        async with db.read() as tx:
            known = await check_key(tx)
        if not known:
            async with db.write() as tx:
                await keep_key(tx)
    except BaseException:
        await db.close()
        raise
    return Opened(settings, db, key, before, after)


async def _upgrade(settings: Settings, key: str) -> tuple[str | None, str]:
    db = Database(settings.database_url, Vault(key), pool_size=1)
    try:
        return await upgrade(db)
    finally:
        await db.close()


async def find_standing(settings: Settings) -> Standing:
    """How the database stands to this program, without changing it: one not there is ``empty``.

    Raises :class:`storage.errors.Refused` when it is newer.
    """
    if _is_new(settings):
        return "empty"
    db = Database(settings.database_url, Vault(""), pool_size=1)
    try:
        async with db.read() as tx:
            return await check_version(tx)
    finally:
        await db.close()


def find_secret_key(settings: Settings) -> str | None:
    """The secret key that is set or kept; ``None`` before the first run."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    with contextlib.suppress(FileNotFoundError):
        return KEY_FILE.read_text(encoding="ascii").strip() or None
    return None


def make_secret_key() -> str:
    """Make ``var/secret_key``, readable by its owner only; another process may have been first."""
    VAR.mkdir(exist_ok=True)
    # Linked into place when complete: a process that starts beside this one never reads half.
    handle, name = tempfile.mkstemp(dir=VAR, prefix=".secret_key-")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            Path(KEY_FILE).hardlink_to(name)
    finally:
        Path(name).unlink()
    return KEY_FILE.read_text(encoding="ascii").strip()


def _check_file(settings: Settings, *, bring_up: bool) -> None:
    file = sqlite_file(settings)
    if file is None:
        return
    if not bring_up and not file.exists():
        raise Refused(f"there is no database at {file} yet: run `kinroom migrate`")
    file.parent.mkdir(parents=True, exist_ok=True)


def sqlite_file(settings: Settings) -> Path | None:
    """The file of a SQLite database; ``None`` on PostgreSQL."""
    return Path(settings.database.database or "") if settings.on_sqlite else None


def _check_standing(standing: Standing, *, bring_up: bool) -> None:
    if not bring_up:
        state = "is empty" if standing == "empty" else "was written by an older Kinroom"
        raise Refused(f"the database {state}: run `kinroom migrate`")


def _is_new(settings: Settings) -> bool:
    file = sqlite_file(settings)
    return file is not None and not file.exists()


async def _refuse_lost_key(settings: Settings) -> None:
    """A new key beside a database that has one would only hide the loss."""
    if _is_new(settings):
        return
    db = Database(settings.database_url, Vault(""), pool_size=1)
    try:
        async with db.read() as tx:
            if await check_version(tx) == "empty" or await find_value(tx, KEY_CHECK) is None:
                return
    finally:
        await db.close()
    raise Refused(
        f"{KEY_FILE} is gone, and the database was written with it: put it back from a backup, "
        "or set KINROOM_SECRET_KEY; nothing about people opens without it"
    )

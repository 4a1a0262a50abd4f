"""``kinroom restore``: puts a backup in the place of the database."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.session import AsJson, show

if TYPE_CHECKING:
    from bot.settings import Settings
    from storage.backup.file import About
    from storage.backup.restored import Settled
    from storage.database import Tx
    from storage.vault import Vault


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `kinroom backup` wrote.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Although the database holds people now.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put the database back as it was in FILE. Stop the service first.

    What is there now is kept beside. Broadcasts that waited when the copy was made are not sent:
    they may have been sent since. Sessions of the console, and links for one person, end.
    """
    from bot.settings import read_settings

    settings = read_settings()
    about, settled, kept = asyncio.run(_restore(settings, file, yes=yes))
    result = {
        "file": str(file),
        "engine": about.engine,
        "version": about.version,
        "at": about.at.isoformat() if about.at else None,
        "kept": kept,
        "unknown": settled.unknown,
        "waiting": settled.waiting,
        "broadcasts_stopped": settled.broadcasts,
        "sessions_ended": settled.sessions,
        "links_ended": settled.links,
        "left_again": settled.left,
    }
    show(result, _lines(about, settled, kept), as_json=as_json)


async def _restore(
    settings: "Settings", file: Path, *, yes: bool
) -> "tuple[About, Settled, str | None]":
    from bot.opening import sqlite_file
    from bot.sole_service import sole_service
    from storage.backup.file import check_backup

    now, vault = datetime.now(UTC), _vault(settings)
    target = sqlite_file(settings)
    about = check_backup(file, "postgresql" if target is None else "sqlite", vault)
    # Held until the end: no service starts on what is about to be replaced.
    with sole_service(settings):
        await _check_nobody(settings, vault, yes=yes)
        if target is not None:
            settled, kept = await _into_sqlite(file, target, vault, now)
        else:
            settled, kept = await _into_postgres(settings, file, about, vault, now)
    return about, settled, kept


async def _into_sqlite(
    file: Path, target: Path, vault: "Vault", now: datetime
) -> "tuple[Settled, str | None]":
    from storage.backup.restore_sqlite import restore_sqlite
    from storage.backup.restored import settle_restored

    async def settle(tx: "Tx", left: list[str]) -> "Settled":
        return await settle_restored(tx, now, left)

    settled, kept = await restore_sqlite(file, target, vault, now, settle)
    return settled, None if kept is None else str(kept)


async def _into_postgres(
    settings: "Settings", file: Path, about: "About", vault: "Vault", now: datetime
) -> "tuple[Settled, str | None]":
    from bot.settings import environment_for_tools
    from storage.backup.restore_postgres import restore_postgres
    from storage.backup.restored import settle_restored
    from storage.database import Database

    async def settle(tx: "Tx", left: list[str]) -> "Settled":
        return await settle_restored(tx, now, left)

    # One connection: any other of Kinroom's is somebody else's.
    db = Database(settings.database_url, vault, pool_size=1)
    try:
        environment = environment_for_tools()
        return await restore_postgres(db, file, about, now, environment, settle)
    finally:
        await db.close()


def _vault(settings: "Settings") -> "Vault":
    from bot.opening import KEY_FILE, find_secret_key
    from storage.errors import Refused
    from storage.vault import Vault

    key = find_secret_key(settings)
    if key is None:
        raise Refused(
            f"the secret key is not here: put the {KEY_FILE} that belongs to the backup in its "
            "place, or set KINROOM_SECRET_KEY; nothing about people opens without it"
        )
    return Vault(key)


async def _check_nobody(settings: "Settings", vault: "Vault", *, yes: bool) -> None:
    """Whether the database may be replaced. Raises ``Refused`` when it holds anyone."""
    from sqlalchemy.exc import DBAPIError

    from bot.opening import sqlite_file
    from storage.backup.restored import count_people
    from storage.database import Database
    from storage.errors import Refused

    target = sqlite_file(settings)
    if yes or (target is not None and not _is_there(target)):
        return
    db = Database(settings.database_url, vault, pool_size=1)
    try:
        async with db.read() as tx:
            people = await count_people(tx)
    except DBAPIError as problem:
        if target is None:
            raise
        raise Refused(
            f"the database {target} cannot be read: add --yes to put the backup in its place; "
            "it is kept beside"
        ) from problem
    finally:
        await db.close()
    if people:
        raise Refused(
            f"the database holds {people} people now: add --yes to put the backup in its place; "
            "what is there is kept beside"
        )


def _is_there(file: Path) -> bool:
    return file.exists()


def _lines(about: "About", settled: "Settled", kept: str | None) -> list[str]:
    when = f"of {about.at:%Y-%m-%d %H:%M} UTC" if about.at else "of an unknown time"
    found = [
        f"The database is back as it was in the backup {when}.",
        f"Messages that still will be sent: {settled.waiting}.",
    ]
    if settled.unknown:
        found.append(
            f"Messages of broadcasts that may have been sent since, and are not sent: "
            f"{settled.unknown}."
        )
    if settled.broadcasts:
        found.append(f"Broadcasts stopped half way: {settled.broadcasts}.")
    if settled.sessions or settled.links:
        found.append(
            f"Ended: {settled.sessions} sessions of the console, {settled.links} unused links."
        )
    if kept is not None:
        found.append(f"What was there before is kept: {kept}. Delete it when all is well.")
    if settled.left:
        found.append(f"Left since the backup, and taken out again: {settled.left} people.")
    return found

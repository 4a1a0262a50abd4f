"""``kinroom backup``: a consistent copy in one file, while the service runs."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.session import AsJson, show

if TYPE_CHECKING:
    from bot.settings import Settings
    from storage.backup.file import About


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the copy.")],
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a consistent copy of the database to FILE. The service may run on.

    The secret key is not in it: keep var/secret_key too, in another place.
    """
    from bot.settings import read_settings
    from storage.backup.copying import written_whole

    settings = read_settings()
    _refuse_the_database(settings, file)
    began = time.monotonic()
    with written_whole(file, force=force) as partial:
        about = _copy(settings, partial)
        size = partial.stat().st_size
    seconds = time.monotonic() - began
    result = {
        "file": str(file),
        "engine": about.engine,
        "version": about.version,
        "at": about.at.isoformat() if about.at else None,
        "rows": about.rows,
        "bytes": size,
        "seconds": round(seconds, 3),
        "secret_key": False,
    }
    show(result, _lines(file, about, size, seconds), as_json=as_json)


def _copy(settings: "Settings", partial: Path) -> "About":
    from bot.opening import find_standing, sqlite_file
    from storage.backup.copying import copy_sqlite
    from storage.errors import Refused

    # One that is behind is copied as it is: before an upgrade is when a copy is needed.
    if asyncio.run(find_standing(settings)) == "empty":
        raise Refused("there is no database yet, so there is nothing to copy")
    now, ours = datetime.now(UTC), _version()
    source = sqlite_file(settings)
    if source is not None:
        # In no event loop: Ctrl-C shall end it between two steps.
        return copy_sqlite(source, partial, kinroom=ours, now=now)
    return asyncio.run(_dump(settings, partial, ours, now))


async def _dump(settings: "Settings", partial: Path, ours: str, now: datetime) -> "About":
    from bot.settings import environment_for_tools
    from storage.backup.postgres import dump_postgres
    from storage.database import Database
    from storage.vault import Vault

    db = Database(settings.database_url, Vault(""), pool_size=1)
    try:
        environment = environment_for_tools()
        return await dump_postgres(db, partial, kinroom=ours, now=now, environment=environment)
    finally:
        await db.close()


def _refuse_the_database(settings: "Settings", file: Path) -> None:
    from bot.opening import sqlite_file
    from storage.errors import Refused

    source = sqlite_file(settings)
    if source is None:
        return
    for suffix in ("", "-wal", "-shm", ".lock"):
        if file.absolute().resolve() == Path(f"{source.absolute().resolve()}{suffix}"):
            raise Refused(f"{file} belongs to the database itself: name another file")


def _lines(file: Path, about: "About", size: int, seconds: float) -> list[str]:
    return [
        f"Copied the database to {file}: {about.rows} rows, version {about.version}, "
        f"{_megabytes(size)}, in {seconds:.1f} s.",
        "The secret key is not in it. Keep var/secret_key too, in another place: without it "
        "nothing about people opens.",
    ]


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("kinroom")
    except PackageNotFoundError:  # run from its sources
        return "unreleased"

"""Another program locks the SQLite file for some seconds; and the disk is full for a while."""

import asyncio
import contextlib
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.drill.databases import Sqlite
from tests.drill.ground import Grounds, Plan
from tests.drill.promise import Promise, told
from tests.drill.recovery import endure

ON = ("sqlite",)


async def run(plan: Plan) -> list[Promise]:
    async def lock(ground: Grounds) -> None:
        assert isinstance(ground.where, Sqlite)
        other = sqlite3.connect(
            ground.where.file, timeout=30.0, isolation_level=None, check_same_thread=False
        )
        try:
            await asyncio.to_thread(other.execute, "BEGIN EXCLUSIVE")
            await asyncio.sleep(plan.either(2, 8))
            other.execute("ROLLBACK")
        finally:
            other.close()

    strikes = {"the file locked": lock}
    with _small_disk() as disk:
        if disk is None:
            return [
                *(await endure(plan, strikes)),
                told("a full disk", "not tried: a small file system needs root"),
            ]

        async def fill(ground: Grounds) -> None:
            ballast = disk / "ballast"
            with contextlib.suppress(OSError), ballast.open("wb") as file:
                while True:
                    file.write(b"\0" * 4096)
                    file.flush()
            await asyncio.sleep(plan.either(2, 8))
            ballast.unlink()

        return await endure(replace(plan, folder=disk), {**strikes, "the disk full": fill})


@contextlib.contextmanager
def _small_disk() -> Iterator[Path | None]:
    """A file system of 64 MB in memory; ``None`` where it may not be made."""
    folder = Path(tempfile.mkdtemp(prefix="kinroom-drill-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "kinroom-drill", str(folder)]
    try:
        made = subprocess.run(mount, check=False, capture_output=True).returncode == 0
    except OSError:
        made = False
    try:
        yield folder if made else None
    finally:
        if made:
            subprocess.run(["umount", str(folder)], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)

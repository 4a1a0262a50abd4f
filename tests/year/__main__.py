"""Live through a year, or replay one that failed: ``python -m tests.year --seed N``."""

import argparse
import asyncio
import logging
import sys
import tempfile
from datetime import date
from pathlib import Path

import structlog

from storage.database import Database
from storage.migrate import upgrade
from storage.vault import Vault
from tests.conftest import SECRET_KEY
from tests.year.invariants import Broken
from tests.year.run import Year, forgoing_disk
from tests.year.world import STARTS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.year", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--first", type=date.fromisoformat, default=STARTS, help="the first day")
    parser.add_argument("--step", type=int, default=720, help="minutes between two wakings")
    parser.add_argument("--zones", type=int, default=3, help="how many zones people have gone to")
    parser.add_argument("--words", action="store_true", help="write every message in full")
    parser.add_argument("--database", help="URL of an empty database; a fresh SQLite file without")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        asyncio.run(_live(given))
    except Broken as broken:
        sys.exit("\n".join([str(broken), *broken.__notes__]))


async def _live(given: argparse.Namespace) -> None:
    with forgoing_disk(), tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite+aiosqlite:///{Path(folder) / 'kinroom.db'}"
        db = Database(url, Vault(SECRET_KEY))
        try:
            await upgrade(db)
            year = Year(
                db,
                seed=given.seed,
                workers=given.workers,
                days=given.days,
                first=given.first,
                step=given.step,
                zones=given.zones,
                bare=not given.words,
            )
            print(await year.live())  # noqa: T201  # the result
        finally:
            await db.close()


if __name__ == "__main__":
    main()

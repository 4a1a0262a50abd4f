"""Runs every measurement, prints the table, and writes it to ``bench.json``."""

import argparse
import asyncio
import json
import os
import platform
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from tests.bench import checkin_tap, memory, start, status_report, web_chat
from tests.bench.databases import open_migrated, postgres_url, sqlite_url
from tests.bench.figure import Figure, as_json, as_lines
from tests.bench.population import populate
from tests.bench.ways import our_way_in

RESULT = Path("bench.json")
PARTS = ("sqlite", "postgresql", "start", "memory", "web")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}")
    parts = parser.parse_args().parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    figures: list[Figure] = []
    if "sqlite" in parts:
        with sqlite_url() as url:
            figures += _run(_conversations(url, judged=True))
    if "postgresql" in parts:
        with postgres_url() as server:
            if server is not None:
                figures += _run(_conversations(server, judged=False))
    if "start" in parts:
        figures += start.measure()
    if "memory" in parts:
        figures += memory.measure()
    if "web" in parts:
        figures += _run(web_chat.measure())
    print("\n".join(as_lines(figures)))  # noqa: T201  # the table is what the bench is for
    RESULT.write_text(
        json.dumps(
            {
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "python": platform.python_version(),
                "cores": os.cpu_count(),
                "load": os.getloadavg()[0],
                "figures": as_json(figures),
            },
            ensure_ascii=False,
            indent=2,
        )
        + "\n",
        encoding="utf-8",
    )


async def _conversations(url: str, *, judged: bool) -> list[Figure]:
    async with open_migrated(url) as db:
        population = await populate(db, datetime.now(UTC))
        async with our_way_in(db) as ours:
            figures = await status_report.measure(ours, population, judged=judged)
            return figures + await checkin_tap.measure(ours, population, judged=judged)


def _run(measuring: Coroutine[Any, Any, list[Figure]]) -> list[Figure]:
    # The service's own loop; the floor runs on it as well.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(measuring)


if __name__ == "__main__":
    main()

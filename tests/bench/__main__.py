"""Runs every measurement, prints the table, and writes it to ``bench.json``."""

import argparse
import asyncio
import json
import os
import platform
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from tests.bench import (
    checkin_tap,
    drain,
    expansion,
    held,
    lateness,
    memory,
    planning,
    start,
    status_report,
    tick,
    web_chat,
    webhook,
)
from tests.bench.databases import open_migrated, postgres_url, sqlite_url
from tests.bench.figure import Figure, as_json, as_lines, heading
from tests.bench.population import populate
from tests.bench.ways import our_way_in

RESULT = Path("bench.json")


def main() -> None:
    parts: dict[str, Callable[[], list[Figure]]] = {
        "sqlite": _on_sqlite,
        "postgresql": _on_postgres,
        "webhook": lambda: _run(webhook.measure_sqlite()) + _run(webhook.measure_postgres()),
        "drain": lambda: _run(drain.measure_sqlite()) + _run(drain.measure_postgres()),
        "held": lambda: _run(held.measure()),
        "expansion": lambda: _run(expansion.measure_sqlite()) + _run(expansion.measure_postgres()),
        "tick": lambda: _run(tick.measure_sqlite()) + _run(tick.measure_postgres()),
        "planning": lambda: _run(planning.measure_sqlite()) + _run(planning.measure_postgres()),
        "lateness": lambda: _run(lateness.measure_sqlite()) + _run(lateness.measure_postgres()),
        "start": start.measure,
        "memory": memory.measure,
        "web": lambda: _run(web_chat.measure()),
    }
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(parts)}")
    asked = parser.parse_args().parts or list(parts)
    if unknown := set(asked) - set(parts):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    figures: list[Figure] = []
    _show(heading())
    for part in asked:
        found = parts[part]()
        _show(as_lines(found))
        figures += found
    _keep(figures)


def _show(lines: list[str]) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201  # the table is what the bench is for


def _keep(figures: list[Figure]) -> None:
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "figures": as_json(figures),
    }
    text = json.dumps(result, ensure_ascii=False, indent=2) + "\n"
    RESULT.write_text(text, encoding="utf-8")


def _on_sqlite() -> list[Figure]:
    with sqlite_url() as url:
        return _run(_conversations(url, judged=True))


def _on_postgres() -> list[Figure]:
    with postgres_url() as url:
        return [] if url is None else _run(_conversations(url, judged=False))


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

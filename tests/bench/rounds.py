"""Floor and ours in turn, so that what else the machine does meets both."""

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from tests.bench.figure import Figure
from tests.bench.ways import Floor, Ours

ROUNDS = 5
EACH = 2000
# What one getUpdates brings, and bot/polling takes in side by side.
IN_FLIGHT = 100
MOST_STATEMENTS = 5
NEAR_ENOUGH = 0.25

Raws = list[dict[str, Any]]


async def compare(
    name: str,
    ours: Ours,
    draw: Callable[[int], Raws],
    *,
    says: int,
    judged: bool,
) -> list[Figure]:
    """Updates a second, and statements an update. ``draw`` gives fresh updates.

    ``says``: how many requests we send for each; the floor always sends one. Updates are taken
    100 at a time, until every reply is out.
    """
    floor = Floor()
    await _both(floor, ours, draw(EACH // 10), says)
    floors: list[float] = []
    speeds: list[float] = []
    ratios: list[float] = []
    for _ in range(ROUNDS):
        bare, full = await _both(floor, ours, draw(EACH), says)
        floors.append(EACH / bare)
        speeds.append(EACH / full)
        ratios.append(bare / full)
    ratio = statistics.median(ratios)
    statements = await _count(ours, draw(1)[0])
    return [
        Figure(
            name,
            "/s",
            statistics.median(speeds),
            statistics.median(floors),
            ratio,
            bound=f"≥ {NEAR_ENOUGH}" if judged else None,
            reached=ratio >= NEAR_ENOUGH if judged else None,
            note=f"ratio by round: {' '.join(f'{one:.3f}' for one in ratios)}",
        ),
        Figure(
            f"  statements for it ({ours.db.url.get_backend_name()})",
            "SQL",
            len(statements),
            bound=f"≤ {MOST_STATEMENTS}",
            reached=len(statements) <= MOST_STATEMENTS,
        ),
    ]


async def _both(floor: Floor, ours: Ours, raws: Raws, says: int) -> tuple[float, float]:
    """Seconds for the same updates, bare and in full."""
    return await _run(floor.take, raws), await _round(ours, raws, says)


async def _round(ours: Ours, raws: Raws, says: int) -> float:
    until = ours.session.said + len(raws) * says
    seconds = await _run(ours.take, raws)
    started = time.perf_counter()
    await ours.session.hear(until)
    seconds += time.perf_counter() - started
    await ours.forgotten()
    return seconds


async def _run(take: Callable[[dict[str, Any]], Awaitable[None]], raws: Raws) -> float:
    """Seconds until all are taken in."""
    # The updates made ahead are the bench's own garbage, in time; nobody measured shall count it.
    gc.collect()
    waiting = iter(raws)
    started = time.perf_counter()
    await asyncio.gather(*(_take_some(take, waiting) for _ in range(IN_FLIGHT)))
    return time.perf_counter() - started


async def _take_some(
    take: Callable[[dict[str, Any]], Awaitable[None]], waiting: Iterator[dict[str, Any]]
) -> None:
    for raw in waiting:
        await take(raw)


async def _count(ours: Ours, raw: dict[str, Any]) -> list[str]:
    statements = ours.db.count_statements()
    await ours.take(raw)
    return statements

"""Updates by webhook: ours committed before its 200, aiogram's answered before it is handled.

Both in this process, on uvloop and aiohttp; whoever posts is a process of its own. Both say one
message, to a session that takes it at once, and a round is over when all is answered and said.
Both have what the service does for its process when it has started.
"""

import asyncio
import contextlib
import gc
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

from bot.garbage import spare_what_stays
from bot.webhook import PATH
from tests.bench.databases import open_migrated, postgres_url, sqlite_url
from tests.bench.figure import Figure
from tests.bench.instant import InstantSession
from tests.bench.population import Population, populate
from tests.bench.rounds import Raws
from tests.bench.updates import checkin_tap, status_report
from tests.bench.ways import Floor, Ours, our_way_in

ROUNDS = 3
EACH = 1000
CONNECTIONS = 64
ASKED = {"sqlite": 0.5, "postgresql": 0.6}
_PATIENCE = 60.0
_SECRET = "a-secret-for-the-bench"
_ROOT = Path(__file__).parents[2]


async def measure_sqlite() -> list[Figure]:
    with sqlite_url() as url:
        return await _measure(url)


async def measure_postgres() -> list[Figure]:
    with postgres_url() as url:
        return [] if url is None else await _measure(url)


async def _measure(url: str) -> list[Figure]:
    async with open_migrated(url) as db:
        population = await populate(db, datetime.now(UTC))
        async with our_way_in(db) as ours:
            reports = await _compare("status report", ours, _reports(population), says=1)
            return reports + await _compare("check-in tap", ours, _taps(population), says=2)


def _reports(population: Population) -> list[Raws]:
    drawing = random.Random(1)
    return [
        [status_report(chat) for chat in drawing.sample(population.chats, EACH)]
        for _ in range(ROUNDS + 1)
    ]


def _taps(population: Population) -> list[Raws]:
    waiting = list(population.unanswered)
    random.Random(2).shuffle(waiting)
    return [[checkin_tap(*waiting.pop()) for _ in range(EACH)] for _ in range(ROUNDS + 1)]


async def _compare(name: str, ours: Ours, rounds: list[Raws], *, says: int) -> list[Figure]:
    floor = Floor()
    before = gc.get_threshold()
    engine = ours.db.url.get_backend_name()
    floors, speeds, ratios, processor = [], [], [], []
    async with (
        _serving(_floor_app(floor)) as to_floor,
        _serving(_our_app(ours)) as to_ours,
    ):
        for number, raws in enumerate(rounds):
            bare = await _round(to_floor, floor.session, raws, 1)
            full = await _round(to_ours, ours.session, raws, says)
            await ours.forgotten()
            if not number:  # it is to get warm
                spare_what_stays()
            else:
                floors.append(EACH / bare.seconds)
                speeds.append(EACH / full.seconds)
                ratios.append(bare.seconds / full.seconds)
                processor.append(bare.processor / full.processor)
    gc.unfreeze()
    gc.set_threshold(*before)
    ratio = statistics.median(ratios)
    return [
        Figure(
            f"webhook: {name}, committed, then 200 ({engine})",
            "/s",
            statistics.median(speeds),
            statistics.median(floors),
            ratio,
            bound=f"≥ {ASKED[engine]}",
            reached=ratio >= ASKED[engine],
            note=f"ratio by round: {' '.join(f'{one:.3f}' for one in ratios)};"
            f" of this process's time: {statistics.median(processor):.3f}",
        )
    ]


def _floor_app(floor: Floor) -> web.Application:
    app = web.Application()
    handler = SimpleRequestHandler(
        floor.dispatcher, floor.bot, handle_in_background=True, secret_token=_SECRET
    )
    handler.register(app, path=PATH)
    return app


def _our_app(ours: Ours) -> web.Application:
    app = web.Application()
    app.add_routes([ours.route(_SECRET)])
    return app


class _Poster:
    """The process that posts to one of the two."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self._process = process
        self._file = folder / "updates"

    def hand_over(self, raws: Raws) -> None:
        """What it will post."""
        lines = (json.dumps(raw, ensure_ascii=False) for raw in raws)
        self._file.write_text("\n".join(lines), encoding="utf-8")

    async def post(self) -> float:
        """Seconds until all are answered 200, as Telegram's side saw it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{self._file}\n".encode())
        said = await self._process.stdout.readline()
        if not said:
            raise RuntimeError("whoever posts has ended: an update was not answered 200")
        return float(said)


@contextlib.asynccontextmanager
async def _serving(app: web.Application) -> AsyncIterator[_Poster]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.posting"),
        *(str(port), PATH, _SECRET, str(CONNECTIONS)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
    try:
        with tempfile.TemporaryDirectory(prefix="kinroom-bench-") as folder:
            yield _Poster(process, Path(folder))
    finally:
        process.terminate()
        await process.wait()
        await runner.cleanup()


@dataclass(frozen=True, slots=True)
class _Took:
    """``seconds`` by the clock; ``processor``: those that this process worked."""

    seconds: float
    processor: float


async def _round(poster: _Poster, session: InstantSession, raws: Raws, says: int) -> _Took:
    until = session.said + len(raws) * says
    poster.hand_over(raws)
    gc.collect()
    worked = time.process_time()
    async with asyncio.timeout(_PATIENCE):
        seconds = await poster.post()
        started = time.perf_counter()
        await session.hear(until)
    seconds += time.perf_counter() - started
    return _Took(seconds, time.process_time() - worked)

"""From the command to ``/readyz``, on a database that is there already."""

import statistics
import subprocess
import sys
import time

from tests.bench.figure import Figure
from tests.bench.service import demo_folder, run_service

_STARTS = 5
_MOST = 3.0
_STANDS_ON = (
    "import aiogram, aiohttp.web, alembic.command, cryptography, jinja2, sqlalchemy.ext.asyncio"
)


def measure() -> list[Figure]:
    floors: list[float] = []
    starts: list[float] = []
    with demo_folder() as folder:
        for _ in range(_STARTS):
            floors.append(_import())
            with run_service(folder) as service:
                starts.append(service.seconds)
    seconds, floor = statistics.median(starts), statistics.median(floors)
    return [
        Figure(
            "start until /readyz (floor: importing libraries)",
            "s",
            seconds,
            floor,
            floor / seconds,
            bound=f"≤ {_MOST:g} s",
            reached=seconds <= _MOST,
            note=f"each: {' '.join(f'{one:.2f}' for one in starts)}",
        )
    ]


def _import() -> float:
    """Seconds of a process that imports the libraries the service stands on, and ends."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", _STANDS_ON], check=True)
    return time.perf_counter() - started

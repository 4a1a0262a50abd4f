"""What the idle service holds in memory."""

import statistics
import sys
import time
from pathlib import Path

from tests.bench.figure import Figure
from tests.bench.service import demo_folder, run_service

_STARTS = 3
_IDLE = 5.0
_MOST = 150.0


def measure() -> list[Figure]:
    if not Path("/proc/self/status").exists():
        print("NO /proc: memory was not measured", file=sys.stderr)  # noqa: T201
        return []
    early: list[float] = []
    later: list[float] = []
    with demo_folder() as folder:
        for _ in range(_STARTS):
            with run_service(folder) as service:
                early.append(_resident(service.pid))
                time.sleep(_IDLE)
                later.append(_resident(service.pid))
    held = max(statistics.median(early), statistics.median(later))
    return [
        Figure(
            "memory of the idle service",
            "MiB",
            held,
            bound=f"≤ {_MOST:g} MiB",
            reached=held <= _MOST,
            note=f"at its start {statistics.median(early):.0f},"
            f" {_IDLE:g} s later {statistics.median(later):.0f}",
        )
    ]


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)

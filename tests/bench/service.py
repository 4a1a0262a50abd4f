"""The whole service as a process of its own, on the demo county, in a folder of its own."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.databases import SECRET_KEY

_ROOT = Path(__file__).parents[2]
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Running:
    """``seconds`` from the process's birth until ``/readyz`` said yes."""

    process: "subprocess.Popen[bytes]"
    url: str
    seconds: float
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid


@contextlib.contextmanager
def demo_folder() -> Iterator[Path]:
    """A working directory whose ``var/`` holds a demo county, made by a first run."""
    with tempfile.TemporaryDirectory(prefix="kinroom-bench-") as name:
        folder = Path(name)
        with run_service(folder):
            pass
        yield folder


@contextlib.contextmanager
def run_service(folder: Path) -> Iterator[Running]:
    """``python -m bot run``; ended with SIGTERM. Raises ``RuntimeError`` if it does not start."""
    port = free_port()
    log = folder / "service.log"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KINROOM_")}
    settings = {
        "KINROOM_HTTP_PORT": str(port),
        "KINROOM_SECRET_KEY": SECRET_KEY,
        "PYTHONPATH": str(_ROOT),
    }
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        born = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "run"],
            cwd=folder,
            env=kept | settings,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        while not _is_ready(url):
            if process.poll() is not None or time.perf_counter() - born > _PATIENCE:
                raise RuntimeError("the service did not start:\n" + log.read_text("utf-8"))
            time.sleep(0.01)
        yield Running(process, url, time.perf_counter() - born, log)
    finally:
        process.terminate()
        process.wait(30)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])

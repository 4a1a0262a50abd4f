"""One worker process of the service, which can be killed and started again at once."""

import asyncio
import contextlib
import os
import signal
import struct
import sys
import time
from pathlib import Path

import aiohttp

from tests.town import free_port

ROOT = Path(__file__).parents[2]
_PATIENCE = 90.0


class Worker:
    """``kinroom run`` in a process forked from one that has imported everything.

    ``env`` is what the service finds in its environment; ``up`` is set while it runs.
    """

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.clock = folder / "clock"
        kept = {name: it for name, it in os.environ.items() if not name.startswith("KINROOM_")}
        self.env = {
            **kept,
            **env,
            "KINROOM_HTTP_PORT": str(self.port),
            "KINROOM_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "KINROOM_TEST_CLOCK": str(self.clock),
            "PYTHONPATH": str(ROOT),
        }
        self.pid = 0
        self._forks: asyncio.subprocess.Process | None = None
        self.set_clock(0.0)

    def set_clock(self, seconds: float) -> None:
        """Let the service's clock be off by so much, from now on."""
        with self.clock.open("r+b" if self.clock.exists() else "wb") as file:
            file.write(struct.pack("d", seconds))

    async def start(self, *, ready: bool = True) -> float:
        """Start it; with ``ready``, wait until it says so. Seconds that this took."""
        began = time.monotonic()
        if self._forks is None:
            self._forks = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.forked_service",
                "service.log",
                cwd=self.folder,
                env=self.env,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        assert self._forks.stdin is not None
        self._forks.stdin.write(b"start\n")
        self.pid = await self._read()
        if ready:
            await self.wait_ready()
        return time.monotonic() - began

    async def wait_ready(self) -> None:
        """Wait for ``/readyz``. Raises ``RuntimeError`` with its last words if it never says so."""
        async with aiohttp.ClientSession() as session:
            deadline = time.monotonic() + _PATIENCE
            while time.monotonic() < deadline:
                with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                    url = f"http://127.0.0.1:{self.port}/readyz"
                    async with session.get(url, timeout=aiohttp.ClientTimeout(2)) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.05)
        raise RuntimeError("the service did not start:\n" + self.log())

    async def kill(self) -> None:
        """As sudden as a power cut, for this one process."""
        pid, self.pid = self.pid, 0
        os.kill(pid, signal.SIGKILL)
        if (status := await self._read()) != -signal.SIGKILL:
            raise RuntimeError(f"the service had ended by itself, {status}:\n{self.log()}")

    async def stop(self) -> int:
        """Ask it to end; its exit status."""
        pid, self.pid = self.pid, 0
        os.kill(pid, signal.SIGTERM)
        return await self._read()

    def is_alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return self.pid != 0 and Path(f"/proc/{self.pid}/stat").exists()

    async def close(self) -> None:
        if self._forks is not None:
            if self.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
            self._forks.kill()
            await self._forks.wait()
            self._forks = None

    def log(self) -> str:
        """The last that it said."""
        file = self.folder / "service.log"
        return file.read_text(errors="replace")[-3000:] if file.exists() else ""

    async def command(self, *args: str) -> str:
        """Run ``kinroom …`` as an operator does; what it printed. Raises ``RuntimeError``."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *args,
            cwd=self.folder,
            env=self.env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"kinroom {args[0]}: {err.decode().strip()}")
        return out.decode()

    async def _read(self) -> int:
        assert self._forks is not None
        assert self._forks.stdout is not None
        line = await asyncio.wait_for(self._forks.stdout.readline(), _PATIENCE)
        return int(line or b"0")

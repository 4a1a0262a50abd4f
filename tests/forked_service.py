"""Starts the service again and again without importing it anew, for tests that kill it.

``python -m tests.forked_service LOG``: each line on stdin starts ``kinroom run`` in a process of
its own, whose id is printed; once that has ended, its exit status is (negative: its signal).

With ``KINROOM_TEST_CLOCK`` the service's clock is off by as many seconds as that file says: eight
bytes, one double, read anew each time, so that a test can let the clock jump.
"""

import functools
import mmap
import os
import struct
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import bot.service
import bot.wiring  # what a start would spend its time on
from bot.cli import main


def start(log: int) -> int:
    child = os.fork()
    if child:
        return child
    os.dup2(log, 1)
    os.dup2(log, 2)
    if file := os.environ.get("KINROOM_TEST_CLOCK"):
        bot.service.running = functools.partial(bot.service.running, clock=shifted_clock(file))
    os._exit(main(["run"]))


def shifted_clock(file: str) -> Callable[[], datetime]:
    """The time now in UTC, and as many seconds more as the file says."""
    with Path(file).open("rb") as opened:
        seconds = mmap.mmap(opened.fileno(), 8, prot=mmap.PROT_READ)

    def clock() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=struct.unpack("d", seconds[:8])[0])

    return clock


def serve(log: int) -> None:
    for _line in sys.stdin:
        child = start(log)
        print(child, flush=True)  # noqa: T201
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    serve(os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_APPEND))

"""Starts the service again and again without importing it anew, for tests that kill it.

``python -m tests.forked_service LOG``: each line on stdin starts ``kinroom run`` in a process of
its own, whose id is printed; once that has ended, its exit status is (negative: its signal).
"""

import os
import sys

import bot.service
import bot.wiring  # noqa: F401  # what a start would spend its time on
from bot.cli import main


def start(log: int) -> int:
    child = os.fork()
    if child:
        return child
    os.dup2(log, 1)
    os.dup2(log, 2)
    os._exit(main(["run"]))


def serve(log: int) -> None:
    for _line in sys.stdin:
        child = start(log)
        print(child, flush=True)  # noqa: T201
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    serve(os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_APPEND))

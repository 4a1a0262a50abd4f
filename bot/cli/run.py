"""``kinroom run``: the service, in the foreground."""

import asyncio
import gc
import sys
from collections.abc import Callable

import typer


def run() -> None:
    """Run the service until SIGTERM or Ctrl-C. Brings the database up first."""
    # What is imported stays: looking for garbage among it takes a tenth of the start, and later
    # holds up everyone for a quarter of a second at a time.
    gc.disable()

    from bot.settings import read_settings

    settings = read_settings()

    from bot.lean import import_aiogram

    import_aiogram()

    from bot.service import serve

    gc.freeze()
    gc.enable()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        code = runner.run(serve(settings))
    raise typer.Exit(code)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop

"""``kinroom run``: the service, in the foreground."""

import asyncio
import sys
from collections.abc import Callable

import typer


def run() -> None:
    """Run the service until SIGTERM or Ctrl-C. Brings the database up first."""
    from bot.settings import read_settings

    settings = read_settings()

    from bot.lean import import_aiogram

    import_aiogram()

    from bot.service import serve

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        code = runner.run(serve(settings))
    raise typer.Exit(code)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop

"""Waiting for something to become true, without sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Changes:
    """A condition whose notifier needs no lock.

    Every effect of the server is one synchronous step of the event loop, so nothing can
    happen between a look and the wait that follows it, and no wake-up is lost.
    """

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def notify(self) -> None:
        """Let everyone who waits look again."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def wait_for(self, look: Callable[[], T | None], timeout: float) -> T:  # noqa: ASYNC109
        """The first truthy value of `look`. Raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while not (found := look()):
                future = asyncio.get_running_loop().create_future()
                self._waiting.append(future)
                await future
        return found

"""Open pages: who is looking at which conversation, and how they are woken."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from storage.database import Database
from storage.talk.conversation import standings

MAX_STREAMS_A_CHAT: Final = 8
_POLL_SECONDS: Final = 1.0


class Page:
    """One open event stream. ``passing`` holds what is shown and not stored: typing, toasts."""

    def __init__(self, chat_id: int) -> None:
        self.chat_id = chat_id
        self.passing: deque[tuple[str, dict[str, Any]]] = deque(maxlen=20)
        self.closed = False
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    def close(self) -> None:
        self.closed = True
        self.wake()

    async def woken(self, seconds: float) -> bool:
        """Wait to be woken; ``False`` when ``seconds`` went by instead."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True


class Live:
    """The pages open in this process, woken by it at once and by other processes within 1 s."""

    def __init__(self) -> None:
        self._pages: dict[int, list[Page]] = {}
        self._told: dict[int, tuple[Any, int] | None] = {}

    def __len__(self) -> int:
        return sum(map(len, self._pages.values()))

    @contextlib.contextmanager
    def open(self, chat_id: int) -> Iterator[Page]:
        """A page for as long as the block runs; too many of one chat close the oldest."""
        page = Page(chat_id)
        pages = self._pages.setdefault(chat_id, [])
        pages.append(page)
        if len(pages) > MAX_STREAMS_A_CHAT:
            pages[0].close()
        try:
            yield page
        finally:
            pages.remove(page)
            if not pages and self._pages.get(chat_id) is pages:
                del self._pages[chat_id]
                self._told.pop(chat_id, None)

    def wake(self, chat_id: int) -> None:
        """The conversation has changed."""
        for page in self._pages.get(chat_id, ()):
            page.wake()

    def tell(self, chat_id: int, event: str, data: dict[str, Any]) -> None:
        """Show something that is not stored; lost where no page is open here."""
        for page in self._pages.get(chat_id, ()):
            page.passing.append((event, data))
            page.wake()

    def close(self, chat_id: int | None = None) -> None:
        """End the streams of a chat, or all; their pages will connect again."""
        for pages in [self._pages.get(chat_id, [])] if chat_id else list(self._pages.values()):
            for page in list(pages):
                page.close()

    async def watch(self, db: Database) -> None:
        """Once a second, wake the pages whose conversation another process has changed."""
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            with contextlib.suppress(Exception):  # the next second tries again
                await self.look(db)

    async def look(self, db: Database) -> None:
        """Wake the pages whose stored conversation is not as it was at the last look."""
        chats = list(self._pages)
        if not chats:
            return
        async with db.read() as tx:
            found = await standings(tx, chats)
        for chat_id in chats:
            standing = found.get(chat_id)
            state = (standing.since, standing.revision) if standing else None
            if self._told.get(chat_id) != state:
                self._told[chat_id] = state
                self.wake(chat_id)

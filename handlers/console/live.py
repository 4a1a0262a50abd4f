"""Open pages hear that an area's register changed: one question a second, however many pages."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError

from storage.database import Database, Tx
from storage.people.areas import AreaInfo
from storage.register.figures import register_version

log = logging.getLogger(__name__)

Version = Callable[[Tx, AreaInfo], Awaitable[str]]


class LiveFeed:
    """Watches the version of each area's register that a page is open on.

    Every ``interval`` seconds it asks the database (another process may have written), and soon
    after :meth:`wake` (this process has). Belongs to one event loop.
    """

    GAP = 0.2
    """Seconds between two questions about one area, however often :meth:`wake` is called."""

    def __init__(
        self, db: Database, version: Version = register_version, *, interval: float = 1.0
    ) -> None:
        self._db = db
        self._version = version
        self._interval = interval
        self._watches: dict[int, _Watch] = {}
        self._closed = False

    def wake(self) -> None:
        """Something was committed here: look now. Cheap enough to call after every commit."""
        for watch in self._watches.values():
            watch.woken.set()

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """End every stream, for the service to stop."""
        self._closed = True
        for watch in self._watches.values():
            watch.tell()

    @contextlib.asynccontextmanager
    async def follow(self, area: AreaInfo) -> AsyncIterator["Follower"]:
        """Follow one area's version while the block runs."""
        watch = self._watches.get(area.id)
        if watch is None:
            watch = self._watches[area.id] = _Watch(area)
            watch.task = asyncio.create_task(self._poll(watch), name=f"live area {area.code}")
        follower = Follower(self, watch)
        watch.followers.add(follower)
        try:
            yield follower
        finally:
            watch.followers.discard(follower)
            if not watch.followers and watch.task is not None:
                del self._watches[area.id]
                watch.task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watch.task

    async def _poll(self, watch: "_Watch") -> None:
        while not self._closed:
            # Cleared before reading: a commit during the reading asks for another.
            watch.woken.clear()
            try:
                async with self._db.read() as tx:
                    version = await self._version(tx, watch.area)
            except (SQLAlchemyError, OSError) as problem:
                # The pages stay as they are; the database's own alarms speak elsewhere.
                log.warning("the register's version could not be read: %s", type(problem).__name__)
            else:
                if version != watch.version:
                    watch.version = version
                    watch.tell()
            await asyncio.sleep(self.GAP)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(self._interval - self.GAP, 0)):
                    await watch.woken.wait()


class Follower:
    """One open page's view of a watch."""

    def __init__(self, feed: LiveFeed, watch: "_Watch") -> None:
        self._feed = feed
        self._watch = watch
        self._seen: str | None = None
        self.told = asyncio.Event()
        self.told.set()

    async def next(self, patience: float) -> str | None:
        """The version once it is not the one last given; ``None`` after ``patience`` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not self._feed.closed:
                    await self.told.wait()
                    self.told.clear()
                    if self._watch.version not in (None, self._seen):
                        self._seen = self._watch.version
                        return self._seen
        return None


class _Watch:
    __slots__ = ("area", "followers", "task", "version", "woken")

    def __init__(self, area: AreaInfo) -> None:
        self.area = area
        self.version: str | None = None
        self.followers: set[Follower] = set()
        self.woken = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def tell(self) -> None:
        for follower in self.followers:
            follower.told.set()

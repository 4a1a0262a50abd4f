"""A small TCP proxy before PostgreSQL's socket, which can be cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Proxy:
    """``flows`` is set while bytes pass; those of ``deaf`` connections never pass again."""

    target: Path
    port: int = 0
    flows: asyncio.Event = field(default_factory=asyncio.Event)
    pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = field(default_factory=set)
    deaf: set[asyncio.StreamWriter] = field(default_factory=set)
    refusing: bool = False

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        beyond, onward = await asyncio.open_unix_connection(str(self.target))
        pair = (writer, onward)
        self.pairs.add(pair)
        try:
            await asyncio.gather(
                self._pass(reader, onward, writer), self._pass(beyond, writer, writer)
            )
        finally:
            self.pairs.discard(pair)
            self.deaf.discard(writer)
            for end in pair:
                end.transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, to: asyncio.StreamWriter, known_as: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if known_as in self.deaf:
                    continue
                await self.flows.wait()
                to.write(data)
                await to.drain()
        if known_as not in self.deaf:
            to.transport.abort()

    async def refuse(self, seconds: float) -> None:
        """Reset all connections, and every new one."""
        for near, far in list(self.pairs):
            near.transport.abort()
            far.transport.abort()
        await self.refuse_new(seconds)

    async def refuse_new(self, seconds: float) -> None:
        """Reset every new connection."""
        self.refusing = True
        await asyncio.sleep(seconds)
        self.refusing = False

    async def hold_back(self, seconds: float) -> None:
        """Take everything and pass nothing on, for so long."""
        self.flows.clear()
        await asyncio.sleep(seconds)
        self.flows.set()

    def go_deaf(self) -> None:
        """The connections there are stay open and dead, as behind a router that forgot them."""
        self.deaf |= {near for near, _far in self.pairs}


@contextlib.asynccontextmanager
async def proxy(target: Path) -> AsyncIterator[Proxy]:
    """A proxy on loopback for as long as the block runs."""
    opened = Proxy(target)
    opened.flows.set()
    server = await asyncio.start_server(opened.take, "127.0.0.1", 0)
    opened.port = server.sockets[0].getsockname()[1]
    try:
        yield opened
    finally:
        server.close()
        for near, far in list(opened.pairs):
            near.transport.abort()
            far.transport.abort()
        await asyncio.sleep(0)

"""The connections kept to one Bot API server."""

import asyncio
import socket
import ssl
import time
from typing import Final

from bot.channels.telegram.line import BrokenAnswer, Line, LineClosed

MOST: Final = 200
"""Not below the deliveries in flight, or they would wait for each other."""
_IDLE: Final = 15.0
_NAMES_KEPT: Final = 300.0
_ADDRESS: Final = 4.0
"""Seconds for one of the server's addresses: where IPv6 leads nowhere, the next is tried."""


class NoLine(Exception):
    """Nothing of the request has left; its cause says why."""


class LineLost(Exception):
    """The request left, at least in part, and no answer came; its cause says why."""


class Lines:
    """``tls``: ``None`` for plain HTTP."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._idle: list[Line] = []
        self._open: set[Line] = set()
        self._places = asyncio.Semaphore(MOST)
        self._asking = asyncio.Lock()
        self._addresses: list[str] = []
        self._addresses_until = 0.0

    async def ask(self, request: bytes, seconds: float) -> tuple[int, bytes]:
        """The answer's status and body, in ``seconds`` at most.

        Raises :class:`NoLine` and :class:`LineLost`.
        """
        loop = asyncio.get_running_loop()
        by = loop.time() + seconds
        async with self._places:
            line = self._find() or await self._connect(by)
            try:
                answer = line.ask(request)
                limit = loop.call_at(by, _give_up, answer)
                try:
                    return await answer
                finally:
                    limit.cancel()
            except LineClosed as problem:
                raise NoLine from problem
            except BrokenPipeError as problem:
                # The system did not take it all: whatever the server has of it is no request.
                line.close()
                raise NoLine from problem
            except (OSError, BrokenAnswer) as problem:
                line.close()
                raise LineLost from problem
            except BaseException:
                line.close()
                raise
            finally:
                self._put_back(line)

    async def close(self) -> None:
        """Close all; none is asked any more."""
        self._idle.clear()
        for line in list(self._open):
            line.close()
        # The loop tells them in its next round.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self._open.clear()

    def _find(self) -> Line | None:
        now = time.monotonic()
        while self._idle:
            line = self._idle.pop()
            if now - line.idle_since < _IDLE and line.usable:
                return line
            line.close()
            self._open.discard(line)
        return None

    def _put_back(self, line: Line) -> None:
        if line.kept and not line.lost:
            line.idle_since = time.monotonic()
            self._idle.append(line)
        else:
            line.close()
            self._open.discard(line)

    async def _connect(self, by: float) -> Line:
        last: OSError = TimeoutError("no time left")
        try:
            async with asyncio.timeout_at(by):
                for address in await self._resolve():
                    try:
                        async with asyncio.timeout(_ADDRESS):
                            line = await self._connect_to(address)
                    except OSError as problem:  # also: too late, no TLS
                        last = problem
                    else:
                        # The next begin with the one that answers.
                        self._addresses.sort(key=address.__ne__)
                        return line
        except OSError as problem:  # also: no such name
            last = problem
        self._addresses = []
        raise NoLine from last

    async def _resolve(self) -> list[str]:
        """The server's addresses, asked for again after a while, not for every connection."""
        async with self._asking:
            if not self._addresses or time.monotonic() > self._addresses_until:
                found = await asyncio.get_running_loop().getaddrinfo(
                    self._host, self._port, type=socket.SOCK_STREAM
                )
                self._addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
                self._addresses_until = time.monotonic() + _NAMES_KEPT
            return list(self._addresses)

    async def _connect_to(self, address: str) -> Line:
        _transport, line = await asyncio.get_running_loop().create_connection(
            Line,
            address,
            self._port,
            ssl=self._tls,
            server_hostname=self._host if self._tls is not None else None,
        )
        self._open.add(line)
        return line


def _give_up(answer: "asyncio.Future[tuple[int, bytes]]") -> None:
    if not answer.done():
        answer.set_exception(TimeoutError("no answer in time"))

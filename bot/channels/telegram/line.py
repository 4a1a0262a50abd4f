"""One kept connection to the Bot API: a request out, its answer in."""

import asyncio
import select
import socket
from typing import Any, Final

_LARGEST: Final = 32 << 20
_LARGEST_HEAD: Final = 64 << 10
_GONE: Final[int] = getattr(select, "POLLRDHUP", 0)


class BrokenAnswer(Exception):
    """It is not HTTP, or far too long."""


class LineClosed(Exception):
    """It was closed before anything was written."""


class Line(asyncio.Protocol):
    """HTTP/1.1 as far as the Bot API and what may stand before it use it.

    aiohttp's client, which can do all of HTTP, costs four times as much a request.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._poll: Any = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._came = bytearray()
        self._reader = _Reader()
        self.lost = False
        self.kept = True
        self.idle_since = 0.0

    # asyncio.Protocol

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        its_socket: socket.socket | None = transport.get_extra_info("socket")
        if its_socket is not None and hasattr(select, "poll"):
            self._poll = select.poll()
            self._poll.register(its_socket.fileno(), _GONE)

    def connection_lost(self, problem: Exception | None) -> None:
        self.lost = True
        if self._answer is not None and not self._answer.done():
            try:
                ended = self._reader.end(self._came)
            except BrokenAnswer:
                ended = None
            if ended is None or problem is not None:
                self._answer.set_exception(problem or ConnectionResetError("closed by the server"))
            else:
                self._answer.set_result(ended)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            # Nothing was asked: who speaks now is not to be trusted with the next request.
            self.close()
            return
        self._came += data
        try:
            answer = self._reader.read(self._came)
        except BrokenAnswer as problem:
            self._answer.set_exception(problem)
            self.close()
            return
        if answer is not None:
            self.kept = self._reader.kept and not self._came
            self._answer.set_result(answer)

    # For Lines

    @property
    def usable(self) -> bool:
        """Whether it stands, as far as this machine has heard: nothing of a request is out yet."""
        if self.lost or not self.kept or self._transport.is_closing():
            return False
        return self._poll is None or not self._poll.poll(0)

    def ask(self, request: bytes) -> "asyncio.Future[tuple[int, bytes]]":
        """The answer's status and body. Fails with an ``OSError`` or :class:`BrokenAnswer`.

        Raises :class:`LineClosed`.
        """
        if not self.usable:
            raise LineClosed
        self._came.clear()
        self._reader = _Reader()
        self._answer = self._loop.create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        """At once: what was not answered will not be."""
        self.kept = False
        if self._transport is not None:
            self._transport.abort()


class _Reader:
    """Takes one answer out of what has come."""

    __slots__ = ("_body", "_chunked", "_left", "_status", "kept")

    def __init__(self) -> None:
        self._status = 0
        self._left: int | None = None
        self._chunked = False
        self._body: bytearray | None = None
        self.kept = True

    def read(self, came: bytearray) -> tuple[int, bytes] | None:
        """``None`` until it is whole; what is read is taken out of ``came``."""
        if not self._status and not self._read_head(came):
            return None
        if self._chunked:
            return self._read_chunks(came)
        if self._left is None:
            if len(came) > _LARGEST:
                raise BrokenAnswer("too long")
            return None  # until the connection ends
        if len(came) < self._left:
            return None
        body = bytes(came[: self._left])
        del came[: self._left]
        return self._status, body

    def end(self, came: bytearray) -> tuple[int, bytes] | None:
        """The connection is over: the answer, if that is how its end is told."""
        if self._status and self._left is None and not self._chunked:
            return self._status, bytes(came)
        return None

    def _read_head(self, came: bytearray) -> bool:
        while True:
            end = came.find(b"\r\n\r\n")
            if end < 0:
                if len(came) > _LARGEST_HEAD:
                    raise BrokenAnswer("no end of its head")
                return False
            head = bytes(came[: end + 2]).lower()
            del came[: end + 4]
            if not head.startswith(b"http/1.") or not head[9:12].isdigit():
                raise BrokenAnswer("not HTTP")
            status = int(head[9:12])
            if status >= 200:
                break  # what is below only says that the answer is to come
        self._status = status
        closes = _header(head, b"connection")
        self.kept = head[7:8] == b"1" and closes != b"close"
        if _header(head, b"transfer-encoding"):
            self._chunked, self._body = True, bytearray()
        elif status in (204, 304):
            self._left = 0
        elif length := _header(head, b"content-length"):
            if not length.isdigit() or int(length) > _LARGEST:
                raise BrokenAnswer("its length")
            self._left = int(length)
        else:
            self.kept = False
        return True

    def _read_chunks(self, came: bytearray) -> tuple[int, bytes] | None:
        assert self._body is not None
        while (end := came.find(b"\r\n")) >= 0:
            if self._left == 0:  # the lines after the last chunk, up to an empty one
                del came[: end + 2]
                if not end:
                    return self._status, bytes(self._body)
                continue
            try:
                size = int(bytes(came[:end]).split(b";")[0], 16)
            except ValueError:
                raise BrokenAnswer("its chunks") from None
            if size < 0 or len(self._body) + size > _LARGEST:
                raise BrokenAnswer("too long")
            if size == 0:
                self._left = 0
                del came[: end + 2]
                continue
            if len(came) < end + 2 + size + 2:
                return None
            self._body += came[end + 2 : end + 2 + size]
            del came[: end + 2 + size + 2]
        return None


def _header(head: bytes, name: bytes) -> bytes:
    """``head`` and ``name`` in small letters; empty where there is none."""
    found = head.find(b"\r\n" + name + b":")
    if found < 0:
        return b""
    start = found + len(name) + 3
    return head[start : head.find(b"\r\n", start)].strip()

"""Telegram's side of a webhook, in a process of its own: posts updates as fast as they are taken.

``python -m tests.bench.posting PORT PATH SECRET CONNECTIONS``: each line on its standard input is
the name of a file, with an update a line; each line it prints, the seconds until all of them were
answered 200.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvloop


class _Connection(asyncio.Protocol):
    """Posts one update after another; ``done`` when there is none left."""

    def __init__(self, head: bytes, bodies: Iterator[bytes]) -> None:
        self._head = head
        self._bodies = bodies
        self._came = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.post()

    def post(self) -> None:
        body = next(self._bodies, None)
        if body is None:
            self._transport.close()
            self.done.set_result(None)
        else:
            self._transport.write(self._head % len(body) + body)

    def connection_lost(self, _problem: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError("the connection was closed"))

    def data_received(self, data: bytes) -> None:
        self._came += data
        end = self._came.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._came[:end].lower()
        if not head.startswith(b"http/1.1 200"):
            self.done.set_exception(RuntimeError(head.decode()))
            self._transport.close()
            return
        _, _, length = head.partition(b"content-length:")
        whole = end + 4 + int(length.split(b"\r\n")[0])
        if len(self._came) >= whole:
            self._came = self._came[whole:]
            self.post()


async def _post_all(port: int, head: bytes, connections: int, bodies: list[bytes]) -> float:
    loop = asyncio.get_running_loop()
    waiting = iter(bodies)
    started = time.perf_counter()
    made = [
        await loop.create_connection(lambda: _Connection(head, waiting), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for _, connection in made))
    return time.perf_counter() - started


def main() -> None:
    port, path, secret, connections = sys.argv[1:]
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "Content-Type: application/json\r\nConnection: keep-alive\r\n"
        f"X-Telegram-Bot-Api-Secret-Token: {secret}\r\nContent-Length: %d\r\n\r\n"
    ).encode()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for name in sys.stdin:
            bodies = Path(name.strip()).read_bytes().splitlines()
            seconds = runner.run(_post_all(int(port), head, int(connections), bodies))
            print(seconds, flush=True)  # noqa: T201  # that is how it answers


if __name__ == "__main__":
    main()

"""A Bot API of another process that says yes to everything, at once and without limits.

``python -m tests.bench.standin`` prints its port and serves until its input ends.
"""

import asyncio
import contextlib
import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import uvloop
from aiohttp import web

_ROOT = Path(__file__).parents[2]
_ME = b'{"ok":true,"result":{"id":42,"is_bot":true,"first_name":"Kinroom","username":"kin_bot"}}'
_SENT = (
    b'{"ok":true,"result":{"message_id":%d,"date":1794830400,'
    b'"from":{"id":42,"is_bot":true,"first_name":"Kinroom","username":"kin_bot"},'
    b'"chat":{"id":1000001,"first_name":"Fang","type":"private"},"text":"%d"}}'
)
_POLL = 20.0


@contextlib.contextmanager
def stand_in() -> Iterator[str]:
    """Its address, for as long as the block runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.standin"],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def make_app() -> web.Application:
    numbers = itertools.count(1)

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        method = request.match_info["method"].lower()
        if method == "sendmessage":
            number = next(numbers)
            body = _SENT % (number, number)
        elif method == "getme":
            body = _ME
        elif method == "getupdates":
            await asyncio.sleep(_POLL)
            body = b'{"ok":true,"result":[]}'
        else:
            body = b'{"ok":true,"result":true}'
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_post("/bot{token}/{method}", answer)
    return app


async def _serve() -> None:
    runner = web.AppRunner(make_app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)  # noqa: T201  # told to who started it
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, daemon=True).start()
    await ended.wait()
    await runner.cleanup()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as main:
        main.run(_serve())

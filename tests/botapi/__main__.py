"""Stand-alone: `python -m tests.botapi --port 8081 --token 123456:TEST`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys

from .server import BotApi


async def run(port: int, tokens: list[str], names: list[str]) -> None:
    """Serve until cancelled."""
    server = BotApi(port=port)
    for number, token in enumerate(tokens):
        server.add_bot(token, names[number] if number < len(names) else f"test{number}_bot")
    await server.start()
    sys.stdout.write(f"Bot API on {server.url}, people under {server.url}/control/\n")
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.botapi", description=__doc__)
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--token", action="append", help="a bot's token; may be repeated")
    parser.add_argument("--username", action="append", default=[], help="of each token in turn")
    args = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(args.port, args.token or ["123456:TEST"], args.username))


if __name__ == "__main__":
    main()

"""A Bot API server of its own: `python -m tests.botapi --port 8081 --token 123456:TEST`.

Set KINROOM_TELEGRAM_API to its address to let the service speak to it. People, limits, faults
and the log of what was accepted are under /control/, all JSON:

    curl -d '{"first_name": "Fang"}' localhost:8081/control/users
    curl -d '{"bot_rate": 30, "chat_rate": 1, "group_minute": 20}' localhost:8081/control/limits
    curl -d '{"seed": 7, "odds": {"chat_flood": 0.01, "lost": 0.001}}' localhost:8081/control/faults
    curl -d '{"action": "flood", "retry_after": 5, "method": "sendMessage"}' …/control/faults
    curl -d '{"hold_bot": 5}' localhost:8081/control/faults         a global flood wait
    curl -d '{"refuse_connections": 3}' localhost:8081/control/faults
    curl -d '{"clear": true}' localhost:8081/control/faults
    curl localhost:8081/control/log

All routes: tests/botapi/control.py and control_faults.py.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys

from .server import BotApi


async def run(port: int, tokens: list[str], names: list[str], rate: float | None) -> None:
    """Serve until cancelled; with `rate`, all of Telegram's limits are enforced."""
    server = BotApi(port=port)
    if rate is not None:
        server.limits.as_telegram(rate)
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
    parser = argparse.ArgumentParser(
        prog="python -m tests.botapi",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--token", action="append", help="a bot's token; may be repeated")
    parser.add_argument("--username", action="append", default=[], help="of each token in turn")
    parser.add_argument("--rate", type=float, help="messages a second that a bot may send")
    args = parser.parse_args()
    # What is started in the background of a shell would ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(args.port, args.token or ["123456:TEST"], args.username, args.rate))


if __name__ == "__main__":
    main()

"""Updates carried to a bot by POST, in order within each chat, until it answers 2xx."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any

import aiohttp

from .errors import ApiError, Json
from .faults import Cut, Garbled
from .params import read_json, read_parts

if TYPE_CHECKING:
    from .account import BotAccount
    from .server import BotApi


class Webhook:
    """Retries begin after `server.webhook_retry` seconds and double up to a minute.

    `attempts` counts the POSTs made.
    """

    def __init__(
        self, server: BotApi, bot: BotAccount, url: str, secret: str, connections: int
    ) -> None:
        self.server = server
        self.bot = bot
        self.url = url
        self.secret = secret
        self.connections = connections
        self.attempts = 0
        self._free = asyncio.Semaphore(connections)
        self._error: tuple[int, str] | None = None
        self._lanes: dict[Any, deque[Json]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def json(self) -> Json:
        """Its part of the Bot API's WebhookInfo."""
        info: Json = {"url": self.url, "max_connections": self.connections}
        if self._error is not None:
            info["last_error_date"], info["last_error_message"] = self._error
        return info

    def start(self) -> None:
        timeout = aiohttp.ClientTimeout(total=self.server.webhook_timeout)
        self._session = aiohttp.ClientSession(timeout=timeout)
        self.bot.updates.on_push = self._queue
        for update in list(self.bot.updates.pending.values()):
            self._queue(update)

    async def stop(self) -> None:
        """Stop carrying; what was not taken stays in the queue."""
        self.bot.updates.on_push = None
        # A bot may call this in its answer to a POST, and so from within a lane.
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes.clear()
        if self._session is not None:
            await self._session.close()

    def _queue(self, update: Json) -> None:
        lane = lane_of(update)
        if lane in self._lanes:
            self._lanes[lane].append(update)
        else:
            self._lanes[lane] = deque([update])
            task = asyncio.create_task(self._carry_lane(lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry_lane(self, lane: Any) -> None:
        updates = self._lanes[lane]
        while updates:
            await self._carry(updates.popleft())
        del self._lanes[lane]

    async def _carry(self, update: Json) -> None:
        """Returns once the bot took the update, or it was dropped."""
        pending = self.bot.updates.pending
        pause = self.server.webhook_retry
        while update["update_id"] in pending:
            async with self._free:
                error = await self._post(update)
            if error is None:
                pending.pop(update["update_id"], None)
            else:
                self._error = (self.server.unix_time(), error)
            self.server.changes.notify()
            if error is not None:
                await asyncio.sleep(pause)
                pause = min(2 * pause, 60.0)

    async def _post(self, update: Json) -> str | None:
        """None if the bot took it, else what went wrong."""
        assert self._session is not None
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.secret} if self.secret else {}
        self.attempts += 1
        self.server.changes.notify()
        try:
            async with self._session.post(self.url, json=update, headers=headers) as response:
                if not 200 <= response.status < 300:
                    reason = f"{response.status} {response.reason}"
                    return f"Wrong response from the webhook: {reason}"
                params = await _read_answer(response)
        except TimeoutError:
            return "Read timeout expired"
        except aiohttp.ClientConnectorError:
            return "Connection refused"
        except aiohttp.ClientError as problem:
            return f"Connection failed: {problem}"
        if isinstance(method := params.pop("method", None), str):
            # Telegram does not tell a bot what came of a call made in this way.
            with contextlib.suppress(Cut, Garbled):
                await self.server.call(self.bot, method, params, via="webhook")
        return None


async def _read_answer(response: aiohttp.ClientResponse) -> Json:
    """A method that the bot calls by its answer to the POST, and its parameters."""
    try:
        if response.content_type == "application/json":
            return read_json(await response.text())
        if response.content_type == "multipart/form-data":
            return await read_parts(aiohttp.MultipartReader.from_response(response))
    except ApiError:
        pass
    return {}


def lane_of(update: Json) -> Any:
    """What keeps its order: a chat, or the person where there is no chat."""
    for payload in update.values():
        if isinstance(payload, dict):
            holder = payload if "chat" in payload else payload.get("message") or payload
            where = holder.get("chat") or holder.get("from") or {}
            return where.get("id")
    return None

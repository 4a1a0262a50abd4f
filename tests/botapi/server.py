"""The server: people, chats and bots, and the HTTP that bots speak to it."""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
import json
import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from aiohttp import web

from . import control, editing, fetching, reading, schema, sending, settings
from .account import BotAccount
from .callback import Callbacks
from .changes import Changes
from .chat import PrivateChat
from .errors import ApiError, Json
from .faults import Action, Cut, Faults, Garbled, apply
from .files import Files
from .group import Group
from .limits import Limits
from .log import Call, Log
from .odds import Odds
from .params import MAX_UPLOAD, check_params, read_request
from .request import Handler, Request, not_supported
from .user import User

T = TypeVar("T")
_JSON = {"Content-Type": "application/json; charset=utf-8"}

METHODS: dict[str, Handler] = {
    **fetching.METHODS,
    **reading.METHODS,
    **sending.METHODS,
    **editing.METHODS,
    **settings.METHODS,
}


class BotApi:
    """Telegram on loopback. State lives in the object and outlasts `stop` and `start`.

    `url` is the base for `TelegramAPIServer.from_base`. Stricter than Telegram: parameters
    and fields that the schema does not know are refused, methods and parameters without a
    behaviour here are answered 501.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError("the test server listens on loopback only")
        self.host = host
        self.port = port
        self.bots: dict[int, BotAccount] = {}
        self.users: dict[int, User] = {}
        self.groups: dict[int, Group] = {}
        self.private_chats: dict[tuple[int, int], PrivateChat] = {}
        self.files = Files()
        self.callbacks = Callbacks()
        self.log = Log()
        self.limits = Limits()
        self.faults = Faults()
        self.odds = Odds(self, 0, {})
        self.changes = Changes()
        self.crashes: list[Exception] = []
        self.webhook_retry = 0.05  # seconds before the first retry
        self.webhook_timeout = 60.0  # seconds a bot may take to answer
        self._next_user = 5_000_000_000 + random.randrange(1_000_000)
        self._next_group = random.randrange(100_000_000, 900_000_000)
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._shut: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, once started."""
        return f"http://{self.host}:{self.port}"

    def unix_time(self) -> int:
        return int(time.time())

    # Running

    async def start(self) -> None:
        """Listen. With port 0 a free port is taken, and kept for later starts."""
        app = web.Application(client_max_size=MAX_UPLOAD + 200_000)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        app.router.add_get("/file/bot{token}/{path:.+}", self._serve_file)
        control.add_routes(app, self)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await self.listen()
        for bot in self.bots.values():
            if bot.webhook is not None:
                bot.webhook.start()

    async def listen(self) -> None:
        """Take connections, again after `shut`."""
        if self._runner is not None and self._site is None:
            self._site = web.TCPSite(self._runner, self.host, self.port, reuse_address=True)
            await self._site.start()
            self.port = self._runner.addresses[-1][1]

    async def shut(self) -> None:
        """Refuse connections until `listen`; what is being answered is still answered."""
        if self._runner is None or self._site is None:
            return
        site, self._site = self._site, None
        await site.stop()
        if self._runner.server is not None:
            for connection in self._runner.server.connections:
                # One that waits for a request would wait for ever, and so would who asks next.
                busy = connection._current_request is not None
                connection.close() if busy else connection.force_close()

    def refuse_for(self, seconds: float) -> None:
        """Refuse connections for so long, unless that is already so."""
        if self._shut is None or self._shut.done():
            self._shut = asyncio.create_task(self._shut_for(seconds))

    async def _shut_for(self, seconds: float) -> None:
        await self.shut()
        await asyncio.sleep(seconds)
        await self.listen()

    async def stop(self) -> None:
        """Close every connection and refuse new ones; `start` opens the same port again.

        A client's pooled connection may break on its next use before it sees a refusal.
        Raises what went wrong inside the server, if anything did.
        """
        for bot in self.bots.values():
            bot.updates.take_over(ApiError(500, "Internal Server Error: restart"))
            if bot.webhook is not None:
                await bot.webhook.stop()
        if self._shut is not None:
            self._shut.cancel()
            await asyncio.wait([self._shut])
            self._shut = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = self._site = None
        if self.crashes:
            crashes, self.crashes = self.crashes, []
            raise ExceptionGroup("the test server failed", crashes)

    # Who there is

    def add_bot(
        self, token: str, username: str, first_name: str = "Kinroom", *, privacy: bool = True
    ) -> BotAccount:
        """Register a bot. `token` is `digits:text`; the digits are its id."""
        bot = BotAccount(self, token, username, first_name, privacy)
        self.bots[bot.id] = bot
        return bot

    def add_user(
        self,
        first_name: str,
        *,
        last_name: str | None = None,
        username: str | None = None,
        language_code: str | None = None,
    ) -> User:
        """Register a person; ids lie above 2^32."""
        self._next_user += random.randrange(1, 1000)
        user = User(self, self._next_user, first_name, last_name, username, language_code)
        self.users[user.id] = user
        return user

    def add_group(self, title: str, owner: User, *members: User) -> Group:
        """Make a basic group without a bot; `group.add(bot)` invites one."""
        self._next_group += 1
        group = self.groups[-self._next_group] = Group(self, -self._next_group, title, owner)
        for member in members:
            group.add(member)
        return group

    def supergroup(self, group: Group) -> Group:
        """The successor of a basic group, with the same people in it."""
        chat_id = -1_000_000_000_000 - self._next_group - random.randrange(1, 1_000_000_000)
        new = self.groups[chat_id] = Group(self, chat_id, group.title, self.users[group.owner.id])
        new.type = "supergroup"
        new.status = dict(group.status)
        new.people = dict(group.people)
        return new

    def private_chat(self, user: User, bot: BotAccount) -> PrivateChat:
        """The one chat of these two."""
        key = (user.id, bot.id)
        if key not in self.private_chats:
            self.private_chats[key] = PrivateChat(self, user, bot)
        return self.private_chats[key]

    async def wait_until(self, condition: Callable[[], T | None], timeout: float = 5.0) -> T:  # noqa: ASYNC109
        """The first truthy value of `condition()`, looked at after each call and update."""
        return await self.changes.wait_for(condition, timeout)

    # Calls

    async def call(self, bot: BotAccount, method: str, params: Json, *, via: str = "http") -> Call:
        """Make one call and log it. Raises Cut or Garbled where a fault says so."""
        call = Call(time.monotonic(), time.time(), method, bot, params, via)
        self.log.append(call)
        try:
            call.result = await self._run(call)
            call.outcome, call.code = "ok", 200
        except ApiError as error:
            call.outcome = "refused"
            call.code, call.description, call.result = error.code, error.description, error
        except Cut:
            call.outcome = "lost" if call.effect else "cut"
            raise
        except Garbled:
            call.outcome = "garbled"
            raise
        finally:
            call.answered_at = time.monotonic()
            self.log.answered(call)
            self.changes.notify()
        return call

    async def _run(self, call: Call) -> Any:
        name = schema.method_names().get(call.method.lower())
        if name is None:
            raise ApiError(404, "Not Found")
        call.method = name
        call.params = check_params(name, call.params)
        if name not in METHODS:
            raise not_supported(name)
        actions: list[Action] = self.faults.plan(call) or self.odds.draw(call)
        self.limits.check(call)
        if actions:
            await apply(actions, after=False)
        result = METHODS[name](Request(self, call.bot, name, dict(call.params)))
        if inspect.isawaitable(result):
            result = await result
        call.effect = True
        call.result = result
        if actions:
            self.changes.notify()
            await apply(actions, after=True)
        return result

    def _bot(self, token: str) -> BotAccount | None:
        return next((bot for bot in self.bots.values() if bot.token == token), None)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        bot = self._bot(request.match_info["token"])
        if bot is None:
            return _answer(ApiError(401, "Unauthorized"))
        try:
            params = await read_request(request)
            call = await self.call(bot, request.match_info["method"], params)
        except ApiError as error:
            return _answer(error)
        except Cut:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        except Garbled as garbled:
            fault = garbled.garble
            return web.Response(status=fault.status, text=fault.body, content_type="text/html")
        except web.HTTPRequestEntityTooLarge:  # a JSON or urlencoded body
            return _answer(ApiError(413, "Request Entity Too Large"))
        except Exception as crash:  # noqa: BLE001
            # A mistake of this server must fail the test, not look like Telegram's.
            self.crashes.append(crash)
            return _answer(ApiError(500, f"Internal Server Error: {crash!r}"))
        result = call.result
        self.log.lighten(call)
        if isinstance(result, ApiError):
            return _answer(result)
        return _written({"ok": True, "result": result})

    async def _serve_file(self, request: web.Request) -> web.StreamResponse:
        file = self.files.find(request.match_info["path"])
        if self._bot(request.match_info["token"]) is None or file is None:
            return _answer(ApiError(404, "Not Found"))
        return web.Response(body=file.data, content_type="application/octet-stream")


def _answer(error: ApiError) -> web.Response:
    return _written(error.json(), error.code)


def _written(body: Json, status: int = 200) -> web.Response:
    """JSON, without aiohttp's costly look at a content type that is always the same."""
    return web.Response(body=json.dumps(body).encode(), status=status, headers=_JSON)

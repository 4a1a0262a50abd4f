"""A small HTTP interface to the people's side, for tests of a whole process and for hands.

All bodies and answers are JSON; errors are `{"error": text}` with status 400. A person is
named by id; `bot` (its username) may be left out where there is one bot.

    POST /control/users     {"first_name", "language_code"?, …}     -> {"id"}
    POST /control/start     {"user", "payload"?}                     -> message
    POST /control/write     {"user", "text", "reply_to"?}            -> message
    POST /control/tap       {"user", "message_id"?, "button", "timeout"?}
                            -> {"text", "show_alert"}; the newest message if none is named
    POST /control/location  {"user", "latitude", "longitude"}        -> message
    POST /control/block, /control/unblock  {"user"}                  -> {}
    GET  /control/messages?user=ID[&after=MESSAGE_ID][&wait=SECONDS]
                            -> {"messages": [message], "keyboard": [[words]] | null}
                            with `wait`, returns once the bot wrote something after `after`
    GET  /control/log[?from=N] -> [{"wall", "method", "chat_id", "outcome", "code", "description"}]
                            from the N-th call on, counted from 0
    GET, POST /control/limits, POST /control/faults: see `control_faults`
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from . import control_faults
from .conversation import PrivateConversation
from .errors import Json
from .message import Message

if TYPE_CHECKING:
    from .server import BotApi

Action = Callable[[PrivateConversation, Json], Awaitable[Any]]


async def _start(chat: PrivateConversation, body: Json) -> Any:
    return shown(await chat.start(body.get("payload", "")))


async def _write(chat: PrivateConversation, body: Json) -> Any:
    if "reply_to" in body:
        return shown(await chat.reply(_find(chat, body["reply_to"]), body["text"]))
    return shown(await chat.write(body["text"]))


async def _tap(chat: PrivateConversation, body: Json) -> Any:
    message = _find(chat, body["message_id"]) if "message_id" in body else chat.last
    answer = await chat.tap(message, body["button"], body.get("timeout", 5.0))
    return {"text": answer.text, "show_alert": answer.show_alert}


async def _location(chat: PrivateConversation, body: Json) -> Any:
    return shown(await chat.send_location(body["latitude"], body["longitude"]))


async def _block(chat: PrivateConversation, body: Json) -> Any:
    await chat.block()
    return {}


async def _unblock(chat: PrivateConversation, body: Json) -> Any:
    await chat.unblock()
    return {}


_ACTIONS: dict[str, Action] = {
    "start": _start,
    "write": _write,
    "tap": _tap,
    "location": _location,
    "block": _block,
    "unblock": _unblock,
}


def add_routes(app: web.Application, server: BotApi) -> None:
    """Put the routes under `/control/`."""

    async def users(request: web.Request) -> web.Response:
        try:
            return web.json_response({"id": server.add_user(**await request.json()).id})
        except (TypeError, ValueError) as problem:
            return web.json_response({"error": str(problem)}, status=400)

    async def act(request: web.Request) -> web.Response:
        action = _ACTIONS.get(request.match_info["action"])
        if action is None:
            raise web.HTTPNotFound
        try:
            body = await request.json()
            return web.json_response(await action(_conversation(server, body), body))
        except (LookupError, RuntimeError, TimeoutError, TypeError, ValueError) as problem:
            text = f"{type(problem).__name__}: {problem}"
            return web.json_response({"error": text}, status=400)

    async def messages(request: web.Request) -> web.Response:
        after = int(request.query.get("after", "0"))
        try:
            chat = _conversation(server, {**request.query, "user": int(request.query["user"])})
            if "wait" in request.query:
                await chat.wait_for(lambda m: m.message_id > after, float(request.query["wait"]))
        except (LookupError, ValueError, TimeoutError) as problem:
            return web.json_response({"error": str(problem)}, status=400)
        found = [shown(message) for message in chat.messages if message.message_id > after]
        return web.json_response({"messages": found, "keyboard": chat.keyboard})

    async def log(request: web.Request) -> web.Response:
        keys = ("wall", "method", "chat_id", "outcome", "code", "description")
        calls = server.log[int(request.query.get("from", "0")) :]
        return web.json_response([{key: getattr(c, key) for key in keys} for c in calls])

    app.router.add_post("/control/users", users)
    app.router.add_get("/control/messages", messages)
    app.router.add_get("/control/log", log)
    control_faults.add_routes(app, server)
    app.router.add_post("/control/{action}", act)


def shown(message: Message) -> Json:
    """The Bot API's Message, with `from_bot` and the words on its `buttons` beside it."""
    return {**message.json(), "from_bot": message.from_bot, "buttons": message.labels}


def _conversation(server: BotApi, body: Json) -> PrivateConversation:
    user = server.users.get(body.get("user", 0))
    if user is None:
        raise LookupError("no such user; POST /control/users makes one")
    name = body.get("bot")
    bots = [bot for bot in server.bots.values() if name in {None, bot.username}]
    if len(bots) != 1:
        raise LookupError(f"which bot? {[bot.username for bot in server.bots.values()]}")
    return user.open(bots[0])


def _find(chat: PrivateConversation, message_id: int) -> Message:
    message = chat.chat.find(message_id)
    if message is None:
        raise LookupError(f"no message {message_id} here")
    return message

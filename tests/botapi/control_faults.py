"""Limits and faults by HTTP, for tests of a whole process and for hands. All JSON.

POST /control/limits  {"bot_rate"?, "bot_slack"?, "chat_rate"?, "chat_burst"?,
                       "group_minute"?}: null takes a limit away
GET  /control/limits  -> those, and {"refused": {"bot", "chat", "group", "flood"}}
POST /control/faults  any of
    {"action": ACTION, "method"?, "chat_id"?, "times"?: 1, "lasts"?: seconds, …}
        ACTION with its own words: flood {"retry_after"}, blocked, deactivated, no_chat,
        refused {"text"}, broken {"code"}, slow {"seconds", "after"?}, dropped (cut before
        the effect), lost (cut after it)
    {"odds": {KIND: share}, "seed": N}   faults at random; the kinds are those of `odds.py`
    {"hold_bot": seconds}                a global flood wait of every bot
    {"hold_chat": seconds, "chat_id"}    a flood wait of one chat
    {"refuse_connections": seconds}
    {"clear": true}                      no scripted and no random faults any more
  -> {"faults": how many are in force, "struck": {KIND: n}}
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aiohttp import web

from .errors import Json
from .faults import Action, Delay, Disconnect, blocked, broken, deactivated, flood, refused
from .odds import Odds

if TYPE_CHECKING:
    from .server import BotApi

_LIMITS = ("bot_rate", "bot_slack", "chat_rate", "chat_burst", "group_minute")


def add_routes(app: web.Application, server: BotApi) -> None:
    """Put the routes under `/control/`."""

    async def limits(request: web.Request) -> web.Response:
        if request.method == "POST":
            given = await request.json()
            if unknown := set(given) - set(_LIMITS):
                return _error(f"no such limit: {sorted(unknown)}")
            for name, value in given.items():
                setattr(server.limits, name, value)
        shown = {name: getattr(server.limits, name) for name in _LIMITS}
        return web.json_response({**shown, "refused": dict(server.limits.refused)})

    async def faults(request: web.Request) -> web.Response:
        try:
            _take(server, await request.json())
        except (KeyError, TypeError, ValueError) as problem:
            return _error(f"{type(problem).__name__}: {problem}")
        struck = dict(server.odds.struck)
        return web.json_response({"faults": len(server.faults), "struck": struck})

    app.router.add_get("/control/limits", limits)
    app.router.add_post("/control/limits", limits)
    app.router.add_post("/control/faults", faults)


def _take(server: BotApi, body: Json) -> None:
    now = time.monotonic()
    if body.get("clear"):
        server.faults.clear()
        server.odds = Odds(server, 0, {})
    if "odds" in body:
        server.odds = Odds(server, int(body.get("seed", 0)), body["odds"])
    if "hold_bot" in body:
        for bot_id in server.bots:
            server.limits.hold_bot(bot_id, now + body["hold_bot"])
    if "hold_chat" in body:
        server.limits.hold_chat(body["chat_id"], now + body["hold_chat"])
    if "refuse_connections" in body:
        server.refuse_for(body["refuse_connections"])
    if "action" in body:
        server.faults.add(
            _action(body),
            body.get("method"),
            body.get("chat_id"),
            times=body.get("times", 1),
            lasts=body.get("lasts"),
        )


def _action(body: Json) -> Action:
    name = body["action"]
    if name == "flood":
        return flood(body.get("retry_after", 1))
    if name == "refused":
        return refused(body["text"])
    if name == "broken":
        return broken(body.get("code", 500))
    if name == "slow":
        return Delay(body["seconds"], after=body.get("after", False))
    plain: dict[str, Action] = {
        "blocked": blocked(),
        "deactivated": deactivated(),
        "no_chat": refused("chat not found"),
        "dropped": Disconnect(),
        "lost": Disconnect(after=True),
    }
    if name not in plain:
        raise ValueError(f"no such action: {name}")
    return plain[name]


def _error(text: str) -> web.Response:
    return web.json_response({"error": text}, status=400)

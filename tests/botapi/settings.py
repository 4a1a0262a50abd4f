"""What a bot says about itself: commands, name, descriptions, menu button."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

from .errors import Json, bad_request
from .request import Handler, Request, access_chat
from .text import units

_LIMITS = {"name": 64, "description": 512, "short_description": 120}


def set_text(request: Request, name: str) -> bool:
    """An empty text takes the dedicated one away."""
    value = request.get(name, "")
    if units(value) > _LIMITS[name]:
        raise bad_request(f"BOT_{name.upper()}_TOO_LONG")
    _store(request, name, "", value)
    return True


def get_text(request: Request, name: str) -> Json:
    own = request.bot.first_name if name == "name" else ""
    return {name: _stored(request, name, "", own)}


def set_my_commands(request: Request) -> bool:
    commands = request.get("commands")
    if len(commands) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= units(command["description"].strip()) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    _store(request, "commands", _scope(request), commands)
    return True


def get_my_commands(request: Request) -> Any:
    return _stored(request, "commands", _scope(request), [])


def delete_my_commands(request: Request) -> bool:
    _store(request, "commands", _scope(request), [])
    return True


def set_chat_menu_button(request: Request) -> bool:
    scope = _private(request)
    request.bot.settings["menu_button", scope, ""] = request.get("menu_button", _DEFAULT_BUTTON)
    return True


def get_chat_menu_button(request: Request) -> Any:
    settings = request.bot.settings
    general = settings.get(("menu_button", "", ""), _DEFAULT_BUTTON)
    return settings.get(("menu_button", _private(request), ""), general)


_DEFAULT_BUTTON = {"type": "default"}


def _private(request: Request) -> str:
    chat_id = request.get("chat_id")
    if chat_id is None:
        return ""
    return str(access_chat(request).id)


def _scope(request: Request) -> str:
    return json.dumps(request.get("scope", {"type": "default"}), sort_keys=True)


def _language(request: Request) -> str:
    code: str = request.get("language_code", "")
    if code and not re.fullmatch(r"[a-z]{2}", code):
        raise bad_request("invalid language code specified")
    return code


def _store(request: Request, name: str, scope: str, value: Any) -> None:
    key = (name, scope, _language(request))
    if value:
        request.bot.settings[key] = value
    else:
        request.bot.settings.pop(key, None)


def _stored(request: Request, name: str, scope: str, default: Any) -> Any:
    """The language's own value, or the one for all languages (not so for commands)."""
    settings = request.bot.settings
    language = _language(request)
    general = default if name == "commands" and language else settings.get((name, scope, ""))
    return settings.get((name, scope, language), general or default)


METHODS: dict[str, Handler] = {
    "setMyName": partial(set_text, name="name"),
    "setMyDescription": partial(set_text, name="description"),
    "setMyShortDescription": partial(set_text, name="short_description"),
    "getMyName": partial(get_text, name="name"),
    "getMyDescription": partial(get_text, name="description"),
    "getMyShortDescription": partial(get_text, name="short_description"),
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setChatMenuButton": set_chat_menu_button,
    "getChatMenuButton": get_chat_menu_button,
}

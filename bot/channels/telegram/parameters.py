"""A method's parameters as JSON, without the form that aiogram makes of them."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from aiogram import Bot
from aiogram.client.default import Default
from aiogram.methods import TelegramMethod
from aiogram.types import TelegramObject

_encode: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode


class NotPlain(Exception):
    """There is something in it that JSON cannot say, such as a file."""


def as_json(bot: Bot, method: TelegramMethod[Any]) -> bytes:
    """The body of the request: what aiogram would send as a form, field by field.

    Raises :class:`NotPlain`, and ``ValueError`` for what is no Unicode or no number.
    """
    said: dict[str, Any] = {}
    for name, value in _fields(method):
        if value is None or value == "":  # a form has neither
            continue
        if (plain := _plain(value, bot)) is not None and plain != "":
            said[name] = plain
    return _encode(said).encode()


def _fields(model: Any) -> Any:
    fields = model.__dict__.items()
    extra = model.__pydantic_extra__
    return [*fields, *extra.items()] if extra else fields


def _plain(value: Any, bot: Bot) -> Any:
    convert = _CONVERT.get(type(value))
    return convert(value, bot) if convert is not None else _unusual(value, bot)


def _as_it_is(value: Any, _bot: Bot) -> Any:
    return value


def _list(value: Any, bot: Bot) -> list[Any]:
    return [plain for item in value if (plain := _plain(item, bot)) is not None]


def _dict(value: dict[str, Any], bot: Bot) -> dict[str, Any]:
    return {
        name: plain
        for name, item in value.items()
        if item is not None and (plain := _plain(item, bot)) is not None
    }


def _object(value: TelegramObject, bot: Bot) -> dict[str, Any]:
    return {
        name: plain
        for name, item in _fields(value)
        if item is not None and (plain := _plain(item, bot)) is not None
    }


_CONVERT: Final[dict[type, Callable[[Any, Bot], Any]]] = {
    str: _as_it_is,
    int: _as_it_is,
    bool: _as_it_is,
    float: _as_it_is,
    type(None): _as_it_is,
    list: _list,
    dict: _dict,
    Default: lambda value, bot: _plain(bot.default[value.name], bot),
    datetime: lambda value, _bot: round(value.timestamp()),
    timedelta: lambda value, _bot: round((datetime.now().astimezone() + value).timestamp()),
}


def _unusual(value: Any, bot: Bot) -> Any:
    if isinstance(value, TelegramObject):
        _CONVERT[type(value)] = _object
        return _object(value, bot)
    if isinstance(value, Enum):
        return _plain(value.value, bot)
    if isinstance(value, list):
        return _list(value, bot)
    raise NotPlain

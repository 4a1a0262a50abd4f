"""The updates of every day, built without being validated field by field.

aiogram validates an update three calls deep for each object in it, which costs as much as
committing it. A text or a tap in a private chat, with no field that is not looked at here, needs
none of it: what this takes is checked, and everything else is left to aiogram.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeVar

from aiogram import Bot
from aiogram.types import (
    CallbackQuery,
    Chat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    Update,
    User,
)
from pydantic import BaseModel

_Model = TypeVar("_Model", bound=BaseModel)
_Kinds = dict[str, type]

_USER: Final[_Kinds] = {
    "id": int,
    "is_bot": bool,
    "first_name": str,
    "last_name": str,
    "username": str,
    "language_code": str,
    "is_premium": bool,
}
_CHAT: Final[_Kinds] = {
    "id": int,
    "type": str,
    "first_name": str,
    "last_name": str,
    "username": str,
}
_MESSAGE: Final[_Kinds] = {
    "message_id": int,
    "chat": dict,
    "date": int,
    "from": dict,
    "text": str,
    "reply_markup": dict,
}
_TAP: Final[_Kinds] = {
    "id": str,
    "from": dict,
    "chat_instance": str,
    "data": str,
    "message": dict,
}
_BUTTON: Final[_Kinds] = {"text": str, "callback_data": str}
# Above it, pydantic takes a number for milliseconds.
_NEWEST: Final = 20_000_000_000
_set: Final = object.__setattr__  # a frozen model has no other


class _NotPlain(Exception):
    """It holds more than is known here."""


def build_plain(bot: Bot, raw: dict[str, Any]) -> Update | None:
    """What ``Update.model_validate`` makes of it; ``None`` where that must be asked."""
    try:
        if len(raw) != 2 or type(raw["update_id"]) is not int:
            return None
        held: dict[str, Any]
        if (message := raw.get("message")) is not None:
            held = {"message": _message(bot, message)}
        elif (tap := raw.get("callback_query")) is not None:
            held = {"callback_query": _tap(bot, tap)}
        else:
            return None
        return _build(Update, bot, {"update_id": raw["update_id"], **held})
    except (_NotPlain, KeyError, TypeError):
        return None


def _message(bot: Bot, raw: Any) -> Message:
    said = dict(_checked(raw, _MESSAGE, ("message_id", "chat", "date")))
    if not 0 < said["date"] < _NEWEST:
        raise _NotPlain
    said["date"] = datetime.fromtimestamp(said["date"], UTC)
    said["chat"] = _build(Chat, bot, _checked(said["chat"], _CHAT, ("id", "type")))
    if "from" in said:
        said["from_user"] = _user(bot, said.pop("from"))
    if "reply_markup" in said:
        said["reply_markup"] = _keyboard(bot, said["reply_markup"])
    return _build(Message, bot, said)


def _tap(bot: Bot, raw: Any) -> CallbackQuery:
    said = dict(_checked(raw, _TAP, ("id", "from", "chat_instance")))
    said["from_user"] = _user(bot, said.pop("from"))
    if "message" in said:
        said["message"] = _message(bot, said["message"])
    return _build(CallbackQuery, bot, said)


def _user(bot: Bot, raw: Any) -> User:
    return _build(User, bot, _checked(raw, _USER, ("id", "is_bot", "first_name")))


def _keyboard(bot: Bot, raw: dict[str, Any]) -> InlineKeyboardMarkup:
    rows = raw["inline_keyboard"]
    if len(raw) != 1 or type(rows) is not list:
        raise _NotPlain
    built = [
        [_build(InlineKeyboardButton, bot, _checked(button, _BUTTON, ("text",))) for button in row]
        for row in rows
    ]
    return _build(InlineKeyboardMarkup, bot, {"inline_keyboard": built})


def _checked(raw: Any, kinds: _Kinds, required: tuple[str, ...]) -> dict[str, Any]:
    """``raw`` itself; those ``required`` must be there."""
    if type(raw) is not dict:
        raise _NotPlain
    for name, value in raw.items():
        # A bool is an int to isinstance.
        if type(value) is not kinds[name]:
            raise _NotPlain
    for name in required:
        if name not in raw:
            raise _NotPlain
    return raw


@cache
def _defaults(model: type[BaseModel]) -> dict[str, Any]:
    return {
        name: field.default
        for name, field in model.model_fields.items()
        if not field.is_required() and field.default_factory is None
    }


def _build(model: type[_Model], bot: Bot, said: dict[str, Any]) -> _Model:
    built = model.__new__(model)
    _set(built, "__dict__", {**_defaults(model), **said})
    _set(built, "__pydantic_fields_set__", set(said))
    _set(built, "__pydantic_extra__", {})
    _set(built, "__pydantic_private__", {"_bot": bot})
    return built

"""The message as Telegram took it, decoded no further than someone looks at it."""

from typing import Any

from aiogram import Bot
from aiogram.types import Message
from pydantic import PrivateAttr


class TakenMessage(Message):
    """A :class:`Message` that holds its id; whatever else is asked of it is decoded then.

    Of the many messages that are sent, nobody reads more than the id, and decoding one costs as
    much as sending it. What is asked for may raise ``ValidationError``, if Telegram's answer was
    no message.
    """

    _raw: dict[str, Any] = PrivateAttr()

    def __getattr__(self, name: str) -> Any:
        if name in Message.model_fields and name not in self.__dict__:
            whole = Message.model_validate(self._raw, context={"bot": self._bot})
            self.__dict__.update(whole.__dict__)
            object.__setattr__(self, "__pydantic_extra__", whole.__pydantic_extra__)
            object.__setattr__(self, "__pydantic_fields_set__", whole.__pydantic_fields_set__)
            return self.__dict__[name]
        return super().__getattr__(name)  # type: ignore[misc]  # pydantic hides it from checkers


def taken_message(raw: dict[str, Any], bot: Bot) -> TakenMessage:
    """``raw`` is Telegram's; its ``message_id`` must be an ``int``."""
    message = TakenMessage.__new__(TakenMessage)
    own = {"message_id": raw["message_id"]}
    object.__setattr__(message, "__dict__", own)
    object.__setattr__(message, "__pydantic_extra__", None)
    object.__setattr__(message, "__pydantic_fields_set__", set(own))
    object.__setattr__(message, "__pydantic_private__", {"_bot": bot, "_raw": raw})
    return message

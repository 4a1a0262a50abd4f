"""What will be said, as plain values the journal can keep, and back."""

import base64
from typing import Any

import aiogram.methods
from aiogram.client.default import Default
from aiogram.methods import TelegramMethod
from aiogram.types import BufferedInputFile, InputFile
from pydantic import BaseModel


def as_plain(method: TelegramMethod[Any]) -> dict[str, Any]:
    """``{"method": name, "fields": {…}}`` of JSON values. A file travels as base64."""
    fields = {
        name: _plain(getattr(method, name))
        for name in method.model_fields_set
        if getattr(method, name) is not None
    }
    return {
        "method": type(method).__name__,
        "fields": {name: value for name, value in fields.items() if value is not None},
    }


def from_plain(kept: dict[str, Any]) -> TelegramMethod[Any]:
    """The method :func:`as_plain` wrote down."""
    kind: type[TelegramMethod[Any]] = getattr(aiogram.methods, kept["method"])
    return kind.model_validate({name: _whole(value) for name, value in kept["fields"].items()})


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, Default):
        return None
    if isinstance(value, BufferedInputFile):
        return {
            "base64": base64.b64encode(value.data).decode(),
            "filename": value.filename,
        }
    if isinstance(value, InputFile):
        raise TypeError(f"{type(value).__name__} cannot be kept: use BufferedInputFile")
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"base64", "filename"}:
        return BufferedInputFile(base64.b64decode(value["base64"]), value["filename"])
    return value

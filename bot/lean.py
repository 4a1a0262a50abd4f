"""aiogram without the six hundred models that nobody here uses.

aiogram builds a validator and a serializer for every type and method of the Bot API when it is
imported: 110 MiB and two thirds of the service's start. Built when first used instead, the few
that are needed cost 10 MiB.
"""

import sys
from typing import Any, Final

from pydantic import BaseModel

_whole: Final = BaseModel.model_rebuild.__func__  # type: ignore[attr-defined]  # of a classmethod
_names: Final[dict[str, Any]] = {}
"""What aiogram's annotations mean, as it hands it to each type's ``model_rebuild``."""


def import_aiogram() -> None:
    """Import aiogram with models that are built when first used.

    To be called before anything else imports aiogram; later it does nothing.
    """
    if "aiogram" in sys.modules:
        return
    BaseModel.model_rebuild = classmethod(_remember_names)  # type: ignore[method-assign,assignment]
    # Models take their configuration over from here when their class is made.
    BaseModel.model_config = {"defer_build": True}
    try:
        from aiogram.methods.base import Request, Response, TelegramMethod
        from aiogram.types.base import TelegramObject
    finally:
        BaseModel.model_rebuild = classmethod(_whole)  # type: ignore[method-assign,assignment]
        BaseModel.model_config = {}
    for base in (TelegramObject, TelegramMethod, Request, Response):
        base.model_rebuild = classmethod(_build)  # type: ignore[method-assign,assignment]


def _remember_names(
    _cls: type[BaseModel], /, *, _types_namespace: dict[str, Any] | None = None, **_: Any
) -> None:
    _names.update(_types_namespace or {})


def _build(
    cls: type[BaseModel],
    /,
    *,
    _types_namespace: dict[str, Any] | None = None,
    _parent_namespace_depth: int = 0,
    **options: Any,
) -> bool | None:
    """``model_rebuild``, which pydantic calls when a model that is not built yet is used."""
    built: bool | None = _whole(cls, _types_namespace=_types_namespace or _names, **options)
    return built

"""The tree of areas: city, county, town, village."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import ColumnElement, SQLColumnExpression, select, update

from storage.database import Tx
from storage.errors import Refused
from storage.models import Area

# The languages there are words for; an area's language is the one its people are first met in.
LANGUAGES = ("zh", "en")

_FIRST_TIMEZONE = "Asia/Shanghai"
_FIRST_LANGUAGE = "zh"
_CODE = re.compile(r"[\w.-]{1,64}")
_LONGEST_NAME = 100


class UnknownArea(Refused):
    """There is no area with this code (or id)."""

    def __init__(self, code: str | int) -> None:
        super().__init__(f"There is no area {_shown(code)}.")


class AreaExists(Refused):
    """The code is taken."""

    def __init__(self, code: str) -> None:
        super().__init__(f"There is already an area {_shown(code)}.")


class BadAreaName(Refused):
    """The code or the name cannot be used."""


class BadTimezone(Refused):
    """Not a time zone of the tz database."""

    def __init__(self, timezone: str) -> None:
        super().__init__(
            f"{_shown(timezone)} is not a time zone; give one like Asia/Shanghai or Europe/Madrid."
        )


class BadLanguage(Refused):
    """Not a language Kinroom speaks."""

    def __init__(self, language: str) -> None:
        super().__init__(f"{_shown(language)} is not one of the languages {', '.join(LANGUAGES)}.")


@dataclass(frozen=True, slots=True)
class AreaInfo:
    """A node of the tree. ``path`` is ``/1/4/9/``, root first, ending with the area's own id."""

    id: int
    code: str
    name: str
    path: str
    timezone: str
    language: str
    parent_id: int | None


def in_subtree(
    path_column: SQLColumnExpression[str], path: str | SQLColumnExpression[str]
) -> ColumnElement[bool]:
    """Whether ``path_column`` is ``path`` or below it: paths end in ``/``, so a prefix test does.

    ``path`` may be a column or a bound parameter. ``LIKE``, because a range of texts depends on
    the database's collation; paths hold digits and slashes only, so nothing needs escaping.
    """
    return path_column.startswith(path)


_AREA = select(
    Area.id, Area.code, Area.name, Area.path, Area.timezone, Area.language, Area.parent_id
)


async def find_area(tx: Tx, code: str) -> AreaInfo:
    """The area with this code. Raises :class:`UnknownArea`."""
    row = (await tx.execute(_AREA.where(Area.code == code))).one_or_none()
    if row is None:
        raise UnknownArea(code)
    return _info(row)


async def get_area(tx: Tx, area_id: int) -> AreaInfo:
    """The area with this id. Raises :class:`UnknownArea`."""
    row = (await tx.execute(_AREA.where(Area.id == area_id))).one_or_none()
    if row is None:
        raise UnknownArea(area_id)
    return _info(row)


async def list_areas(tx: Tx) -> list[AreaInfo]:
    """Every area, each parent before its children, siblings in the order they were added."""
    areas = [_info(row) for row in await tx.execute(_AREA)]
    return sorted(areas, key=lambda area: [int(step) for step in area.path.split("/") if step])


async def add_area(
    tx: Tx,
    *,
    code: str,
    name: str,
    parent: str | None,
    timezone: str | None,
    language: str | None,
    now: datetime,
) -> AreaInfo:
    """Add an area under ``parent`` (a code), or as a root.

    Time zone and language are the parent's unless given. Raises :class:`AreaExists`,
    :class:`UnknownArea` (the parent), :class:`BadTimezone`, :class:`BadLanguage`,
    :class:`BadAreaName`.
    """
    code, name = _check_code(code), _check_name(name)
    if timezone is not None:
        check_timezone(timezone)
    if language is not None:
        check_language(language)
    above = None if parent is None else await find_area(tx, parent)
    area_id = await tx.scalar(
        tx.insert(Area)
        .values(
            parent_id=None if above is None else above.id,
            code=code,
            name=name,
            path=f"?{code}",  # unique until the id, which the path ends with, is known
            timezone=timezone or (_FIRST_TIMEZONE if above is None else above.timezone),
            language=language or (_FIRST_LANGUAGE if above is None else above.language),
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(Area.id)
    )
    if area_id is None:
        raise AreaExists(code)
    path = f"{'/' if above is None else above.path}{area_id}/"
    await tx.execute(update(Area).where(Area.id == area_id).values(path=path))
    return await get_area(tx, area_id)


def check_timezone(timezone: str) -> None:
    """Raise :class:`BadTimezone` unless it is a name of the tz database."""
    if timezone not in available_timezones():
        raise BadTimezone(timezone)


def check_language(language: str) -> None:
    """Raise :class:`BadLanguage` unless there are words in it."""
    if language not in LANGUAGES:
        raise BadLanguage(language)


def _check_code(code: str) -> str:
    if not _CODE.fullmatch(code):
        raise BadAreaName(
            f"{_shown(code)} cannot be an area's code: use up to 64 letters, digits, "
            "dots, dashes and underscores."
        )
    return code


def _check_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadAreaName(f"An area's name needs 1 to {_LONGEST_NAME} printable characters.")
    return name


def _info(row: Sequence[Any]) -> AreaInfo:
    return AreaInfo(*row)


def _shown(given: str | int) -> str:
    shown = str(given)
    return f"“{shown}”" if len(shown) <= 64 else f"“{shown[:63]}…”"

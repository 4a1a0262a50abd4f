"""Many rows given to one statement as one value."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    Date,
    Integer,
    Text,
    bindparam,
    literal,
    literal_column,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import Select, TableValuedAlias

from storage.models.columns import UtcDateTime


class _Each(FunctionElement[Any]):
    """One row for each element of a JSON list."""

    inherit_cache = True
    name = "each_given"


class _Nth(FunctionElement[int]):
    """A whole number in a list that is an element of a list."""

    inherit_cache = True
    name = "nth_given"
    type = BigInteger()


@compiles(_Each, "sqlite")
def _each_on_sqlite(element: Any, compiler: Any, **more: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **more)})"


@compiles(_Each, "postgresql")
def _each_on_postgres(element: Any, compiler: Any, **more: Any) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **more)} AS JSONB))"


@compiles(_Nth, "sqlite")
def _nth_on_sqlite(element: Any, compiler: Any, **more: Any) -> str:
    value, place = (compiler.process(it, **more) for it in element.clauses)
    return f"json_extract({value}, '$[' || {place} || ']')"


@compiles(_Nth, "postgresql")
def _nth_on_postgres(element: Any, compiler: Any, **more: Any) -> str:
    value, place = (compiler.process(it, **more) for it in element.clauses)
    return f"CAST({value} ->> {place} AS BIGINT)"


class _NthText(FunctionElement[str]):
    """A text in a list that is an element of a list."""

    inherit_cache = True
    name = "nth_text_given"
    type = Text()


class _NthDay(_NthText):
    """The same, of a day."""

    inherit_cache = True
    name = "nth_day_given"
    type = Date()  # type: ignore[assignment]  # what the text stands for


class _NthTime(_NthText):
    """The same, of a time."""

    inherit_cache = True
    name = "nth_time_given"
    type = UtcDateTime()  # type: ignore[assignment]  # what the text stands for


@compiles(_NthText, "sqlite")
@compiles(_NthDay, "sqlite")
@compiles(_NthTime, "sqlite")
def _nth_text_on_sqlite(element: Any, compiler: Any, **more: Any) -> str:
    return _nth_on_sqlite(element, compiler, **more)  # as columns hold days and times there


@compiles(_NthText, "postgresql")
def _nth_text_on_postgres(element: Any, compiler: Any, **more: Any) -> str:
    value, place = (compiler.process(it, **more) for it in element.clauses)
    return f"({value} ->> {place})"


@compiles(_NthDay, "postgresql")
def _nth_day_on_postgres(element: Any, compiler: Any, **more: Any) -> str:
    return f"CAST({_nth_text_on_postgres(element, compiler, **more)} AS DATE)"


@compiles(_NthTime, "postgresql")
def _nth_time_on_postgres(element: Any, compiler: Any, **more: Any) -> str:
    text = _nth_text_on_postgres(element, compiler, **more)
    return f"(CAST({text} AS TIMESTAMP) AT TIME ZONE 'UTC')"


_OF_TYPE: Final[dict[type, type[FunctionElement[Any]]]] = {
    int: _Nth,
    str: _NthText,
    date: _NthDay,
    datetime: _NthTime,
}


def given_rows(
    name: str, columns: Mapping[str, type], rows: Iterable[Sequence[int | str | date | datetime]]
) -> CTE:
    """Rows of a few values as a table, by the types of its columns: ``int str date datetime``.

    What SQLAlchemy's ``values()`` does, but the statement around it is compiled once, not each
    time; that takes longer than all that it does.
    """
    text = json.dumps([[_as_text(it) for it in row] for row in rows], separators=(",", ":"))
    each = _Each(literal(text, Text())).table_valued("value", name=f"given_{name}")
    found = (
        _OF_TYPE[kind](each.c.value, literal_column(str(place), Integer())).label(column)
        for place, (column, kind) in enumerate(columns.items())
    )
    # Materialized, or SQLite would take the text apart anew for each row that it is joined to.
    return select(*found).cte(name).prefix_with("MATERIALIZED")


def _as_text(value: int | str | date | datetime) -> int | str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return value.isoformat() if isinstance(value, date) else value


def given(name: str) -> TableValuedAlias:
    """The rows of the value bound as ``name``, which :func:`as_given` made."""
    return _Each(bindparam(name, type_=Text())).table_valued("value", name=f"given_{name}")


def nth(rows: TableValuedAlias, place: int) -> ColumnElement[int]:
    """The ``place``-th whole number of each row, null where there is none."""
    return _Nth(rows.c.value, literal_column(str(place), Integer()))


def given_ids(name: str) -> Select[tuple[int]]:
    """Whole numbers, given one by one in rows, for an ``IN``."""
    return select(nth(given(name), 0))


def as_given(rows: Iterable[Sequence[int | None]]) -> str:
    return json.dumps(list(rows), separators=(",", ":"))

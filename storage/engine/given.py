"""Many rows given to one statement as one value."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Integer, Text, bindparam, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import Select, TableValuedAlias


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

"""The few statements that every update runs: compiled once."""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Dialect, Executable, Integer, Select, bindparam
from sqlalchemy.sql.compiler import SQLCompiler

from storage.models import UtcDateTime

Convert = Callable[[Any], Any]
NUMBER: Final = bindparam("number", 0, Integer).label("number")
"""A column for statements that several updates send together: which of them a row is for."""


class Prepared:
    """A statement that is run over and over, for :meth:`storage.database.Tx.run`.

    SQLAlchemy's way to the database costs many times what such a statement does, so here it is
    SQL text, and conversions of the values in and out, found once. On SQLite it runs in the
    program's own thread: it must touch a few rows, by their keys. ``columns`` names what an
    ``INSERT`` is given.
    """

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        self.statement = statement
        self._columns = columns
        self.on_sqlite: CompiledOnce | None = None
        self.on_postgres: CompiledOnce | None = None

    def compile(self, dialect: Dialect) -> "CompiledOnce":
        """For a database's dialect, each of which has the same settings all over a process."""
        once = CompiledOnce(self.statement, self._columns, dialect)
        if dialect.name == "postgresql":
            self.on_postgres = once
        else:
            self.on_sqlite = once
        return once


def _time_as_text(value: datetime | None) -> str | None:
    """What SQLAlchemy writes for a :class:`UtcDateTime`, at a third of its cost."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a naive datetime cannot be stored")
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.replace(tzinfo=None).isoformat(" ", "microseconds")


def _text_as_time(value: str | None) -> datetime | None:
    """The way back, as what is stored is in UTC."""
    return None if value is None else datetime.fromisoformat(f"{value}+00:00")


def _aware(value: datetime | None) -> datetime | None:
    """asyncpg takes a time in any zone, and gives it back in UTC."""
    if value is not None and value.tzinfo is None:
        raise ValueError("a naive datetime cannot be stored")
    return value


class CompiledOnce:
    """``sql`` with places for values, in the order :meth:`values` gives them."""

    def __init__(self, statement: Any, columns: Sequence[str] | None, dialect: Dialect) -> None:
        compiled: SQLCompiler = statement.compile(dialect=dialect, column_keys=columns)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise TypeError("a statement whose text depends on its values cannot be prepared")
        self.sql = str(compiled)
        postgres = dialect.name == "postgresql"
        self._fixed: dict[str, Any] = {}
        self._places: list[tuple[str, Convert | None]] = []
        for name in compiled.positiontup or ():
            bound = compiled.binds[name]
            if isinstance(bound.type, UtcDateTime):
                convert: Convert | None = _aware if postgres else _time_as_text
            else:
                convert = bound.type.dialect_impl(dialect).bind_processor(dialect)
            self._places.append((name, convert))
            if not bound.required:
                self._fixed[name] = bound.value
        self.changes = not isinstance(statement, Select)
        returned = list(getattr(statement, "exported_columns", ()))
        self.numbered = any(column.key == NUMBER.key for column in returned)
        # SQLAlchemy has PostgreSQL return a new row's id, which nobody here asked for.
        self.returns = bool(returned)
        row: Any = namedtuple("row", [column.key for column in returned])  # type: ignore[misc]  # known only now
        self._row = row._make
        to_time = None if postgres else _text_as_time
        conversions = [
            to_time
            if isinstance(column.type, UtcDateTime)
            else column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in returned
        ]
        self._conversions = [
            (place, convert) for place, convert in enumerate(conversions) if convert is not None
        ]

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """Raises ``KeyError`` for a value that is missing."""
        if self._fixed:
            given = {**self._fixed, **given}
        return [
            given[name] if convert is None else convert(given[name])
            for name, convert in self._places
        ]

    def row(self, values: Sequence[Any]) -> Any:
        """The row with its columns' names, as Python sees the values."""
        if self._conversions:
            changed = list(values)
            for place, convert in self._conversions:
                changed[place] = convert(changed[place])
            values = changed
        return self._row(values)

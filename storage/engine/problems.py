"""What a failure is, in words that may be logged: nothing of a statement or its values."""

import sqlite3

from sqlalchemy.exc import SQLAlchemyError


def describe(problem: BaseException) -> str:
    """The problem's type, and what the database says of its kind.

    PostgreSQL quotes values in its messages ("Key (name)=(…) already exists"), and asyncpg in its
    own, so of them only the code and the names of table and constraint are told.
    """
    told = type(problem).__name__
    original = getattr(problem, "orig", None)
    if isinstance(original, BaseException):
        # Below SQLAlchemy's copy of it is the driver's own.
        return f"{told}: {describe(original.__cause__ or original)}"
    if isinstance(problem, sqlite3.Error):
        code = getattr(problem, "sqlite_errorname", None)
        return f"{told} ({code}): {problem}" if code else f"{told}: {problem}"
    state = getattr(problem, "sqlstate", None)
    if state:
        names = [
            f"{kind} {name}"
            for kind in ("schema", "table", "column", "constraint")
            if (name := getattr(problem, f"{kind}_name", None))
        ]
        return " ".join([f"{told} ({state})", *names])
    return told


def is_database_problem(problem: BaseException) -> bool:
    """Whether its own message may quote people's words."""
    return (
        isinstance(problem, SQLAlchemyError | sqlite3.Error)
        or type(problem).__module__.split(".", 1)[0] == "asyncpg"
        or getattr(problem, "sqlstate", None) is not None
    )

"""Whether a database cannot be used just now, or will never take a statement."""

from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# SQLSTATE classes (PostgreSQL's appendix A): connection, rolled back for others' sake, resources
# such as the disk, not in the state for it, operator, system; and a server that only reads.
_CLASSES: Final = frozenset({"08", "40", "53", "55", "57", "58"})
_READ_ONLY: Final = "25006"
# SQLite's result codes: busy, locked, memory, read-only, interrupted, input and output, corrupt,
# full, cannot open, protocol, no database.
_RESULTS: Final = frozenset({5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 26})


def is_away(problem: BaseException) -> bool:
    """Whether the same may well succeed later, with nothing of it done now.

    Drivers do not say it by the exception's class: asyncpg has none for a server that is full.
    """
    if isinstance(problem, PoolTimeout | OSError):
        return True
    if not isinstance(problem, DBAPIError):
        return False
    # Without a statement it was connecting, beginning or committing that failed.
    if problem.connection_invalidated or problem.statement is None:
        return True
    state = getattr(problem.orig, "sqlstate", None)
    if state is not None:
        return state[:2] in _CLASSES or state == _READ_ONLY
    result = getattr(problem.orig, "sqlite_errorcode", None)
    if result is not None:
        return result & 0xFF in _RESULTS
    return isinstance(problem, OperationalError)

"""What an operator is told when something did not work: one line, with what to do."""

import errno
import os
import re
import socket
import traceback
from pathlib import Path

from storage.errors import Refused

_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]{30,}")
_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@\s]+@")

_SQLITE = (
    ("database is locked", "the database is locked by another program: stop it, or try again"),
    ("database or disk is full", "the disk is full: free some space, nothing was half done"),
    ("disk I/O error", "the disk cannot be read or written: check it, and the space left on it"),
    ("readonly database", "the database file cannot be written: check who owns it and var/"),
    ("unable to open database file", "the database file cannot be opened: check its path"),
    ("file is not a database", "the database file is not a SQLite database: check the path"),
    ("database disk image is malformed", "the database file is damaged: restore a backup"),
)
# PostgreSQL's SQLSTATE codes, or their classes of two.
_POSTGRES = {
    "28": "the database refused the user or the password: check KINROOM_DATABASE_URL",
    "3D000": "there is no such database on the server: create it, or check KINROOM_DATABASE_URL",
    "42501": "the database's user may not do this: grant it the rights on the database",
    "53100": "the database's disk is full: free some space, nothing was half done",
    "53300": "the database has no connection left: stop other programs, or raise its limit",
    "57P": "the database is shutting down or starting: try again in a moment",
    "25006": "the database is read-only: check that KINROOM_DATABASE_URL is the main server",
    "08": "the connection to the database was lost: check the server, and try again",
}
_OS = {
    errno.ENOSPC: "the disk is full: free some space, nothing was half done",
    errno.EADDRINUSE: "the port is in use: stop the other program, or set KINROOM_HTTP_PORT",
    errno.EADDRNOTAVAIL: "this machine has no such address: check KINROOM_HTTP_HOST",
    errno.EROFS: "the disk is read-only: check how it is mounted",
}


def explain(problem: BaseException) -> str:
    """One line for ``problem``, without secrets; where it is a fault of ours, where it arose."""
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.exc import TimeoutError as NoConnectionLeft

    from storage.vault import SealBroken

    if isinstance(problem, Refused):
        line = str(problem)
    elif isinstance(problem, SealBroken):
        line = "a sealed value does not open with this secret key: check var/secret_key"
    elif isinstance(problem, NoConnectionLeft):
        line = "the database is busy: try again in a moment"
    elif isinstance(problem, DBAPIError):
        line = _explain_database(problem.orig or problem)
    elif (known := _explain_database_state(problem)) is not None:
        line = known
    elif isinstance(problem, OSError):
        line = _explain_os(problem)
    else:
        line = _explain_fault(problem)
    return hide_secrets(" ".join(line.split()))


def hide_secrets(line: str) -> str:
    """``line`` without bot tokens and passwords in addresses."""
    return _PASSWORD.sub(r"\1…@", _TOKEN.sub("…", line))


def _explain_database(problem: BaseException) -> str:
    said = str(problem)
    for words, line in _SQLITE:
        if words in said:
            return line
    known = _explain_database_state(problem)
    return known or f"the database did not do it: {type(problem).__name__}: {said[:200]}"


def _explain_database_state(problem: BaseException) -> str | None:
    seen: BaseException | None = problem
    while seen is not None:
        state = getattr(seen, "sqlstate", None) or ""
        for code, line in _POSTGRES.items():
            if state.startswith(code):
                return line
        seen = seen.__cause__
    return None


def _explain_os(problem: OSError) -> str:
    if problem.errno in _OS:
        return _OS[problem.errno]
    if isinstance(problem, PermissionError):
        return f"{problem.filename or 'a file'} may not be read or written: check who owns it"
    if isinstance(problem, ConnectionError | TimeoutError | socket.gaierror) or "onnect" in str(
        problem
    ):
        return (
            "the database or a service cannot be reached: check that it runs, "
            f"and the address in the settings ({_reason(problem)})"
        )
    name = f" ({problem.filename})" if problem.filename else ""
    return f"{_reason(problem)}{name}"


def _reason(problem: OSError) -> str:
    # A name that does not resolve carries a number that is not an errno.
    if problem.errno and problem.errno > 0:
        return os.strerror(problem.errno)
    return problem.strerror or str(problem) or type(problem).__name__


def _explain_fault(problem: BaseException) -> str:
    where = traceback.extract_tb(problem.__traceback__)
    place = f" at {Path(where[-1].filename).name}:{where[-1].lineno}" if where else ""
    return f"a fault in Kinroom: {type(problem).__name__}: {str(problem)[:200]}{place}"

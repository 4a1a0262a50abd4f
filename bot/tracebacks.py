"""Tracebacks for the log: where it happened and what, without the values a database quotes."""

import traceback
from types import TracebackType

from storage.engine.problems import describe, is_database_problem

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


def format_traceback(exc_info: _ExcInfo) -> str:
    """As Python prints it, except for what a database's errors say: see :func:`describe`."""
    return "".join(_lines(exc_info[1], set())).rstrip("\n")


def _lines(problem: BaseException, seen: set[int]) -> list[str]:
    seen.add(id(problem))
    lines: list[str] = []
    before, link = _before(problem)
    if before is not None and id(before) not in seen:
        lines += [*_lines(before, seen), link]
    if problem.__traceback__ is not None:
        lines.append("Traceback (most recent call last):\n")
        lines += traceback.format_tb(problem.__traceback__)
    if is_database_problem(problem):
        lines.append(f"{describe(problem)}\n")
    else:
        lines += traceback.format_exception_only(problem)
    if isinstance(problem, BaseExceptionGroup):
        for inner in problem.exceptions:
            lines += ["\n", *_lines(inner, seen)]
    return lines


def _before(problem: BaseException) -> tuple[BaseException | None, str]:
    if is_database_problem(problem):
        return None, ""  # the driver's own, which is told with it
    if problem.__cause__ is not None:
        return problem.__cause__, _CAUSE
    return (None if problem.__suppress_context__ else problem.__context__), _CONTEXT

"""What a measurement found, and how it is shown."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

_WIDTHS = (46, 14, 14, 7, 22)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: ``ours`` against ``floor``, both in ``unit``.

    ``ratio`` is how near we are to the floor, 1 being as good. ``bound`` says in words what was
    asked for, ``reached`` whether it was; both ``None`` where the figure only informs.
    """

    name: str
    unit: str
    ours: float
    floor: float | None = None
    ratio: float | None = None
    bound: str | None = None
    reached: bool | None = None
    note: str | None = None


def heading() -> list[str]:
    return [_row("", "ours", "floor", "ratio", "asked for"), "-" * (sum(_WIDTHS) + 4)]


def as_lines(figures: Iterable[Figure]) -> list[str]:
    lines: list[str] = []
    for figure in figures:
        verdict = {True: "reached", False: "NOT REACHED", None: ""}[figure.reached]
        lines.append(
            _row(
                figure.name,
                _amount(figure.ours, figure.unit),
                _amount(figure.floor, figure.unit),
                "" if figure.ratio is None else f"{figure.ratio:.3f}",
                f"{figure.bound or ''}  {verdict}".strip(),
            ).rstrip()
        )
        if figure.note:
            lines.append(f"    {figure.note}")
    return lines


def as_json(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    return [asdict(figure) for figure in figures]


def _row(*cells: str) -> str:
    first, *others = cells
    padded = [cell.rjust(width) for cell, width in zip(others[:3], _WIDTHS[1:4], strict=True)]
    return " ".join([first.ljust(_WIDTHS[0]), *padded, " " + others[3]])


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.4g} {unit}"

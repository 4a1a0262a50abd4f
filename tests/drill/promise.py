"""What was promised, what was found, and how both are shown."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

_WIDTHS = (60, 16, 16)


@dataclass(frozen=True, slots=True)
class Promise:
    """One line of the table. ``held`` is ``None`` where the line only informs."""

    name: str
    asked: str
    found: str
    held: bool | None


def none_of(name: str, found: Iterable[object]) -> Promise:
    """Nothing of this kind may have happened; what did is named, the first few of it."""
    listed = list(found)
    shown = "0" if not listed else f"{len(listed)}: {', '.join(map(str, listed[:3]))}"
    return Promise(name, "0", shown, not listed)


def at_most(name: str, found: float, most: float, unit: str = "") -> Promise:
    return Promise(name, f"≤ {_shown(most)}{unit}", f"{_shown(found)}{unit}", found <= most)


def at_least(name: str, found: float, least: float, unit: str = "") -> Promise:
    return Promise(name, f"≥ {_shown(least)}{unit}", f"{_shown(found)}{unit}", found >= least)


def told(name: str, found: object) -> Promise:
    """A figure that only informs."""
    return Promise(name, "", _shown(found) if isinstance(found, float) else str(found), None)


def as_lines(promises: Iterable[Promise]) -> list[str]:
    verdicts = {True: "held", False: "BROKEN", None: ""}
    return [
        f"  {it.name:{_WIDTHS[0]}} {it.asked:>{_WIDTHS[1]}} {it.found:>{_WIDTHS[2]}}"
        f"  {verdicts[it.held]}".rstrip()
        for it in promises
    ]


def as_json(promises: Iterable[Promise]) -> list[dict[str, Any]]:
    return [asdict(it) for it in promises]


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.4g}"

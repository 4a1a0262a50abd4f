"""What a command calls one rule: ``nanlai/weekly``, as the list does, or its code and --area."""

from typing import Annotated

import typer

RuleName = Annotated[
    str,
    typer.Argument(metavar="[AREA/]CODE", help="The rule, as the list shows it: nanlai/weekly."),
]
RuleArea = Annotated[
    str | None,
    typer.Option("--area", metavar="CODE", help="The area's code, if the name does not say it."),
]


def split_name(name: str, area: str | None) -> tuple[str, str]:
    """The area's code and the rule's. Raises ``Refused`` when no area, or two, are named."""
    from storage.errors import Refused

    within, _slash, code = name.rpartition("/")
    if not within and area is None:
        raise Refused(f"say of which area: AREA/{code}, as kinroom rule list shows it, or --area")
    if within and area is not None and within != area:
        raise Refused(f"{name} names area {within}, and --area names {area}: give one of them")
    return within or str(area), code

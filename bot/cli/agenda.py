"""``kinroom agenda``: what the rules will do."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.session import AreaCode, AsJson, show, with_database

if TYPE_CHECKING:
    from bot.opening import Opened
    from storage.people.areas import AreaInfo
    from storage.rules.kept import RuleInfo


def agenda(
    area: AreaCode,
    first: Annotated[
        datetime,
        typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE", help="The first day."),
    ],
    last: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DATE", help="The last day.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show what the rules will ask and remind of in an area, between two days, sending nothing.

    Times are those of the area's zone; each worker is asked by the clock of where they are.
    """
    from zoneinfo import ZoneInfo

    from storage.errors import Refused
    from storage.people.areas import find_area
    from storage.rhythm.agenda import agenda as compute
    from storage.rules.kept import rules_over

    days: tuple[date, date] = first.date(), last.date()
    if days[1] < days[0]:
        raise Refused(f"--to {days[1]} is before --from {days[0]}")

    async def work(opened: "Opened") -> "tuple[AreaInfo, list[RuleInfo]]":
        async with opened.db.read() as tx:
            found = await find_area(tx, area)
            return found, await rules_over(tx, found)

    found, rules = with_database(work)
    entries = list(compute(rules, ZoneInfo(found.timezone), *days))
    result: list[dict[str, Any]] = [
        {
            "rule": entry.rule,
            "kind": entry.kind,
            "at_local": entry.local.isoformat(),
            "at_utc": entry.at.isoformat(),
        }
        for entry in entries
    ]
    lines = [f"{entry.local:%a %Y-%m-%d %H:%M}  {entry.kind}  {entry.rule}" for entry in entries]
    show(result, lines or ["Nothing is planned in these days."], as_json=as_json)

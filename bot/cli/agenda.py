"""``kinroom agenda``: what the rules will do."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.session import AreaCode, AsJson, show, with_database

if TYPE_CHECKING:
    from bot.opening import Opened
    from storage.people.areas import AreaInfo
    from storage.rhythm.agenda import Dates, Entry
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
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="As seen from here; else the area's zone.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what the rules will ask and remind of in an area, between two days, sending nothing.

    Times are those of the area's zone; each worker is asked by the clock of where they are.
    Reminders that follow a date of each person's own stand with how many they go to. The
    calendar is known until 2100.
    """
    from zoneinfo import ZoneInfo

    from storage.calendar.almanac import YEARS
    from storage.errors import Refused
    from storage.people.areas import check_timezone, find_area
    from storage.rhythm.agenda import agenda as compute
    from storage.rhythm.agenda import load_dates
    from storage.rules.kept import rules_over

    days: tuple[date, date] = first.date(), last.date()
    if days[1] < days[0]:
        raise Refused(f"--to {days[1]} is before --from {days[0]}")

    known_until = date(YEARS.stop - 1, 12, 31)
    if days[0] > known_until:
        raise Refused(f"--from {days[0]} is too late: the calendar is known until {known_until}")
    if timezone is not None:
        check_timezone(timezone)

    async def work(opened: "Opened") -> "tuple[AreaInfo, list[RuleInfo], dict[int, Dates]]":
        async with opened.db.read() as tx:
            found = await find_area(tx, area)
            rules = await rules_over(tx, found)
            return found, rules, await load_dates(tx, found, rules)

    found, rules, dates = with_database(work)
    zone = ZoneInfo(timezone or found.timezone)
    entries = list(compute(rules, zone, *days, dates))
    result: list[dict[str, Any]] = [
        {
            "rule": entry.rule,
            "kind": entry.kind,
            "at_local": entry.local.isoformat(),
            "at_utc": entry.at.isoformat(),
            **({} if entry.people is None else {"people": entry.people}),
        }
        for entry in entries
    ]
    lines = [_line(entry) for entry in entries] or ["Nothing is planned in these days."]
    if days[1] > known_until:
        lines.append(f"The calendar is known until {known_until}: what comes later is not here.")
    show(result, lines, as_json=as_json)


def _line(entry: "Entry") -> str:
    line = f"{entry.local:%a %Y-%m-%d %H:%M}  {entry.kind}  {entry.rule}"
    if entry.people is None:
        return line
    return f"{line}  {entry.people} {'person' if entry.people == 1 else 'people'}"

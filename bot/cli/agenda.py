"""``kinroom agenda``: what the rules will do."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.dates import read_date
from bot.cli.session import AreaCode, AsJson, show, with_database

if TYPE_CHECKING:
    from bot.opening import Opened
    from storage.people.areas import AreaInfo
    from storage.rhythm.agenda import Dates
    from storage.rules.kept import RuleInfo


def agenda(
    area: AreaCode,
    first: Annotated[
        str, typer.Option("--from", metavar="DATE", help="The first day, from today on.")
    ],
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="The last day.")],
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="As seen from here; else the area's zone.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what the rules will ask and remind of in an area, between two days, sending nothing.

    Times are those of the area's zone; each worker is asked by the clock of where they are.
    Reminders that follow a date of each person's own stand on the days of at least 5 people, with
    how many they are: fewer would say who. The calendar is known until 2100.
    """
    from storage.calendar.almanac import YEARS
    from storage.calendar.zone import zone_of
    from storage.errors import Refused
    from storage.people.areas import check_timezone, find_area
    from storage.rhythm.agenda import agenda as compute
    from storage.rhythm.agenda import is_personal, load_dates, rules_ahead
    from storage.rhythm.reach import FEW, count_reached

    days = read_date("--from", first), read_date("--to", last)
    if days[1] < days[0]:
        raise Refused(f"--to {days[1]} is before --from {days[0]}")

    known_until = date(YEARS.stop - 1, 12, 31)
    if days[0] > known_until:
        raise Refused(f"--from {days[0]} is too late: the calendar is known until {known_until}")
    if timezone is not None:
        check_timezone(timezone)

    async def work(
        opened: "Opened",
    ) -> "tuple[AreaInfo, list[RuleInfo], dict[int, Dates], dict[int, int]]":
        async with opened.db.read() as tx:
            found = await find_area(tx, area)
            rules = await rules_ahead(tx, found)
            reached = {
                rule.id: await count_reached(tx, rule, within=found)
                for rule in rules
                if rule.terms.kind == "reminder"
            }
            return found, rules, await load_dates(tx, found, rules), reached

    found, rules, dates, reached = with_database(work)
    zone = zone_of(timezone or found.timezone)
    today = datetime.now(zone).date()
    if days[1] < today:
        raise Refused(
            f"--to {days[1]} is past: the agenda computes what comes. What a past day brought "
            "someone, `kinroom why PERSON --day DATE` tells"
        )
    begins = max(days[0], today)
    result: list[dict[str, str]] = []
    lines = []
    for entry in compute(rules, zone, begins, days[1], dates):
        result.append(
            {
                "rule": entry.rule,
                "kind": entry.kind,
                "at_local": entry.local.isoformat(),
                "at_utc": entry.at.isoformat(),
            }
        )
        line = f"{entry.local:%a %Y-%m-%d %H:%M}  {entry.kind}  {entry.rule}"
        if entry.kind == "reminder":
            people = reached[entry.rule_id] if entry.people is None else entry.people
            line += f"  {people if people >= FEW else f'fewer than {FEW}'} people"
        lines.append(line)
    if not lines:
        lines.append("Nothing is planned in these days.")
    # Said of every such rule and every span alike: that it is said tells nothing of anyone.
    lines += [
        f"{rule.terms.code} follows a date of each person's own: days of fewer than {FEW} "
        "people are not shown."
        for rule in filter(is_personal, rules)
    ]
    if days[0] < today:
        lines.append(f"Past days are not computed: this begins with today, {today}.")
    if days[1] > known_until:
        lines.append(f"The calendar is known until {known_until}: what comes later is not here.")
    show(result, lines, as_json=as_json)

"""``kinroom register``: who was heard from in a period."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.session import AreaCode, AsJson, show, with_database

if TYPE_CHECKING:
    from bot.opening import Opened
    from storage.register.figures import NamedStanding


def register(
    area: AreaCode,
    period: Annotated[
        str | None, typer.Option(metavar="PERIOD", help="2026-W47 or 2026-11; else this week.")
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="Also who stands where.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the register of an area and everything below it."""
    from storage.people.areas import find_area
    from storage.register.figures import compute_register, named_register
    from storage.register.periods import parse_period, week_of

    async def work(opened: "Opened") -> "tuple[dict[str, Any], list[NamedStanding]]":
        now = datetime.now(UTC)
        async with opened.db.read() as tx:
            found = await find_area(tx, area)
            asked = parse_period(period, found.timezone) if period else week_of(now, found.timezone)
            figures = (await compute_register(tx, found, asked, now)).as_json()
            people = await named_register(tx, found, asked, now) if names else []
        return figures, people

    figures, people = with_database(work)
    result = figures
    lines = _lines(figures)
    if names:
        result = figures | {"names": [_as_json(person) for person in people]}
        lines += ["", *(_line(person) for person in people)]
    show(result, lines, as_json=as_json)


def _lines(figures: dict[str, Any]) -> list[str]:
    state = "closed" if figures["closed"] else "open"
    checkins = figures["checkins"]
    lines = [
        f"Register of {figures['area']}, {figures['period']} ({state}, "
        f"definition {figures['definition']})",
        f"  contact rate    {_percent(figures['contact_rate'])}",
        f"  voluntary rate  {_percent(figures['voluntary_rate'])}",
        f"  feedback rate   {_percent(figures['feedback_rate'])}"
        f"  ({checkins['answered']} of {checkins['delivered']} check-ins)",
        f"  expected {figures['expected']}: {_counts(figures['standing'])}",
    ]
    if figures["standing"]["silent"]:
        lines.append(f"  silent: {_counts(figures['silence'])}")
    if any(figures["excluded"].values()):
        lines.append(f"  not counted: {_counts(figures['excluded'])}")
    return lines


def _line(person: "NamedStanding") -> str:
    standing = f"{person.standing} ({person.silence})" if person.silence else person.standing
    heard = f"{person.last_heard_at:%Y-%m-%d %H:%M} UTC" if person.last_heard_at else "never"
    return f"  {standing:<22}{person.name}, last heard {heard}"


def _as_json(person: "NamedStanding") -> dict[str, Any]:
    heard = person.last_heard_at
    return {
        "ref": person.ref,
        "name": person.name,
        "standing": person.standing,
        "silence": person.silence,
        "last_heard_at": heard.isoformat() if heard else None,
    }


def _counts(figures: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in figures.items() if count) or "nobody"


def _percent(rate: float | None) -> str:
    return "    —" if rate is None else f"{rate:5.0%}"

"""``kinroom area``: the tree of areas."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.session import AsJson, show, with_database

if TYPE_CHECKING:
    from bot.opening import Opened
    from storage.people.areas import AreaInfo

app = typer.Typer(help="The tree of areas: city, county, town, village.")


@app.command("add")
def add(
    code: Annotated[str, typer.Argument(help="A short code, unique in the system.")],
    name: Annotated[str, typer.Argument(help="The name people know it by.")],
    parent: Annotated[
        str | None, typer.Option(metavar="CODE", help="The area it belongs to.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Such as Asia/Shanghai; else the parent's.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="LANGUAGE", help="zh or en; else the parent's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add an area. On a fresh machine this makes the database too."""
    from storage.people.areas import add_area
    from storage.rules.defaults import ensure_default_rule

    async def work(opened: "Opened") -> "tuple[AreaInfo, bool]":
        now = datetime.now(UTC)
        async with opened.db.write() as tx:
            area = await add_area(
                tx,
                code=code,
                name=name,
                parent=parent,
                timezone=timezone,
                language=language,
                now=now,
            )
            if area.parent_id is None:
                # The rule of the root holds for everything below it.
                await ensure_default_rule(tx, area.id, now)
        return area, opened.after is not None and opened.before is None

    area, made = with_database(work, bring_up=_is_fresh())
    lines = ["Made the database."] if made else []
    below = f" in {parent}" if parent else ""
    lines.append(f"Added {area.name} ({area.code}){below}, {area.timezone}, {area.language}.")
    show(_as_json(area, parent), lines, as_json=as_json)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """Show the tree, and where a week's budget of messages is set."""
    from storage.people.areas import list_areas
    from storage.people.budgets import budgets

    async def work(opened: "Opened") -> "tuple[list[AreaInfo], dict[int, tuple[int, bool]]]":
        async with opened.db.read() as tx:
            return await list_areas(tx), await budgets(tx)

    areas, allowed = with_database(work)
    codes = {area.id: area.code for area in areas}
    lines = [
        f"{'  ' * (area.path.count('/') - 2)}{area.code}  {area.name}"
        f"  ({area.timezone}, {area.language}{_own_budget(*allowed[area.id])})"
        for area in areas
    ]
    result = {
        "areas": [
            _as_json(area, codes.get(area.parent_id or 0)) | {"budget": allowed[area.id][0]}
            for area in areas
        ]
    }
    show(result, lines or ["No areas yet: kinroom area add CODE NAME"], as_json=as_json)


# Or else -1 would be an option that nobody knows.
@app.command("budget", context_settings={"ignore_unknown_options": True})
def budget(
    code: Annotated[str, typer.Argument(help="The area's code.")],
    messages: Annotated[
        str | None,
        typer.Argument(metavar="N", help="Messages in seven days; else shown."),
    ] = None,
    as_above: Annotated[
        bool, typer.Option("--as-above", help="Take it back: as the area above has it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """How many unsolicited messages a worker may get in a week, in an area and below it.

    Check-ins, reminders and notices together; urgent roll calls and answers are outside it. Areas
    below may have their own. Without any it is three.
    """
    from storage.people.areas import find_area
    from storage.people.budgets import BadBudget, budgets, set_weekly_budget

    if as_above and messages is not None:
        raise typer.BadParameter("give a number or --as-above, not both")
    if messages is not None and not re.fullmatch("[0-9]{1,6}", messages):
        raise BadBudget
    wanted = None if messages is None else int(messages)

    async def work(opened: "Opened") -> tuple[int, bool]:
        if messages is None and not as_above:
            async with opened.db.read() as tx:
                return (await budgets(tx))[(await find_area(tx, code)).id]
        async with opened.db.write() as tx:
            area = await find_area(tx, code)
            await set_weekly_budget(tx, area, wanted)
            return (await budgets(tx))[area.id]

    allowed, own = with_database(work)
    whose = "its own" if own else "as above it"
    line = f"{code}: {allowed} messages a week to each worker ({whose})."
    show({"area": code, "budget": allowed, "own": own}, [line], as_json=as_json)


def _own_budget(allowed: int, own: bool) -> str:
    return f", {allowed} messages a week" if own else ""


def _as_json(area: "AreaInfo", parent: str | None) -> dict[str, Any]:
    return {
        "code": area.code,
        "name": area.name,
        "parent": parent,
        "timezone": area.timezone,
        "language": area.language,
    }


def _is_fresh() -> bool:
    """Whether there is no database yet: only an older one waits for ``kinroom migrate``."""
    import asyncio

    from bot.opening import find_standing
    from bot.settings import read_settings

    return asyncio.run(find_standing(read_settings())) == "empty"

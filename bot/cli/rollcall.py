"""``kinroom rollcall``: is everyone safe?"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.cli.session import AreaCode, AsJson, Text, check_text, show, with_database

if TYPE_CHECKING:
    from bot.opening import Opened
    from storage.rhythm.rollcalls import RollcallPlanned


def rollcall(area: AreaCode, text: Text, as_json: AsJson = False) -> None:
    """Ask every expected worker of an area and below it to check in, now."""
    from storage.people.areas import find_area
    from storage.rhythm.rollcalls import plan_rollcall

    text = check_text(text)

    async def work(opened: "Opened") -> "RollcallPlanned":
        async with opened.db.write() as tx:
            found = await find_area(tx, area)
            return await plan_rollcall(tx, area=found, text=text, by=None, now=datetime.now(UTC))

    planned = with_database(work)
    show(
        {"rollcall": planned.id, "area": area, "count": planned.count},
        f"Roll call {planned.id} of {area}: asked: {planned.count}.",
        as_json=as_json,
    )

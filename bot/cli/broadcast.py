"""``kinroom broadcast``: a notice to an area."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli.session import AreaCode, AsJson, Text, check_text, show, with_database

if TYPE_CHECKING:
    from bot.opening import Opened
    from storage.broadcasts import BroadcastPlanned


def broadcast(
    area: AreaCode,
    text: Text,
    language: Annotated[
        Literal["zh", "en"] | None, typer.Option(help="Only to those who read it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send a notice to all workers of an area and below it, at hours that suit them."""
    from storage.areas import find_area
    from storage.broadcasts import plan_broadcast

    text = check_text(text)

    async def work(opened: "Opened") -> "BroadcastPlanned":
        async with opened.db.write() as tx:
            found = await find_area(tx, area)
            return await plan_broadcast(
                tx, area=found, text=text, language=language, by=None, now=datetime.now(UTC)
            )

    planned = with_database(work)
    show(
        {"broadcast": planned.id, "area": area, "count": planned.count},
        f"Broadcast {planned.id} to {area}, people: {planned.count}. "
        "`kinroom outbox` shows how far it is.",
        as_json=as_json,
    )

"""``kinroom demo``: the made-up county."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from bot.cli.session import AsJson, show, with_database

if TYPE_CHECKING:
    from bot.demo import Removed
    from bot.opening import Opened

app = typer.Typer(help="The made-up demo county.")


@app.callback()
def _group() -> None:
    """Keeps ``remove`` a word of its own while it is the only command."""


@app.command("remove")
def remove(as_json: AsJson = False) -> None:
    """Take the demo out of the database. Real people are left as they are."""
    from bot.demo import remove_demo

    async def work(opened: "Opened") -> "Removed":
        async with opened.db.write() as tx:
            return await remove_demo(tx, datetime.now(UTC))

    gone = with_database(work)
    if not gone.there_was_one:
        line = "There is no demo in this database."
    elif gone.again:
        line = f"The demo's people were removed before; now {gone.areas} areas went."
    else:
        line = (
            f"Removed the demo: {gone.people} people, {gone.contacts} contacts, {gone.areas} areas."
        )
    lines = [line]
    if gone.kept_areas:
        lines += [
            f"Kept, because real people belong to them: {', '.join(gone.kept_areas)}.",
            "Whoever only tried it out leaves by My data, Leave; then run this command again. "
            "Until then rules go on asking who is there: kinroom rule list shows them.",
        ]
    result = {
        "people": gone.people,
        "contacts": gone.contacts,
        "areas": gone.areas,
        "kept_areas": list(gone.kept_areas),
    }
    show(result, lines, as_json=as_json)

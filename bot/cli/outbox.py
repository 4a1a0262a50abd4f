"""``kinroom outbox``: what is waiting, and how it ended."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.cli.session import AsJson, show, with_database

if TYPE_CHECKING:
    from bot.opening import Opened


def outbox(as_json: AsJson = False) -> None:
    """Count the outbox by state; finished messages of the last 30 days."""
    from storage.backlog import outbox_states

    async def work(opened: "Opened") -> dict[str, Any]:
        async with opened.db.read() as tx:
            return await outbox_states(tx, datetime.now(UTC))

    found = with_database(work)
    states: dict[str, int] = found["states"]
    lines = [f"{state:<10}{count:>8}" for state, count in states.items()]
    oldest = found["oldest_due_seconds"]
    lines.append(
        "Nothing is due." if oldest is None else f"The oldest message due waits {oldest:.0f} s."
    )
    show(found, lines, as_json=as_json)

"""``kinroom outbox``: what is waiting and why, what went out, and what did not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.cli.session import AsJson, show, with_database

if TYPE_CHECKING:
    from bot.opening import Opened

_CLASSES = {
    "urgent": "answers and calls for help",
    "checkin": "check-ins",
    "reminder": "reminders",
    "broadcast": "notices",
}
_STATES = {
    "sent": "sent",
    "unknown": "may have arrived",
    "failed": "failed",
    "expired": "too late",
    "cancelled": "called off",
}
_REASONS_SHOWN = 5


def outbox(as_json: AsJson = False) -> None:
    """What waits in the outbox and why, what left, and how the last 30 days' messages ended."""
    from storage.outbox.backlog import lanes_known, outbox_states

    async def work(opened: "Opened") -> dict[str, Any]:
        now = datetime.now(UTC)
        async with opened.db.read() as tx:
            found = await outbox_states(tx, now)
            lanes = await lanes_known(tx, now)
        rate = opened.settings.telegram_rate
        return found | {
            "lanes": [
                {
                    "bot": lane["bot"],
                    "channel": lane["channel"],
                    "allowed": rate if lane["channel"] == "telegram" else None,
                    **{f"left_last_{span}": n for span, n in lane["left"].items()},
                    "oldest_due_seconds": lane["oldest_due_seconds"],
                    "held_until": lane["held_until"],
                }
                for lane in lanes
            ]
        }

    found = with_database(work)
    show(found, list(_lines(found)), as_json=as_json)


def _lines(found: dict[str, Any]) -> Iterator[str]:
    states, reasons = found["states"], found["reasons"]
    yield f"{'Waiting':<30}{'messages':>10}   the oldest should have left"
    for name, words in _CLASSES.items():
        of_class = found["classes"][name]
        yield f"  {words:<28}{of_class['queued']:>10}   {_ago(of_class['oldest_due_seconds'])}"
    yield f"  {'on their way right now':<28}{states['sending']:>10}"
    yield from _why(reasons.get("queued", {}))
    if found["lanes"]:
        yield ""
        yield f"{'Gone out in the last':<30}{'minute':>10}{'hour':>10}{'day':>10}"
    for lane in found["lanes"]:
        name = f"{lane['channel'] or 'unknown channel'} {lane['bot']}"
        left = "".join(f"{lane[f'left_last_{span}']:>10}" for span in ("minute", "hour", "day"))
        held = f"   waits until {lane['held_until'][11:16]} UTC" if lane["held_until"] else ""
        yield f"  {name:<28}{left}{held}"
    yield ""
    yield f"{'Over, in the last 30 days':<30}{'messages':>10}"
    for state, words in _STATES.items():
        yield f"  {words:<28}{states[state]:>10}"
        yield from _why(reasons.get(state, {}))


def _why(reasons: dict[str, int]) -> Iterator[str]:
    """The most frequent reasons, indented, and what is left of them."""
    by_number = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    for reason, n in by_number[:_REASONS_SHOWN]:
        yield f"    {reason:<26}{n:>10}" if len(reason) < 26 else f"    {reason}: {n}"
    if rest := sum(n for _, n in by_number[_REASONS_SHOWN:]):
        yield f"    {'other reasons':<26}{rest:>10}"


def _ago(seconds: float | None) -> str:
    """How long ago, in the largest unit of which it is two or more."""
    if seconds is None:
        return "nothing is due"
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{seconds:.0f} seconds ago"

"""How many unsolicited messages a week a person can bear, and what has to wait for it."""

from collections.abc import Sequence
from datetime import datetime

from storage.outbox.burden import WEEK


def waits_until(
    sent: Sequence[datetime], now: datetime, budget: int, *, asks: bool
) -> datetime | None:
    """When the next message may leave, in UTC; ``None`` when it may now.

    ``sent`` are the times of the messages that counted. Any seven days in a row are a week, so
    that a Sunday and the Monday after it are no way around it. Of a budget of two or more, one is
    kept for what ``asks`` how the person is: notices must not crowd out the check-in, or silence
    would be of our own making.
    """
    allowed = budget if asks or budget < 2 else budget - 1
    if allowed <= 0:
        return now + WEEK
    week = sorted(at for at in sent if at > now - WEEK)
    if len(week) < allowed:
        return None
    return week[len(week) - allowed] + WEEK

"""A bot's pace, shared by the processes that send through it (PostgreSQL)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Double, bindparam, text

from storage.database import Tx

# By the database's clock alone: the hosts' clocks differ, and jump. It is read where the row is
# locked already, so that the wait for another process's claim is over. A ``free_at`` further ahead
# than anyone could have reserved is the mark of a clock that was set back.
_RESERVE: Final = text(
    """
    INSERT INTO lane_pace AS pace (bot_id, free_at)
    VALUES (:bot_id, clock_timestamp() + make_interval(secs => :length))
    ON CONFLICT (bot_id) DO UPDATE SET free_at = make_interval(secs => :length)
        + CASE WHEN pace.free_at > clock_timestamp() + make_interval(secs => :furthest)
            THEN clock_timestamp()
            ELSE greatest(pace.free_at, clock_timestamp() - make_interval(secs => :slack)) END
    RETURNING free_at,
        CAST(extract(epoch FROM free_at - clock_timestamp()) AS double precision) AS free_in,
        CAST(extract(epoch FROM held_until - clock_timestamp()) AS double precision) AS held_for
    """
).bindparams(*(bindparam(name, type_=Double()) for name in ("length", "furthest", "slack")))
_HOLD: Final = text(
    """
    INSERT INTO lane_pace AS pace (bot_id, free_at, held_until)
    VALUES (:bot_id, clock_timestamp(), clock_timestamp() + make_interval(secs => :seconds))
    ON CONFLICT (bot_id) DO UPDATE SET held_until = greatest(
        clock_timestamp() + make_interval(secs => :seconds),
        CASE WHEN pace.held_until < clock_timestamp() + make_interval(secs => :longest)
            THEN pace.held_until END)
    """
).bindparams(*(bindparam(name, type_=Double()) for name in ("seconds", "longest")))

_LONGEST_HOLD: Final = 86400.0


@dataclass(frozen=True, slots=True)
class Reserved:
    """Slots of a lane: the first may leave in ``starts_in`` seconds (it may be past).

    ``held_for``: seconds for which the channel wants nothing of the bot at all, 0 for none.
    ``starts_at`` and ``free_at``: when they start and end, by the database's clock.
    """

    starts_in: float
    held_for: float
    starts_at: datetime
    free_at: datetime


async def reserve_slots(
    tx: Tx, bot_id: int, *, length: float, slack: float, furthest: float
) -> Reserved:
    """Take the next ``length`` seconds of a lane for this process, from now on at the earliest.

    A lane that is late by up to ``slack`` seconds catches up. More than ``furthest`` seconds ahead
    nobody can have reserved.
    """
    given = {"bot_id": bot_id, "length": length, "slack": slack, "furthest": furthest}
    row = (await tx.execute(_RESERVE, given)).one()
    held_for = row.held_for or 0.0
    if not 0 < held_for <= _LONGEST_HOLD:
        held_for = 0.0
    starts_at = row.free_at - timedelta(seconds=length)
    return Reserved(row.free_in - length, held_for, starts_at, row.free_at)


async def hold_lane(tx: Tx, bot_id: int, seconds: float) -> None:
    """Tell all processes that the channel wants nothing of the bot for ``seconds``."""
    await tx.execute(_HOLD, {"bot_id": bot_id, "seconds": seconds, "longest": _LONGEST_HOLD})

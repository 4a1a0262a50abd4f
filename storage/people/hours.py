"""When of the day, how often and through what a person wants to be asked; their own clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update

from storage.database import Tx
from storage.errors import Refused
from storage.models import Account, Area, Person
from storage.people.areas import check_timezone
from storage.people.who import Who

DAY: Final = (8, 21)
"""Local hours in which anything unsolicited may arrive at all."""


class NoTimeLeft(Refused):
    """Quiet hours that would leave no hour of the day to ask in."""

    def __init__(self) -> None:
        super().__init__(f"Quiet hours have to leave an hour between {DAY[0]}:00 and {DAY[1]}:00.")


@dataclass(frozen=True, slots=True)
class Hours:
    """What a person chose, and what was learned of them.

    Minutes are after local midnight, hours local ones. ``timezone`` is what they go by, their own
    only if ``own_zone``: else the area's. ``channels`` are those they can be reached on, the one
    they were last on first.
    """

    area_id: int | None
    timezone: str
    own_zone: bool
    country: str | None
    city: str | None
    province: str | None
    status: str
    paused_until: datetime | None
    slower: bool
    monthly: bool
    ask_minute: int | None
    usual_minute: int | None
    quiet_from: int
    quiet_to: int
    prefers: str | None
    channels: tuple[str, ...]


def quiet_spans(quiet_from: int, quiet_to: int) -> list[tuple[int, int]]:
    """The hours in which nothing unsolicited comes, from and to: the night's first, then others.

    Those that a person chose lengthen the night where they touch it.
    """
    opens, closes = DAY
    if quiet_from > quiet_to:
        return [(min(quiet_from, closes), max(quiet_to, opens))]
    start, end = max(quiet_from, opens), min(quiet_to, closes)
    if start >= end:
        return [(closes, opens)]
    if start == opens:
        return [(closes, end)]
    if end == closes:
        return [(start, opens)]
    return [(closes, opens), (start, end)]


async def hours_of(tx: Tx, person_id: int) -> Hours:
    """The person's hours, as they are now."""
    row = (
        await tx.execute(
            select(Person, Area.timezone.label("area_timezone"))
            .outerjoin(Area, Area.id == Person.area_id)
            .where(Person.id == person_id)
        )
    ).one()
    return Hours(
        area_id=row.area_id,
        timezone=row.timezone or row.area_timezone or "Asia/Shanghai",
        own_zone=row.timezone is not None,
        country=row.country,
        city=row.city,
        province=row.province,
        status=row.status,
        paused_until=row.paused_until,
        slower=row.slower,
        monthly=row.monthly,
        ask_minute=row.ask_minute,
        usual_minute=row.usual_minute,
        quiet_from=row.quiet_from,
        quiet_to=row.quiet_to,
        prefers=row.prefers,
        channels=await channels_of(tx, person_id),
    )


async def channels_of(tx: Tx, person_id: int) -> tuple[str, ...]:
    """The channels the person can be reached on, the one they came to last first."""
    rows = await tx.execute(
        select(Account.channel)
        .where(Account.person_id == person_id, Account.state == "reachable")
        .group_by(Account.channel)
        .order_by(func.max(Account.state_at).desc(), func.max(Account.id).desc())
    )
    return tuple(rows.scalars())


async def set_ask_minute(tx: Tx, who: Who, minute: int | None) -> None:
    """Fix when of the day to ask, in quarters of an hour; ``None``: as they usually answer."""
    await _set(tx, who, ask_minute=minute)


async def set_prefers(tx: Tx, who: Who, channel: str | None) -> None:
    """Choose the channel; ``None``: wherever they were last."""
    await _set(tx, who, prefers=channel)


def check_quiet_hours(start: int, end: int) -> None:
    """Raise :class:`NoTimeLeft` unless an hour of the day is left to be asked in."""
    quiet = range(start, end) if start <= end else (*range(start, 24), *range(end))
    if all(hour in quiet for hour in range(*DAY)):
        raise NoTimeLeft


async def set_zone(tx: Tx, who: Who, timezone: str | None) -> None:
    """Say which clock the person goes by; ``None``: the area's.

    Raises :class:`storage.people.areas.BadTimezone`.
    """
    if timezone is not None:
        check_timezone(timezone)
    await _set(tx, who, timezone=timezone)


async def _set(tx: Tx, who: Who, **values: object) -> None:
    await tx.execute(update(Person).where(Person.id == who.person_id).values(**values))

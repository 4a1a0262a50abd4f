"""One week in Nanduihe, for telling the register's definition case by case."""

from datetime import datetime, timedelta

from storage.database import Database
from storage.register.figures import Register, compute_register
from storage.register.periods import Period, parse_period
from storage.register.standing import STANDINGS
from tests.register_world import World

HOUR, DAY, TICK = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
ZONE = "Asia/Shanghai"
WEEK = parse_period("2026-W47", ZONE)
MIDWEEK = WEEK.start + 3 * DAY
SUNDAY = WEEK.end - 6 * HOUR
LATER = WEEK.end + 10 * DAY


def make_world(now: datetime = SUNDAY, period: Period = WEEK) -> World:
    return World(period, ZONE, now)


async def count(db: Database, world: World, area_id: int = 1) -> Register:
    async with db.read() as tx:
        await world.store(tx)
        return await compute_register(tx, world.area(area_id), world.period, world.now)


def standing_of(register: Register) -> str:
    """The standing of the one worker expected."""
    assert register.expected == 1
    return next(standing for standing in STANDINGS if getattr(register.counts, standing))


def silence_of(register: Register) -> str:
    assert standing_of(register) == "silent"
    return next(silence for silence, number in register.silence.items() if number)

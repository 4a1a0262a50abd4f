"""As many workers as one likes, in villages and time zones of their own: made by statement."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, text

from scheduler.checkins import set_clocks
from storage.calendar.recurrence import Hours, Weeks
from storage.database import Database, Tx
from storage.models import UtcDateTime
from storage.people.areas import AreaInfo, add_area
from storage.rules.defaults import WEEKLY
from storage.rules.kept import add_rule
from storage.rules.terms import CheckinTerms
from tests.bench.population import BOT_ID

SUNDAY: Final = datetime(2026, 11, 22, 8, tzinfo=UTC)
"""Eight in the morning in Lisbon, where the county's rule comes due, and four in the afternoon at
home, where the first town's does. In the other zones the county's Sunday is over, or yet to come.
"""
LISBON: Final = "Europe/Lisbon"
_HOME: Final = "Asia/Shanghai"
_ZONES: Final = (None, None, None, "Asia/Shanghai", "Asia/Tokyo", "Asia/Dubai", "America/New_York")
_TOWNS: Final = 20
_PATIENCE: Final = 900.0
_VILLAGES: Final = 25
TOWN_RULE: Final = CheckinTerms("weekly", Weeks(1, (6,)), Hours(time(17), time(16), time(21)))


@dataclass(frozen=True, slots=True)
class Settled:
    """How many live there, and how many the tick at :data:`SUNDAY` asks."""

    people: int
    due: int


async def settle(db: Database, *, people: int, due: int) -> Settled:
    """20 towns of 25 villages. Of ``people`` so many are ``due`` at :data:`SUNDAY`.

    Half of those are at home in the first town, which has a rule of its own; the others live in
    Lisbon and belong to villages all over the county. Who is not due lives in other zones. Each has
    an account, an hour of their own, and last week's check-in, answered.
    """
    begun = SUNDAY - timedelta(weeks=4)
    async with db.write() as tx:
        county = await _area(tx, "county", None, begun)
        towns = [await _area(tx, f"town{n}", "county", begun) for n in range(_TOWNS)]
        first = (await _area(tx, "village0", "town0", begun)).id
        for n in range(1, _TOWNS * _VILLAGES):
            await _area(tx, f"village{n}", f"town{n // _VILLAGES}", begun)
        rule_id = (await add_rule(tx, county, WEEKLY, begun)).id
        await add_rule(tx, towns[0], TOWN_RULE, begun)
    given = {"first": first, "people": people, "due": due, "begun": begun, "bot": BOT_ID}
    given |= {"rule": rule_id, "asked": SUNDAY - timedelta(weeks=1)}
    given |= {"until": SUNDAY - timedelta(days=4), "heard": SUNDAY - timedelta(days=7, hours=-2)}
    for statement in (_PEOPLE, _ACCOUNTS, _CHECKINS):
        async with db.write() as tx:
            await tx.take_time(_PATIENCE)
            await _run(tx, statement, given)
    if db.on_sqlite:
        await settle_down(db, "ANALYZE")
        await settle_down(db, "PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        await settle_down(db, "VACUUM ANALYZE")
    await set_clocks(db, SUNDAY - timedelta(seconds=1))
    return Settled(people, due)


async def unask(db: Database) -> None:
    """As before the tick: nobody is asked yet, the clocks are set to the same Sunday."""
    async with db.write() as tx:
        await tx.take_time(_PATIENCE)
        await tx.execute(text("DELETE FROM delivery" if db.on_sqlite else "TRUNCATE delivery"))
        await tx.execute(text("DELETE FROM checkin WHERE slot = '2026-11-22'"))
        await tx.execute(text("DELETE FROM rule_clock"))
    await set_clocks(db, SUNDAY - timedelta(seconds=1))
    if db.on_sqlite:
        await settle_down(db, "PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        await settle_down(db, "VACUUM checkin, rule_clock")
        await settle_down(db, "CHECKPOINT")


async def settle_down(db: Database, statement: str) -> None:
    """A statement that cannot run within a transaction."""
    async with db.engine.connect() as conn:
        await conn.execution_options(isolation_level="AUTOCOMMIT")
        await conn.execute(text(statement))


# Neighbours by number are of different villages, as those who joined one after another.
_VILLAGE: Final = f"CAST((n * CAST(7919 AS bigint)) % {_TOWNS * _VILLAGES} AS integer)"
_IN_TOWN: Final = f"CAST((turn * CAST(7919 AS bigint)) % {_VILLAGES} AS integer)"
_ELSEWHERE: Final = "CASE n % 7 {} END".format(
    " ".join(f"WHEN {n} THEN '{zone}'" for n, zone in enumerate(_ZONES) if zone)
)
_PEOPLE: Final = f"""
    INSERT INTO person (id, ref, name, area_id, is_officer, is_demo, language, timezone, status,
        slower, quiet_from, quiet_to, ask_minute, usual_minute, consented, enrolled_at, created_at)
    {{numbers}}
    SELECT n, 'person-' || n, {{blob}},
        :first + CASE WHEN is_due = 1 THEN {_IN_TOWN}
            ELSE {_VILLAGES} + {_VILLAGE} % ({(_TOWNS - 1) * _VILLAGES}) END,
        {{no}}, {{no}}, 'zh',
        CASE WHEN is_due = 1 THEN NULL WHEN is_due = 2 THEN '{LISBON}' ELSE {_ELSEWHERE} END,
        'away', {{no}}, 21, CASE WHEN turn % 9 = 0 THEN 10 ELSE 8 END,
        CASE WHEN turn % 10 = 0 THEN 600 END, 480 + 15 * (turn % 48), {{yes}}, :begun, :begun
    FROM (SELECT n, n / ({{step}}) / 2 AS turn, CASE WHEN n % ({{step}}) <> 0 THEN 0
        WHEN n / ({{step}}) % 2 = 0 THEN 1 ELSE 2 END AS is_due FROM s) AS numbered
"""
_ACCOUNTS: Final = """
    INSERT INTO account (person_id, channel, bot_id, chat_id, state, state_at, created_at)
    {numbers} SELECT n, 'telegram', :bot, 1000000 + n, 'reachable', :begun, :begun FROM s
"""
_CHECKINS: Final = """
    INSERT INTO checkin (person_id, area_id, rule_id, version, slot, due_at, window_until,
        delivered_at, answered_at, answer, stage)
    SELECT id, area_id, :rule, 1, '2026-11-15', :asked, :until, :asked, :heard, 'ok', 0
    FROM person
"""


async def _run(tx: Tx, statement: str, given: dict[str, Any]) -> None:
    if tx.on_postgres:
        words = {"yes": "true", "no": "false", "blob": "decode(repeat('00', 40), 'hex')"}
        numbers = "WITH s AS (SELECT generate_series(1, CAST(:people AS integer)) AS n)"
    else:
        words = {"yes": "1", "no": "0", "blob": "zeroblob(40)"}
        numbers = (
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < :people)"
        )
    step = str(given["people"] // given["due"])
    sql = statement.format(numbers=numbers, step=step, **words)
    wanted = {name: it for name, it in given.items() if f":{name}" in sql}
    times = [
        bindparam(n, type_=UtcDateTime()) for n, it in wanted.items() if isinstance(it, datetime)
    ]
    await tx.execute(text(sql).bindparams(*times), wanted)


async def _area(tx: Tx, code: str, parent: str | None, now: datetime) -> AreaInfo:
    return await add_area(
        tx, code=code, name=code, parent=parent, timezone=_HOME, language="zh", now=now
    )

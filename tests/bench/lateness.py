"""How late what is due gets into the outbox, by the real clock, at 1,000 due a second.

Half of them are check-ins: rules of villages of which some come due in every second. Half are
check-ins of this morning without an answer, whose nudge comes due then. Late is from that instant
until the transaction that wrote the message was committed.
"""

import asyncio
import bisect
import os
from datetime import UTC, datetime, time, timedelta
from typing import Final

from sqlalchemy import func, insert, select, update

from scheduler.clock import Clock
from storage.calendar.recurrence import Hours, Weeks
from storage.database import Database, Tx
from storage.models import Account, Checkin, Delivery, Person, RuleClock, RuleVersion
from storage.people.areas import AreaInfo, add_area
from storage.rules.kept import add_rule
from storage.rules.terms import CheckinTerms
from storage.vault import new_ref
from tests.bench.databases import open_migrated, postgres_url, sqlite_url
from tests.bench.figure import Figure
from tests.bench.population import BOT_ID
from tests.bench.villages import settle_down

SECONDS: Final = int(os.environ.get("BENCH_SECONDS", "20"))
A_SECOND: Final = 1000
_RULES: Final = 10
"""How many rules come due in each second."""
_DAILY: Final = CheckinTerms("daily", Weeks(1, tuple(range(7))), Hours(at=time(20, 45)))
_NUDGED_AFTER: Final = timedelta(hours=24)
_AHEAD: Final = timedelta(seconds=15)
_LATEST: Final = 2.0
_PATIENCE: Final = 60


async def measure_sqlite() -> list[Figure]:
    with sqlite_url() as url:
        return await measure(url)


async def measure_postgres() -> list[Figure]:
    with postgres_url() as url:
        return [] if url is None else await measure(url)


async def measure(url: str, seconds: int = SECONDS, a_second: int = A_SECOND) -> list[Figure]:
    async with open_migrated(url) as db:
        await _settle(db, seconds, a_second)
        late = await _run(db, seconds, a_second)
    assert len(late) == seconds * a_second
    p99 = late[int(len(late) * 0.99)]
    return [
        Figure(
            f"from due to outbox, p99 ({db.url.get_backend_name()})",
            "s",
            p99,
            bound=f"≤ {_LATEST:g} s",
            reached=p99 <= _LATEST,
            note=f"{a_second:,} a second for {seconds} s, half of them nudges; median"
            f" {late[len(late) // 2]:.2f} s, the latest {late[-1]:.2f} s;"
            " the clock looks once a second",
        )
    ]


class _Clock(Clock):
    """The real clock, which notes when each of its second's ticks was over."""

    def __init__(self, db: Database) -> None:
        super().__init__(db, nudge=lambda: None, running=lambda: ())
        self.ends: list[datetime] = []

    async def tick_second(self) -> None:
        await super().tick_second()
        self.ends.append(datetime.now(UTC))


async def _run(db: Database, seconds: int, a_second: int) -> list[float]:
    """How late each message was, in seconds, in order."""
    clock = _Clock(db)
    await clock.start()
    try:
        for _ in range(int(_AHEAD.total_seconds()) + seconds + _PATIENCE):
            if await _written(db) >= seconds * a_second:
                break
            await asyncio.sleep(1.0)
    finally:
        await clock.stop()
    async with db.read() as tx:
        rows = await tx.execute(
            select(Delivery.created_at, Checkin.delivered_at, RuleVersion.at)
            .join(Checkin, Checkin.id == Delivery.checkin_id)
            .join(RuleVersion, RuleVersion.rule_id == Checkin.rule_id)
        )
        late: list[float] = []
        for row in rows:
            # A rule's clock was set to when the rule was made: see _make_due.
            due = row.at if row.delivered_at is None else row.delivered_at + _NUDGED_AFTER
            over = clock.ends[bisect.bisect_left(clock.ends, row.created_at)]
            late.append((over - due).total_seconds())
    return sorted(late)


async def _written(db: Database) -> int:
    async with db.read() as tx:
        return int(await tx.scalar(select(func.count()).select_from(Delivery)))


async def _settle(db: Database, seconds: int, a_second: int) -> None:
    """Villages that each have a rule of their own, and people in the county who were asked."""
    now = datetime.now(UTC)
    zone = f"Etc/GMT{now.hour - 12:+d}"  # where it is about noon: today is planned, and not over
    each = a_second // 2 // _RULES
    async with db.write() as tx:
        await tx.take_time(600.0)
        county = await _area(tx, "county", None, zone, now)
        asked = (await add_rule(tx, county, _DAILY, now)).id
        villages = [
            await _area(tx, f"village{n}", "county", zone, now) for n in range(seconds * _RULES)
        ]
        rules = [(await add_rule(tx, village, _DAILY, now)).id for village in villages]
        homes = [village.id for village in villages for _ in range(each)]
        homes += [county.id] * len(homes)
        await _add_workers(tx, homes, now)
    await settle_down(db, "ANALYZE")
    async with db.write() as tx:
        await _make_due(tx, rules, asked, zone, len(homes) // 2, seconds)


async def _make_due(
    tx: Tx, rules: list[int], asked: int, zone: str, people: int, seconds: int
) -> None:
    """Let it all come due in so many seconds, from in a moment on."""
    begin = datetime.now(UTC) + _AHEAD
    for number, rule_id in enumerate(rules):
        at = begin + number * timedelta(seconds=1) / _RULES
        clock = {"rule_id": rule_id, "timezone": zone, "next_at": at}
        await tx.execute(insert(RuleClock).values(clock))
        await tx.execute(update(RuleVersion).where(RuleVersion.rule_id == rule_id).values(at=at))
    # The county's rule asks nobody today: its people were asked yesterday.
    tomorrow = {"rule_id": asked, "timezone": zone, "next_at": begin + timedelta(days=1)}
    await tx.execute(insert(RuleClock).values(tomorrow))
    nudges: list[dict[str, object]] = []
    for number in range(people):
        at = begin + number * timedelta(seconds=seconds) / people
        worker = people + number + 1
        nudges.append(
            {
                "person_id": worker,
                "area_id": 1,
                "rule_id": asked,
                "version": 1,
                "slot": "yesterday",
                "due_at": at - _NUDGED_AFTER,
                "delivered_at": at - _NUDGED_AFTER,
                "window_until": at + 2 * _NUDGED_AFTER,
                "next_at": at,
                "bot_id": BOT_ID,
                "chat_id": worker,
                "message_id": worker,
            }
        )
    await tx.execute(insert(Checkin), nudges)


async def _add_workers(tx: Tx, homes: list[int], now: datetime) -> None:
    both = {"created_at": now}
    people = [
        {
            "id": number,
            "ref": new_ref(),
            "area_id": home,
            "language": "zh",
            "status": "away",
            "consented": True,
            "usual_minute": 9 * 60,
            "enrolled_at": now,
            **both,
        }
        for number, home in enumerate(homes, start=1)
    ]
    await tx.execute(insert(Person), people)
    reached = {"channel": "telegram", "bot_id": BOT_ID, "state_at": now, **both}
    await tx.execute(
        insert(Account),
        [{"person_id": n + 1, "chat_id": n + 1, **reached} for n in range(len(homes))],
    )


async def _area(tx: Tx, code: str, parent: str | None, zone: str, now: datetime) -> AreaInfo:
    return await add_area(
        tx, code=code, name=code, parent=parent, timezone=zone, language="zh", now=now
    )

"""Statements that change several check-ins on PostgreSQL lock them in one order."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from storage.database import Database, Tx
from storage.models import Checkin
from storage.outbox.outcomes import Outcome, record_outcomes
from storage.rhythm.checkins import answer_checkin
from tests.outbox_people import LANE, make_area, make_person

WAITING = text(
    "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE NOT l.granted AND a.datname = current_database()"
)
Change = Callable[[Tx, int, list[int], datetime], Awaitable[Any]]


async def _answer(tx: Tx, person: int, checkins: list[int], now: datetime) -> None:
    await answer_checkin(tx, checkin_id=checkins[-1], person_id=person, answer="ok", now=now)


async def _deliver(tx: Tx, _person: int, checkins: list[int], now: datetime) -> None:
    outcomes = [
        Outcome(n, 1, "sent", None, 1, LANE, 1, 7, checkin)
        for n, checkin in enumerate(reversed(checkins))
    ]
    await record_outcomes(tx, outcomes, [], now)


@pytest.mark.parametrize("change", [_answer, _deliver])
async def test_nothing_is_held_while_the_first_is_waited_for(
    postgres_db: Database, now: datetime, change: Change
) -> None:
    area = await make_area(postgres_db, now)
    hour = timedelta(hours=1)
    async with postgres_db.write() as tx:
        person = await make_person(tx, now, area=area)
        for n in range(8):
            await tx.execute(
                insert(Checkin).values(
                    person_id=person,
                    area_id=area.id,
                    slot=str(n),
                    due_at=now - hour,
                    window_until=now + hour,
                    delivered_at=now if change is _answer else None,
                )
            )
    async with postgres_db.write() as tx:  # in the table, the first is behind the others now
        await tx.execute(update(Checkin).where(Checkin.slot == "0").values(stage=2))
    async with postgres_db.read() as tx:
        checkins = list((await tx.execute(select(Checkin.id).order_by(Checkin.id))).scalars())

    async def other() -> None:
        async with postgres_db.write() as tx:
            await change(tx, person, checkins, now)

    async with postgres_db.write() as tx:
        await tx.execute(update(Checkin).where(Checkin.id == checkins[0]).values(stage=1))
        task = asyncio.create_task(other())
        while not task.done():
            async with postgres_db.read() as watch:
                if await watch.scalar(WAITING):
                    break
        # The other waits for the first; this has the rest, or there would be a deadlock.
        rest = select(Checkin.id).where(Checkin.id.in_(checkins[1:]))
        await tx.execute(rest.with_for_update(nowait=True))
    await task
    async with postgres_db.read() as tx:
        column = Checkin.answered_at if change is _answer else Checkin.delivered_at
        assert set((await tx.execute(select(column))).scalars()) == {now}

"""Workers, areas and accounts for the tests of what goes out."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from storage.database import Database, Tx
from storage.models import Account, Delivery, Person
from storage.outbox.claims import Claimed, claim_due, find_broadcasts_due, find_due, load_claimed
from storage.people.areas import AreaInfo, add_area
from storage.vault import new_ref

LANE = 42
WEB = 1


async def make_area(
    db: Database, now: datetime, code: str = "village", parent: str | None = None, **more: Any
) -> AreaInfo:
    async with db.write() as tx:
        return await add_area(
            tx,
            code=code,
            name=more.get("name", f"Area {code}"),
            parent=parent,
            timezone=more.get("timezone"),
            language=more.get("language"),
            now=now,
        )


async def make_person(
    tx: Tx,
    now: datetime,
    *,
    area: AreaInfo | None = None,
    name: str = "小芳",
    chat_id: int | None = None,
    bot_id: int = LANE,
    account_state: str = "reachable",
    **columns: Any,
) -> int:
    """A consented worker with one account (``chat_id`` 0: none), away, awake around the clock."""
    ref = new_ref()
    values: dict[str, Any] = {
        "area_id": None if area is None else area.id,
        "status": "away",
        "consented": True,
        "quiet_from": 0,
        "quiet_to": 0,
        "enrolled_at": now,
        "created_at": now,
    }
    person_id: int = await tx.scalar(
        tx.insert(Person)
        .values(ref=ref, name=tx.vault.seal("person.name", ref, name), **{**values, **columns})
        .returning(Person.id)
    )
    if chat_id != 0:
        await add_account(
            tx, now, person_id, chat_id or 1000 + person_id, bot_id=bot_id, state=account_state
        )
    return person_id


async def add_account(
    tx: Tx,
    now: datetime,
    person_id: int,
    chat_id: int,
    *,
    bot_id: int = LANE,
    state: str = "reachable",
) -> None:
    await tx.execute(
        insert(Account).values(
            person_id=person_id,
            channel="web" if bot_id == WEB else "telegram",
            bot_id=bot_id,
            chat_id=chat_id,
            state=state,
            state_at=now,
            created_at=now,
        )
    )


async def states(db: Database) -> dict[str, tuple[str, str | None]]:
    """``{dedupe_key: (state, reason)}`` of the whole outbox."""
    async with db.read() as tx:
        found = await tx.execute(select(Delivery.dedupe_key, Delivery.state, Delivery.reason))
        return {row.dedupe_key: (row.state, row.reason) for row in found}


async def claim_all(
    tx: Tx, now: datetime, lane: int = LANE, running: Collection[int] = (LANE,)
) -> list[Claimed]:
    """Up to fifty of each queue of a lane, for an hour."""
    places = []
    for queue in (
        *await find_due(tx, now, lane, {}),
        *await find_broadcasts_due(tx, now, lane),
    ):
        places += await claim_due(tx, now, queue, 50, now + timedelta(hours=1))
    return await load_claimed(tx, [place[1] for place in places], running)

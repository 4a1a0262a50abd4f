"""A county of the size Kinroom is meant for, with a quarter of life behind it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, update

from storage.database import Database, Tx
from storage.models import Checkin, Contact, Person
from storage.people.areas import get_area
from storage.rules.defaults import WEEKLY
from storage.rules.kept import add_rule
from tests.populous_county import add_villages, add_workers

BOT_ID = 42
_VILLAGES = 40
_WEEKS = 12
_FIRST_CHAT = 1_000_000


@dataclass(frozen=True, slots=True)
class Population:
    """``chats`` of the workers, and ``(chat, check-in)`` of every check-in not yet answered."""

    chats: list[int]
    unanswered: list[tuple[int, int]]


async def populate(db: Database, now: datetime, *, workers: int = 2000) -> Population:
    """Workers in 40 villages, each with a Telegram account and twelve weekly check-ins.

    The older half of the check-ins is answered, each with its contact.
    """
    async with db.write() as tx:
        areas = await add_villages(tx, _VILLAGES, now)
        county = await get_area(tx, areas[0])
        rule_id = (await add_rule(tx, county, WEEKLY, now)).id
        villages = areas[1:]
        home = {person: villages[person % len(villages)] for person in range(1, workers + 1)}
        await add_workers(
            tx,
            home,
            now - timedelta(weeks=2 * _WEEKS),
            bot_id=BOT_ID,
            first_chat=_FIRST_CHAT,
            name="王小芳",
            country="CN",
        )
        # A quarter of them reads English.
        await tx.execute(update(Person).where(Person.id % 4 == 0).values(language="en"))
        unanswered = await _add_weeks(tx, home, rule_id, now)
    return Population([_FIRST_CHAT + person for person in home], unanswered)


async def _add_weeks(
    tx: Tx, home: dict[int, int], rule_id: int, now: datetime
) -> list[tuple[int, int]]:
    unanswered: list[tuple[int, int]] = []
    checkin = 0
    for week in range(_WEEKS, 0, -1):
        due = now - timedelta(weeks=week)
        answered = week > _WEEKS // 2
        asked: list[dict[str, Any]] = []
        heard: list[dict[str, Any]] = []
        for person, area in home.items():
            checkin += 1
            asked.append(
                {
                    "id": checkin,
                    "person_id": person,
                    "area_id": area,
                    "rule_id": rule_id,
                    "slot": f"{due:%Y-%m-%d}",
                    "due_at": due,
                    "window_until": due + timedelta(hours=48),
                    "delivered_at": due,
                    "answered_at": due + timedelta(hours=1) if answered else None,
                    "answer": "ok" if answered else None,
                    "bot_id": BOT_ID,
                    "chat_id": _FIRST_CHAT + person,
                    "message_id": checkin,
                }
            )
            if not answered:
                unanswered.append((_FIRST_CHAT + person, checkin))
                continue
            heard.append(
                {
                    "person_id": person,
                    "area_id": area,
                    "at": due + timedelta(hours=1),
                    "evidence": "self",
                    "kind": "checkin",
                    "outcome": "ok",
                    "success": True,
                    "checkin_id": checkin,
                }
            )
        await tx.execute(insert(Checkin), asked)
        if heard:
            await tx.execute(insert(Contact), heard)
    return unanswered

"""A county of the size Kinroom is meant for, with a quarter of life behind it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from storage.database import Database, Tx
from storage.models import (
    Account,
    Checkin,
    Consent,
    Contact,
    Enrolment,
    Person,
    StatusChange,
)
from storage.people.areas import add_area, get_area
from storage.rules.defaults import WEEKLY
from storage.rules.kept import add_rule
from storage.vault import new_ref

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
        areas = await _add_areas(tx, now)
        county = await get_area(tx, areas[0])
        rule_id = (await add_rule(tx, county, WEEKLY, now)).id
        villages = areas[1:]
        home = {person: villages[person % len(villages)] for person in range(1, workers + 1)}
        await _add_workers(tx, home, now - timedelta(weeks=2 * _WEEKS))
        unanswered = await _add_weeks(tx, home, rule_id, now)
    return Population([_FIRST_CHAT + person for person in home], unanswered)


async def _add_areas(tx: Tx, now: datetime) -> list[int]:
    """The county's id, then the villages'."""
    names: list[tuple[str, str | None]] = [("county", None)]
    names += [(f"village-{number}", "county") for number in range(_VILLAGES)]
    return [
        (
            await add_area(
                tx,
                code=code,
                name=code,
                parent=parent,
                timezone="Asia/Shanghai",
                language="zh",
                now=now,
            )
        ).id
        for code, parent in names
    ]


async def _add_workers(tx: Tx, home: dict[int, int], at: datetime) -> None:
    people: list[dict[str, Any]] = []
    for person, area in home.items():
        ref = new_ref()
        people.append(
            {
                "id": person,
                "ref": ref,
                "name": tx.vault.seal("person.name", ref, f"王小芳{person}"),
                "area_id": area,
                "language": "zh" if person % 4 else "en",
                "country": "CN",
                "status": "away",
                "status_at": at,
                "consented": True,
                "enrolled_at": at,
                "created_at": at,
            }
        )
    await tx.execute(insert(Person), people)
    await tx.execute(
        insert(Account),
        [
            {
                "person_id": person,
                "channel": "telegram",
                "bot_id": BOT_ID,
                "chat_id": _FIRST_CHAT + person,
                "state_at": at,
                "created_at": at,
            }
            for person in home
        ],
    )
    each = [{"person_id": person, "at": at} for person in home]
    await tx.execute(insert(StatusChange), [row | {"status": "away"} for row in each])
    consent = {"purpose": "contact", "wording": "1", "given": True, "channel": "telegram"}
    await tx.execute(insert(Consent), [row | consent for row in each])
    await tx.execute(
        insert(Enrolment),
        [{"person_id": person, "area_id": area, "since": at} for person, area in home.items()],
    )


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

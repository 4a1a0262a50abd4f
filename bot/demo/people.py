"""The rows of the demo's people: workers, accounts, consents."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from bot.channels.web.session import BOT_ID
from bot.demo.cast import Cast
from storage.database import Tx
from storage.models import Account, Consent, Enrolment, Person, StatusChange, WebChat
from storage.people.enrolment import PURPOSE, WORDING
from storage.people.places import find_place
from storage.vault import new_ref


async def add_workers(tx: Tx, cast: list[Cast], now: datetime) -> None:
    rows = [_worker(tx, person, now) for person in cast]
    for person, row_id in zip(cast, await insert_ids(tx, Person, rows), strict=True):
        person.id = row_id
    turned = {person.id: _turned(person, now) for person in cast}
    gone = [person for person in cast if person.habit == "left"]
    await tx.execute(
        insert(Enrolment),
        [
            {
                "person_id": person.id,
                "area_id": person.area_id,
                "since": person.since,
                "until": turned[person.id] if person.habit == "left" else None,
                "ended_as": "withdrawn" if person.habit == "left" else None,
            }
            for person in cast
        ],
    )
    changes = [(person, "away", person.since) for person in cast]
    changes += [
        (person, person.habit, turned[person.id])
        for person in cast
        if person.habit in {"home", "paused"}
    ]
    await tx.execute(
        insert(StatusChange),
        [
            {
                "person_id": person.id,
                "status": status,
                "slower": person.habit == "slower",
                "at": at,
            }
            for person, status, at in changes
        ],
    )
    await add_consents(
        tx,
        [(person.id, True, person.since) for person in cast]
        + [(person.id, False, turned[person.id]) for person in gone],
    )
    await add_accounts(
        tx,
        [
            (person.id, person.since, "blocked", turned[person.id] - timedelta(days=7))
            if person.habit == "blocked"
            else (person.id, person.since, "reachable", person.since)
            for person in cast
            if person.habit != "left"
        ],
    )


def _turned(person: Cast, now: datetime) -> datetime:
    """When the person went home, paused, left, or blocked the room."""
    return now - timedelta(weeks=person.turn, hours=30)


def _worker(tx: Tx, person: Cast, now: datetime) -> dict[str, Any]:
    turned = _turned(person, now)
    if person.habit == "left":
        return person_row(tx, None, person.since) | {
            "status": "left",
            "status_at": turned,
            "erased_at": turned,
            "consented": False,
        }
    city = find_place(person.place) if person.place else None
    status = person.habit if person.habit in {"home", "paused"} else "away"
    row = person_row(tx, person.name, person.since)
    if person.phone:
        row["phone"] = tx.vault.seal("person.phone", row["ref"], person.phone)
        row["phone_key"] = tx.vault.lookup("phone", person.phone)
    return row | {
        "area_id": person.area_id,
        "language": person.language,
        "country": city.country if city else None,
        "province": city.province if city else None,
        "city": city.city if city else None,
        "timezone": city.timezone if city else None,
        "status": status,
        "status_at": person.since if status == "away" else turned,
        "paused_until": now + timedelta(weeks=5) if status == "paused" else None,
        "slower": person.habit == "slower",
        "enrolled_at": person.since,
    }


def person_row(tx: Tx, name: str | None, at: datetime) -> dict[str, Any]:
    ref = new_ref()
    return {
        "ref": ref,
        "name": tx.vault.seal("person.name", ref, name) if name else None,
        "name_key": tx.vault.lookup("name", name.casefold()) if name else None,
        "phone": None,
        "phone_key": None,
        "area_id": None,
        "language": None,
        "country": None,
        "province": None,
        "city": None,
        "timezone": None,
        "status": "away",
        "status_at": at,
        "paused_until": None,
        "slower": False,
        "enrolled_at": None,
        "erased_at": None,
        "is_officer": False,
        "is_demo": True,
        "consented": True,
        "created_at": at,
    }


async def add_accounts(tx: Tx, accounts: list[tuple[int, datetime, str, datetime]]) -> None:
    rows = [
        {
            "person_id": person,
            "channel": "web",
            "bot_id": BOT_ID,
            "chat_id": 2**40 + secrets.randbelow(2**51),
            "state": state,
            "state_at": state_at,
            "created_at": since,
        }
        for person, since, state, state_at in accounts
    ]
    await tx.execute(insert(Account), rows)
    await tx.execute(
        insert(WebChat),
        [{"chat_id": row["chat_id"], "created_at": row["created_at"]} for row in rows],
    )


async def add_consents(tx: Tx, consents: list[tuple[int, bool, datetime]]) -> None:
    await tx.execute(
        insert(Consent),
        [
            {
                "person_id": person,
                "purpose": PURPOSE,
                "wording": WORDING,
                "given": given,
                "channel": "web",
                "at": at,
            }
            for person, given, at in consents
        ],
    )


async def insert_ids(tx: Tx, table: Any, rows: list[dict[str, Any]]) -> list[int]:
    """Insert many rows at once; their ids, in the rows' order."""
    statement = insert(table).returning(table.id, sort_by_parameter_order=True)
    return list((await tx.execute(statement, rows)).scalars())

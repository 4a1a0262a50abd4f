"""A county with many villages and many workers, made in a few statements."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, insert, select

from storage.database import Tx
from storage.models import Account, Consent, Enrolment, Person, StatusChange
from storage.people.areas import add_area
from storage.vault import new_ref

COUNTY: Final = "county"
ZONE: Final = "Asia/Shanghai"


async def add_villages(tx: Tx, villages: int, now: datetime) -> list[int]:
    """The county, and villages of it: their ids, the county's first."""
    codes: list[tuple[str, str | None]] = [(COUNTY, None)]
    codes += [(f"village-{number}", COUNTY) for number in range(villages)]
    return [
        (
            await add_area(
                tx, code=code, name=code, parent=parent, timezone=ZONE, language="zh", now=now
            )
        ).id
        for code, parent in codes
    ]


async def add_workers(
    tx: Tx,
    home: Mapping[int, int],
    at: datetime,
    *,
    bot_id: int,
    first_chat: int,
    name: str,
    **columns: Any,
) -> None:
    """Consented workers by their ids, with the area of each, who enrolled at ``at``.

    Each has an account whose chat is ``first_chat`` and their id, and is called ``name`` and their
    id. ``columns`` are the same for all.
    """
    people: list[dict[str, Any]] = []
    for person, area in home.items():
        ref = new_ref()
        people.append(
            {
                "id": person,
                "ref": ref,
                "name": tx.vault.seal("person.name", ref, f"{name}{person}"),
                "area_id": area,
                "language": "zh",
                "status": "away",
                "status_at": at,
                "consented": True,
                "enrolled_at": at,
                "created_at": at,
                **columns,
            }
        )
    await tx.execute(insert(Person), people)
    await tx.execute(
        insert(Account),
        [
            {
                "person_id": person,
                "channel": "telegram",
                "bot_id": bot_id,
                "chat_id": first_chat + person,
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
    if tx.on_postgres:
        # Ids were given; whoever comes next must not get one of them.
        await tx.execute(
            select(func.setval(func.pg_get_serial_sequence("person", "id"), max(home)))
        )

"""People to send to, and broadcasts to them that wait in the outbox."""

from datetime import datetime, timedelta

from sqlalchemy import String, cast, insert, literal, select, text, update

from storage.database import Database
from storage.models import Account, Area, Broadcast, Delivery, Person
from storage.outbox.messages import BROADCAST
from storage.people.areas import add_area
from storage.vault import new_ref

BOT_ID = 42
FIRST_CHAT = 1_000_000
WORDS = "南来镇免费体检，十一月二十八日上午八点到十二点，在镇卫生院一楼。带身份证，空腹来。"


async def gather_crowd(db: Database, now: datetime, count: int) -> int:
    """``count`` consented workers of one area with a Telegram account each, awake at any hour.

    Returns the area's id.
    """
    async with db.write() as tx:
        area = await add_area(
            tx,
            code="crowd",
            name="南来镇",
            parent=None,
            timezone="Asia/Shanghai",
            language="zh",
            now=now,
        )
        # Everyone gets one broadcast after the other: their budget is looked at, and never used up.
        await tx.execute(update(Area).values(weekly_budget=30_000))
        people, accounts = [], []
        for number in range(1, count + 1):
            ref = new_ref()
            people.append(
                {
                    "id": number,
                    "ref": ref,
                    "name": tx.vault.seal("person.name", ref, f"王小芳{number}"),
                    "area_id": area.id,
                    "status": "away",
                    "consented": True,
                    "quiet_from": 0,
                    "quiet_to": 0,
                    "enrolled_at": now,
                    "created_at": now,
                }
            )
            accounts.append(
                {
                    "person_id": number,
                    "channel": "telegram",
                    "bot_id": BOT_ID,
                    "chat_id": FIRST_CHAT + number,
                    "state": "reachable",
                    "state_at": now,
                    "created_at": now,
                }
            )
        await tx.execute(insert(Person), people)
        await tx.execute(insert(Account), accounts)
    if not db.on_sqlite:
        async with db.write() as tx:
            await tx.execute(text("ANALYZE"))
    return area.id


async def queue_broadcast(db: Database, area_id: int, now: datetime) -> None:
    """A broadcast whose messages to the whole crowd wait in the outbox, due at once."""
    at = Delivery.created_at.type
    async with db.write() as tx:
        number: int = await tx.scalar(
            tx.insert(Broadcast)
            .values(area_id=area_id, text=WORDS, audience=0, at=now, expanded_at=now)
            .returning(Broadcast.id)
        )
        values = {
            "person_id": Person.id,
            "template": literal("broadcast"),
            "priority": literal(BROADCAST),
            "urgent": literal(False),
            "lane": literal(BOT_ID),
            "broadcast_id": literal(number),
            "dedupe_key": literal(f"broadcast:{number}:") + cast(Person.id, String),
            "not_before": literal(now, at),
            "expires_at": literal(now + timedelta(hours=72), at),
            "state": literal("queued"),
            "attempts": literal(0),
            "created_at": literal(now, at),
        }
        await tx.execute(insert(Delivery).from_select(list(values), select(*values.values())))

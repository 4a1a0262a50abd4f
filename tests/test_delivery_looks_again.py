"""What delivery looks at again before it sends: the person, the hour, the account, the notice."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from aiogram import exceptions as said
from sqlalchemy import select, update

from scheduler.letters import Letter, Ready, Withheld
from storage.database import Database, Tx
from storage.models import Account, Broadcast, Checkin, Person
from storage.models import Delivery as Row
from storage.rhythm.rollcalls import plan_rollcall
from tests.outbox_people import LANE, WEB, add_account, make_area, make_person, states
from tests.outbox_post import HOUR, METHOD, Post, column, put


@pytest.mark.parametrize(
    ("columns", "template", "reason"),
    [
        ({"consented": False}, "broadcast", "no consent"),
        ({"status": "left"}, "broadcast", "the person has left"),
        ({"status": "paused"}, "checkin", "paused"),
        ({"status": "home"}, "checkin", "at home"),
        ({"erased_at": datetime(2026, 1, 1, tzinfo=UTC)}, "case_reply", "the person has left"),
    ],
)
async def test_what_changed_since_cancels(
    db: Database, now: datetime, columns: dict[str, Any], template: str, reason: str
) -> None:
    async with db.write() as tx:
        person = await make_person(tx, now)
        await put(tx, person, "k", now, template=template)
        await tx.execute(update(Person).values(**columns))
    post = Post(db, now)
    await post.round()
    assert await states(db) == {"k": ("cancelled", reason)}
    assert post.channel.taken == []


async def test_answered_meanwhile_cancels(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        await make_person(tx, now, area=area)
        await plan_rollcall(tx, area=area, text="?", by=None, now=now)
        await tx.execute(update(Checkin).values(answered_at=now, answer="ok"))
    post = Post(db, now)
    await post.round()
    assert list((await states(db)).values()) == [("cancelled", "answered before it was sent")]


async def test_night_holds_until_morning_of_the_person(db: Database) -> None:
    evening = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)
    quiet: Any = {"quiet_from": 21, "quiet_to": 8}
    async with db.write() as tx:
        lisbon = await make_person(tx, evening, timezone="Europe/Lisbon", chat_id=1, **quiet)
        beijing = await make_person(tx, evening, timezone="Asia/Shanghai", chat_id=2, **quiet)
        awake = await make_person(tx, evening, timezone="America/New_York", chat_id=3, **quiet)
        for person, key in ((lisbon, "lisbon"), (beijing, "beijing"), (awake, "awake")):
            await put(tx, person, key, evening, template="checkin", priority=1)
        await put(tx, lisbon, "urgent", evening, template="rollcall", urgent=True)
        await put(tx, lisbon, "reply", evening, template="case_reply")
    post = Post(db, evening)
    await post.round()
    assert sorted(post.channel.texts()) == [
        (1, "case_reply 1"),
        (1, "rollcall 1"),
        (3, "checkin 1"),
    ]
    silent = {m.text: m.disable_notification for _, m in post.channel.taken}  # type: ignore[attr-defined]
    assert silent == {"case_reply 1": True, "rollcall 1": False, "checkin 1": False}
    assert (await states(db))["lisbon"] == ("queued", "quiet hours")
    assert await column(db, "lisbon", Row.not_before) == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert await column(db, "beijing", Row.not_before) == datetime(2026, 11, 23, 0, tzinfo=UTC)
    assert await column(db, "lisbon", Row.attempts) == 0
    post.times.move(10.5 * 3600)
    await post.round()
    assert (await states(db))["lisbon"] == ("sent", None)


async def test_newest_account_on_a_running_channel(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        person = await make_person(tx, now, chat_id=5)
        await put(tx, person, "k", now)
        await add_account(tx, now + HOUR, person, 6, bot_id=99)  # nobody runs this one
        await add_account(tx, now + HOUR / 2, person, 7, bot_id=WEB)
    post = Post(db, now, {LANE: 0.0, WEB: 0.0})
    await post.round(2)
    assert post.sessions[WEB].texts() == [(7, "case_reply 1")]
    assert post.channel.taken == []


async def test_blocked_account_gives_way_to_another(db: Database, now: datetime) -> None:
    blocked = said.TelegramForbiddenError(METHOD, "Forbidden: bot was blocked by the user")
    async with db.write() as tx:
        both = await make_person(tx, now, chat_id=5)
        await add_account(tx, now - HOUR, both, 7, bot_id=WEB)
        await put(tx, both, "both", now)
        one = await make_person(tx, now, chat_id=8)
        await put(tx, one, "one", now)
    post = Post(db, now, {LANE: 0.0, WEB: 0.0})
    post.channel.say(5, blocked)
    post.channel.say(8, blocked)
    await post.round()
    post.times.move(1)
    await post.round(2)
    assert post.sessions[WEB].texts() == [(7, "case_reply 1")]
    assert await states(db) == {"both": ("sent", None), "one": ("failed", "blocked")}
    async with db.read() as tx:
        found = await tx.execute(select(Account.chat_id, Account.state))
        assert {row.chat_id: row.state for row in found} == {
            5: "blocked",
            7: "reachable",
            8: "blocked",
        }


async def test_unknown_channel_waits_nobody_fails(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await put(tx, await make_person(tx, now, bot_id=99), "elsewhere", now)
        await put(tx, await make_person(tx, now, chat_id=0), "nobody", now)
    post = Post(db, now)
    await post.round()
    assert await states(db) == {"elsewhere": ("queued", None), "nobody": ("failed", "no account")}


async def test_withheld_ends_with_its_reason(db: Database, now: datetime) -> None:
    async def refuse(tx: Tx, batch: Sequence[Ready], /) -> Mapping[int, Letter | Withheld]:
        return {batch[0].message.id: Withheld("failed", "its notice is missing")}

    async with db.write() as tx:
        for key in ("a", "b"):
            await put(tx, await make_person(tx, now), key, now)
    await Post(db, now, render=refuse).round()
    assert await states(db) == {
        "a": ("failed", "its notice is missing"),
        "b": ("failed", "nothing was written for it"),
    }


async def test_what_expired_or_was_stopped_ends_at_its_claim(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        await make_person(tx, now, area=area)
        stopped = await tx.scalar(
            tx.insert(Broadcast)
            .values(area_id=area.id, text="?", audience=1, at=now, stopped_at=now)
            .returning(Broadcast.id)
        )
        person = await make_person(tx, now, area=area)
        values = {"template": "broadcast", "priority": 3}
        await put(tx, person, "stopped", now, broadcast_id=stopped, **values)
        await put(tx, person, "late", now - HOUR, expires_at=now, **values)
    post = Post(db, now)
    await post.round()
    assert post.channel.tried == []
    assert await states(db) == {
        "stopped": ("cancelled", "the notice was stopped"),
        "late": ("expired", "not sent in time"),
    }
    assert await column(db, "late", Row.attempts) == 0

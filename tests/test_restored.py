"""A database restored from yesterday: nothing is said twice, nobody is let in again."""

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect
from sqlalchemy import delete, func, insert, select, text

from bot.channels.web.conversations import Conversations, Mark
from bot.channels.web.live import Live
from bot.channels.web.memory import Memory
from bot.settings import environment_for_tools
from storage.backup import copying as backup
from storage.backup.copying import copy_sqlite
from storage.backup.file import check_backup
from storage.backup.postgres import dump_postgres
from storage.backup.restored import SENT_SINCE, STOPPED, settle_restored
from storage.database import Database, Tx
from storage.models import (
    Account,
    Broadcast,
    Delivery,
    Intake,
    LanePace,
    Person,
    StatusChange,
    WebChat,
    WebMessage,
)
from storage.outbox.messages import BROADCAST, CHECKIN, URGENT, enqueue
from storage.people.invites import BadInvite, check_invite, make_invite
from storage.people.logins import BadLogin, find_session, make_login_link, open_session
from storage.talk.conversation import add_message, open_chat
from storage.talk.intake import record_update
from storage.vault import Vault
from tests import web_phone
from tests.outbox_people import LANE, make_area, make_person, states
from tests.web_phone import Phone, joined
from tests.web_room import WebRoom

room, chromium, phone = web_phone.room, web_phone.chromium, web_phone.phone


async def _broadcast(tx: Tx, area_id: int, now: datetime, **more: Any) -> int:
    made: int = await tx.scalar(
        tx.insert(Broadcast)
        .values(**{"area_id": area_id, "text": "t", "audience": 1, "at": now, **more})
        .returning(Broadcast.id)
    )
    return made


async def test_messages_by_their_class(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        person = await make_person(tx, now, area=area)
        whole = await _broadcast(tx, area.id, now, expanded_at=now)
        half = await _broadcast(tx, area.id, now)
        over = await _broadcast(tx, area.id, now, expanded_at=now, ended_at=now)
        for key, template, priority, state, hours in (
            ("b queued", "broadcast", BROADCAST, "queued", 9),
            ("b sending", "broadcast", BROADCAST, "sending", 9),
            ("b sent", "broadcast", BROADCAST, "sent", 9),
            ("c queued", "checkin", CHECKIN, "queued", 9),
            ("c sending", "checkin", CHECKIN, "sending", 9),
            ("c late", "checkin", CHECKIN, "queued", -9),
            ("r sending", "case_reply", URGENT, "sending", 9),
        ):
            written = await enqueue(
                tx,
                person_id=person,
                template=template,
                priority=priority,
                dedupe_key=key,
                broadcast_id=whole if template == "broadcast" else None,
                now=now - timedelta(days=1),
                expires_at=now + timedelta(hours=hours),
            )
            await tx.execute(
                Delivery.__table__.update()  # type: ignore[attr-defined]  # a table
                .where(Delivery.id == written)
                .values(
                    state=state,
                    lease_until=now if state == "sending" else None,
                    finished_at=now if state == "sent" else None,
                )
            )
        await tx.execute(insert(LanePace).values(bot_id=LANE, free_at=now))
        settled = await settle_restored(tx, now)
    assert (settled.unknown, settled.waiting, settled.broadcasts) == (2, 3, 1)
    assert await states(db) == {
        "b queued": ("unknown", SENT_SINCE),
        "b sending": ("unknown", SENT_SINCE),
        "b sent": ("sent", None),
        "c queued": ("queued", None),
        "c sending": ("queued", None),
        "c late": ("queued", None),
        "r sending": ("queued", None),
    }
    async with db.read() as tx:
        leased = select(func.count(Delivery.id)).where(Delivery.lease_until.is_not(None))
        assert await tx.scalar(leased) == 0
        assert await tx.scalar(select(func.count(LanePace.bot_id))) == 0
        found = await tx.execute(select(Broadcast.id, Broadcast.stop_reason, Broadcast.ended_at))
        ended = {row.id: (row.stop_reason, row.ended_at) for row in found}
        assert ended == {whole: (None, now), half: (STOPPED, now), over: (None, now)}


async def test_replies_of_then_are_not_said_now(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await make_person(tx, now, chat_id=7)
        await record_update(tx, bot_id=LANE, update_id=1, now=now)
        sealed = {"replies": b"sealed", "leased_until": now}
        await tx.execute(Intake.__table__.update().values(**sealed))  # type: ignore[attr-defined]  # a table
        await settle_restored(tx, now)
    async with db.read() as tx:
        assert await tx.scalar(select(func.count()).where(Intake.replies.is_not(None))) == 0


async def test_nobody_is_let_in_again(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        officer = await make_person(tx, now, area=area)
        duty = "INSERT INTO role (person_id, area_id, role, since) VALUES (:p, :a, 'liaison', :n)"
        at = now if tx.on_postgres else now.replace(tzinfo=None)
        await tx.execute(text(duty), {"p": officer, "a": area.id, "n": at})
        used = await open_session(tx, await make_login_link(tx, officer, now), now)
        link = await make_login_link(tx, officer, now)
        once = await _invite(tx, "officer", now, uses=1, area_id=area.id)
        device = await _invite(tx, "device", now, uses=1, person_id=officer)
        village = await _invite(tx, "worker", now, uses=None, area_id=area.id)
        settled = await settle_restored(tx, now)
    assert (settled.sessions, settled.links) == (1, 3)
    assert used.cookie is not None
    async with db.write() as tx:
        assert await find_session(tx, used.cookie, now) is None
        with pytest.raises(BadLogin):
            await open_session(tx, link, now)
        for token in (once, device):
            with pytest.raises(BadInvite):
                await check_invite(tx, token, now)
        assert (await check_invite(tx, village, now)).kind == "worker"


async def _invite(tx: Tx, kind: Any, now: datetime, **more: Any) -> str:
    return await make_invite(tx, kind=kind, expires_at=None, by=None, now=now, **more)


async def test_a_page_that_is_ahead_begins_anew(db: Database, now: datetime) -> None:
    """Its mark is of a time that has not been, and will be passed by another."""
    talks = Conversations(db, Memory(), Live(), bot_id=1, clock=lambda: now)
    async with db.write() as tx:
        await open_chat(tx, 5, now - timedelta(days=9))
        await add_message(tx, 5, {"text": "yesterday"}, now)
    before = await talks.news(5, Mark(-1, 0))
    assert before is not None
    async with db.write() as tx:
        await settle_restored(tx, now)
        said = await add_message(tx, 5, {"text": "today"}, now)
    assert said is not None
    assert said.message_id > 1000
    # One page was as far as the backup, one further.
    for mark in (before.mark, Mark(before.mark.life, before.mark.revision + 30)):
        news = await talks.news(5, mark)
        assert news is not None
        assert news.reset
        assert [bubble.body for bubble in news.bubbles] == [
            {"text": "yesterday"},
            {"text": "today"},
        ]
        assert await talks.news(5, news.mark) is None


@web_phone.needs_chromium
async def test_an_open_page_recovers(room: WebRoom, phone: Phone, now: datetime) -> None:
    page = await joined(room, phone)
    bot, chat = room.channel.bot, room.chat_id
    await bot.send_message(chat, "before the backup")
    await expect(page.get_by_text("before the backup")).to_be_visible()
    kept = await _conversation(room.db)
    await bot.send_message(chat, "after the backup")
    await expect(page.get_by_text("after the backup")).to_be_visible()
    async with room.db.write() as tx:
        for table, rows in kept.items():
            await tx.execute(delete(table))
            await tx.execute(insert(table), rows)
        await settle_restored(tx, now)
    await expect(page.get_by_text("after the backup")).to_have_count(0)
    await expect(page.get_by_text("before the backup")).to_be_visible()
    await bot.send_message(chat, "after the restore")
    await expect(page.get_by_text("after the restore")).to_be_visible()


async def _conversation(db: Database) -> dict[Any, list[dict[str, Any]]]:
    async with db.read() as tx:
        return {
            table: [dict(row) for row in (await tx.execute(select(table))).mappings()]
            for table in (WebChat.__table__, WebMessage.__table__)
        }


@contextmanager
def _small_steps() -> Iterator[None]:
    """So that a small database takes as many as a large one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backup, "_STEP", 1)
        yield


@asynccontextmanager
async def _writing(db: Database, now: datetime) -> AsyncIterator[list[int]]:
    """People join, each with an account and a status in the same transaction, without a pause."""
    joined_so_far: list[int] = []

    async def join() -> None:
        for number in itertools.count(1):
            async with db.write() as tx:
                person = await make_person(tx, now, chat_id=number)
                await tx.execute(
                    insert(StatusChange).values(person_id=person, status="away", at=now)
                )
            joined_so_far.append(person)

    task = asyncio.create_task(join())
    try:
        while not joined_so_far:  # noqa: ASYNC110  # the writer tells nobody
            await asyncio.sleep(0)
        yield joined_so_far
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_copy_of_one_moment(
    db: Database, now: datetime, tmp_path: Path, vault: Vault
) -> None:
    copy = tmp_path / "copy"
    copy.touch()
    async with _writing(db, now) as so_far:
        before = len(so_far)
        if db.on_sqlite:
            source = Path(db.url.database or "")
            with _small_steps():
                about = await asyncio.to_thread(copy_sqlite, source, copy, kinroom="0", now=now)
        else:
            about = await dump_postgres(
                db, copy, kinroom="0", now=now, environment=environment_for_tools()
            )
        during = len(so_far)
    # Nobody waited for it.
    assert during > before + 5
    assert check_backup(copy, about.engine, vault) == about
    people, odd = (about.rows - _FIXED) // 3, (about.rows - _FIXED) % 3
    assert odd == 0
    assert before <= people <= during + 1
    if db.on_sqlite:
        with closing(sqlite3.connect(copy)) as raw:
            assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
            for table in (Person, Account, StatusChange):
                counted = raw.execute(f"SELECT count(*) FROM {table.__tablename__}")
                assert counted.fetchone() == (people,)


_FIXED = 1  # the version

"""Leaving: officers' web chats no longer show who left, and lose nothing else."""

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from storage.database import Database, Tx
from storage.models import Delivery, Intake, Role, WebFile
from storage.people.enrolment import enrol
from storage.people.erasure import erase_person
from storage.people.traces import mentions
from storage.people.who import Who, load_who
from storage.talk.cases import open_case, reply_to_case
from storage.talk.conversation import (
    Body,
    add_file,
    add_message,
    changes_since,
    find_chat,
    messages_before,
    new_file,
    open_chat,
)
from storage.talk.intake import record_update
from tests.county import BOT, make_area, make_person


async def _say(tx: Tx, who: Who, now: datetime, text: str, **body: object) -> int:
    """A bubble in the officer's web chat; its id."""
    said: Body = {"text": text, **body} if text else dict(body)
    if await find_chat(tx, who.chat_id) is None:
        await open_chat(tx, who.chat_id, now)
    bubble = await add_message(tx, who.chat_id, said, now)
    assert bubble is not None
    return bubble.message_id


async def _hand_on(tx: Tx, who: Who, now: datetime, content: bytes, text: str = "") -> str:
    file = new_file(who.chat_id, "voice.ogg", "audio/ogg", content)
    entry = {"ref": file.ref, "name": file.name, "mime": file.mime, "size": len(content)}
    await _say(tx, who, now, text, kind="voice", file=entry)
    await add_file(tx, file, now)
    return file.ref


async def _shown(tx: Tx, who: Who) -> list[str]:
    """What the officer still reads; a file's name where there are no words."""
    bubbles = await messages_before(tx, who.chat_id, 10**6, 1000)
    return [
        bubble.body.get("text") or bubble.body["file"]["ref"] for bubble in bubbles if bubble.body
    ]


async def _files(tx: Tx) -> set[str]:
    return {row.ref for row in await tx.execute(select(WebFile.ref))}


async def test_officers_chats_forget_who_left(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        town = await make_area(tx, "town", now)
        elm = await make_area(tx, "elm", now, "town")
        oak = await make_area(tx, "oak", now, "town")
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        boss = await make_person(tx, "Boss", now, officer_of=town, role="supervisor")
        was = await make_person(tx, "Was", now, officer_of=elm)
        await tx.execute(update(Role).where(Role.person_id == was.person_id).values(until=now))
        other = await make_person(tx, "Oak", now, officer_of=oak)
        fang = await make_person(tx, "阿芳", now, area=elm, phone="+8613800000001")
        voice = b"OggS" + bytes(40)
        await _hand_on(tx, fang, now, voice)  # in her own chat
        case = await open_case(
            tx,
            who=fang,
            text="My pay is late again",
            media=None,
            file_id=None,
            urgent=False,
            kind="question",
            now=now,
        )
        await reply_to_case(tx, case_id=case.id, by=mei, text="ok", now=now)

        told = await _say(tx, mei, now, "Someone asks for help, without words yet.")
        await tx.execute(
            update(Delivery)
            .where(Delivery.case_id == case.id, Delivery.person_id == mei.person_id)
            .values(state="sent", account_id=mei.account_id, message_id=told)
        )
        for text in (
            "1. 阿芳 · today",
            "ok",  # her liaison's answer, as it was written
            "(2/2) My pay is late again\nReply to this message",
            "pay is late",  # a piece of it
            "Phone +8613800000001",
        ):
            await _say(tx, mei, now, text)
        buttons = [[{"text": "1. 阿芳", "data": "c:1"}], [{"text": "Menu", "data": "m"}]]
        await _say(tx, mei, now, "Not heard from:", inline=buttons)
        await _say(tx, mei, now, "On it", reply={"id": told, "text": "阿芳 from Elm asks:"})
        await _hand_on(tx, mei, now, b"heard beside her words")
        for text in ("Good morning, Mei", "ok, thanks", "阿香 · today"):
            await _say(tx, mei, now, text)
        await _hand_on(tx, mei, now, voice)  # the same, handed on again
        kept = await _hand_on(tx, mei, now, b"of another")
        await _hand_on(tx, mei, now, b"with words", "阿芳 sent a voice message.")
        for officer in (boss, was, other):
            await _say(tx, officer, now, "阿芳 · 2 days ago")
            await _say(tx, officer, now, "Good morning")
        assert len(await _files(tx)) == 5
        before = await find_chat(tx, mei.chat_id)
        assert before is not None

    async with db.write() as tx:
        await erase_person(tx, fang, now)

    async with db.read() as tx:
        assert await _shown(tx, mei) == ["Good morning, Mei", "ok, thanks", "阿香 · today", kept]
        assert await _shown(tx, boss) == ["Good morning"]
        assert await _shown(tx, was) == ["Good morning"]
        # Never in an area of hers: another person's name.
        assert await _shown(tx, other) == ["阿芳 · 2 days ago", "Good morning"]
        assert await _files(tx) == {kept}
        # A page that was open hears of each.
        changed = await changes_since(tx, mei.chat_id, before.revision, 100)
        assert [bubble.body for bubble in changed] == [None] * 11
        assert len({bubble.revision for bubble in changed}) == 11


async def test_more_than_one_batch_and_an_earlier_village(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        elm = await make_area(tx, "elm", now)
        oak = await make_area(tx, "oak", now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        fang = await make_person(tx, "Fang", now, area=elm)
        await enrol(tx, fang.person_id, oak.id, now)
        for number in range(1100):
            await _say(tx, mei, now, "Fang" if number % 2 else f"Fangs {number}")
        moved = await load_who(tx, BOT, fang.chat_id)
        assert moved is not None
        await erase_person(tx, moved, now)
        assert await _shown(tx, mei) == [f"Fangs {number}" for number in range(0, 1100, 2)]


async def test_replies_not_sent_yet_are_dropped(db: Database, now: datetime) -> None:
    def reply(who: Who, text: str) -> list[dict[str, object]]:
        return [{"method": "SendMessage", "fields": {"chat_id": who.chat_id, "text": text}}]

    async with db.write() as tx:
        elm = await make_area(tx, "elm", now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        fang = await make_person(tx, "Fang", now, area=elm)
        lan = await make_person(tx, "Lan", now, area=elm)
        for number, replies in enumerate(
            (
                reply(fang, "Got it."),
                reply(mei, "Fang: how to reach them"),
                reply(mei, "Nobody waits."),
                reply(lan, "Passed on to Fang"),  # another of that name
            ),
            1,
        ):
            await record_update(tx, bot_id=BOT, update_id=number, now=now, replies=replies)
        await erase_person(tx, fang, now + timedelta(seconds=1))
        left = await tx.execute(
            select(Intake.update_id).where(Intake.replies.is_not(None)).order_by(Intake.update_id)
        )
        assert [row.update_id for row in left] == [3, 4]
        assert await tx.scalar(select(func.count()).select_from(Intake)) == 4


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("Answer An now", "An", True),
        ("Answer now", "An", False),
        ("an, and", "An", True),
        ("村里的An问", "An", True),
        ("南对河村的小芳问：", "小芳", True),
        ("小方", "小芳", False),
        ("Anna, An", "An", True),
        ("Dr. Li-Wei", "li", True),
    ],
)
def test_a_name_is_a_word(text: str, name: str, found: bool) -> None:
    assert mentions(text, name) is found
    assert mentions(json.dumps({"text": text}, ensure_ascii=False), name) is found

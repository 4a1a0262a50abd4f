"""My data: the copy holds all there is, and no table is forgotten when people ask or leave."""

import ast
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import update

import storage.people.erasure
import storage.people.held
import storage.people.mydata
from storage.database import Database
from storage.family.links import invite_relative
from storage.models import Base, Delivery
from storage.people.enrolment import (
    DUTY,
    Address,
    enrol,
    give_consent,
    record_consent,
    take_role,
)
from storage.people.held import held_about
from storage.people.looks import record_look
from storage.people.mydata import export_person
from storage.people.who import load_who
from storage.talk.cases import open_case, reply_to_case
from tests.county import BOT, make_area, make_person
from tests.liaison_chat import Phone, Room

POINTING = {
    "person_id",
    "by_person_id",
    "author_id",
    "created_by",
    "worker_id",
    "relative_id",
}
ELSEWHERE = {
    ("Contact", "by_person_id"): "an officer's act in someone else's record",
    ("Rollcall", "by_person_id"): "an officer's act: who asked everyone; a number once they left",
    ("Broadcast", "by_person_id"): "an officer's act: who sent it; a number once they left",
    (
        "RuleVersion",
        "by_person_id",
    ): "an officer's act: who changed it; a number once they left",
    ("Invite", "created_by"): "an officer's act: who let others in; a number once they left",
}


async def test_the_copy_is_whole(db: Database, now: datetime) -> None:
    later = now + timedelta(hours=1)
    async with db.write() as tx:
        elm = await make_area(tx, "elm", now)
        oak = await make_area(tx, "oak", now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        fang = await make_person(tx, "Fang", now, area=oak, phone="+8613800000001")
        await enrol(tx, fang.person_id, elm.id, now)
        await take_role(tx, fang.person_id, oak.id, "liaison", now)
        moved = await load_who(tx, BOT, fang.chat_id)
        assert moved is not None
        opened = await open_case(
            tx,
            who=moved,
            text="My pay is late",
            media=None,
            file_id=None,
            urgent=False,
            kind="question",
            now=now,
        )
        await reply_to_case(tx, case_id=opened.id, by=mei, text="On it", now=now)
        await tx.execute(
            update(Delivery)
            .where(Delivery.person_id == fang.person_id)
            .values(state="sent", finished_at=later)
        )
        await record_look(tx, mei.person_id, now, what="person", person_id=fang.person_id)
        await record_look(tx, mei.person_id, later, what="silent", area_id=elm.id)
        record = await export_person(tx, fang.person_id)
    assert record["person"]["phone"] == "+8613800000001"
    since, at, soon = _joined(now), now.isoformat(), later.isoformat()
    assert record["villages"] == [
        {"village": "Oak", "since": since, "until": at, "ended_as": "moved"},
        {"village": "Elm", "since": at, "until": None, "ended_as": None},
    ]
    assert record["roles"] == [{"role": "liaison", "area": "Oak", "since": at, "until": None}]
    assert record["messages"] == [
        {"template": "case_reply", "state": "sent", "created_at": at, "finished_at": soon}
    ]
    assert record["looks"] == [
        {"what": "silent", "at": soon, "by": "Mei"},
        {"what": "person", "at": at, "by": "Mei"},
    ]


async def test_the_day_they_agreed_is_the_day_they_joined(db: Database, now: datetime) -> None:
    """Inviting a relative, or taking a duty, is agreed to apart, and moves it no more."""
    async with db.write() as tx:
        elm = await make_area(tx, "elm", now)
        fang = await make_person(tx, "Fang", now, area=elm)
        assert await invite_relative(tx, fang, now)
        await record_consent(tx, fang.person_id, purpose=DUTY, given=True, channel="web", now=now)
        held = await held_about(tx, fang.person_id)
        assert held.consented_at == now - timedelta(days=60)
        address = Address("web", BOT, 999)
        mei = await give_consent(tx, address, language="en", now=now, purpose=DUTY)
        assert (await held_about(tx, mei)).consented_at == now


async def test_an_officer_who_is_no_worker_sees_the_duty(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        elm = await make_area(tx, "elm", now)
        oak = await make_area(tx, "oak", now)
        mei = await make_person(tx, "Mei", now, officer_of=elm)
        await take_role(tx, mei.person_id, oak.id, "supervisor", now)
        fang = await make_person(tx, "Fang", now, area=oak, officer_of=elm)
    room = Room(db, now)
    said = await Phone(room, mei).write("my data")
    assert "Name: Mei\nYour duty: liaison for Elm\nYour duty: supervisor of Oak\nLanguage" in said
    assert "Village" not in said
    assert "Right now" not in said
    said = await Phone(room, fang).write("my data")
    assert "Your duty: liaison for Elm\nVillage: Oak\nWhere you are: Dongguan" in said
    assert "Right now: working away" in said


def _joined(now: datetime) -> str:
    """When :func:`tests.county.make_person` lets people join."""
    return (now - timedelta(days=60)).isoformat()


def _pointing() -> Iterator[tuple[str, str]]:
    """Every column that leads to a person, by the name of its table's class."""
    for mapper in Base.registry.mappers:
        for column in mapper.columns:
            if column.name in POINTING:
                yield mapper.class_.__name__, column.name


def named_in(source: str) -> set[tuple[str, str]]:
    """What a module's source names as ``Class.column``."""
    return {
        (node.value.id, node.attr)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def test_every_table_about_people_is_copied_or_erased() -> None:
    named: set[tuple[str, str]] = set()
    for module in (storage.people.held, storage.people.mydata, storage.people.erasure):
        assert module.__file__ is not None
        named |= named_in(Path(module.__file__).read_text(encoding="utf-8"))
    pointing = set(_pointing())
    assert len(pointing) > len(ELSEWHERE)
    assert pointing - named == set(ELSEWHERE)

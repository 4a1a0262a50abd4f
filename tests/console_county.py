"""A county with twelve weeks behind it, for the console's tests and its pictures."""

import random
from datetime import datetime, timedelta
from typing import Any

from storage.database import Database, Tx
from storage.models import (
    Account,
    Checkin,
    Consent,
    Contact,
    Enrolment,
    Person,
    Role,
    StatusChange,
)
from storage.people.areas import AreaInfo, add_area
from storage.register.periods import weeks_back
from storage.vault import new_ref

FAMILIES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林"
GIVEN = ["芳", "伟", "小军", "秀英", "丽华", "建国", "大明", "春燕", "志强", "玉兰", "海涛", "文静"]


class County:
    """The areas and people made; ``workers`` by village code, ids in the order made."""

    def __init__(self) -> None:
        self.areas: dict[str, AreaInfo] = {}
        self.workers: dict[str, list[int]] = {}
        self.liaison = 0
        self.supervisor = 0
        self.stranger = 0


async def make_county(db: Database, now: datetime, *, workers: int = 14) -> County:
    """``nan`` over ``he`` (``east``, ``west``), and ``bei`` (``hill``), the stranger's own."""
    county = County()
    async with db.write() as tx:
        for code, name, parent in (
            ("nan", "南度县", None),
            ("he", "河口镇", "nan"),
            ("east", "东岸村", "he"),
            ("west", "西岭村", "he"),
            ("bei", "北坡镇", "nan"),
            ("hill", "山背村", "bei"),
        ):
            county.areas[code] = await add_area(
                tx,
                code=code,
                name=name,
                parent=parent,
                timezone="Asia/Shanghai" if parent is None else None,
                language="zh" if parent is None else None,
                now=now - timedelta(days=200),
            )
        dice = random.Random(7)
        for village in ("east", "west"):
            county.workers[village] = [
                await add_worker(tx, county.areas[village], _name(dice), now)
                for _ in range(workers)
            ]
        east = county.areas["east"]
        await add_worker(tx, east, "罗春燕", now, status="home")
        await add_worker(tx, east, "罗志强", now, status="paused")
        await add_worker(tx, east, "梁小军", now, days=0)
        county.liaison = await add_officer(tx, county.areas["he"], "周小梅", "liaison", now)
        county.supervisor = await add_officer(tx, county.areas["nan"], "何主任", "supervisor", now)
        county.stranger = await add_officer(tx, county.areas["bei"], "马大姐", "liaison", now)
        await _live_through(tx, county, now, dice)
    return county


def _name(dice: random.Random) -> str:
    return dice.choice(FAMILIES) + dice.choice(GIVEN)


async def add_worker(
    tx: Tx, area: AreaInfo, name: str, now: datetime, *, days: int = 150, **also: Any
) -> int:
    ref = new_ref()
    joined = now - timedelta(days=days)
    person_id: int = await tx.scalar(
        tx.insert(Person)
        .values(
            ref=ref,
            name=tx.vault.seal("person.name", ref, name),
            area_id=area.id,
            consented=True,
            enrolled_at=joined,
            created_at=joined,
            **also,
        )
        .returning(Person.id)
    )
    await tx.execute(
        tx.insert(Enrolment).values(person_id=person_id, area_id=area.id, since=joined)
    )
    await tx.execute(
        tx.insert(Consent).values(
            person_id=person_id,
            purpose="contact",
            wording="1",
            given=True,
            channel="web",
            at=joined,
        )
    )
    await tx.execute(
        tx.insert(StatusChange).values(
            person_id=person_id, status=also.get("status", "away"), at=joined
        )
    )
    await tx.execute(
        tx.insert(Account).values(
            person_id=person_id,
            channel="web",
            bot_id=1,
            chat_id=person_id,
            state_at=joined,
            created_at=joined,
        )
    )
    return person_id


async def add_officer(tx: Tx, area: AreaInfo, name: str, role: str, now: datetime) -> int:
    ref = new_ref()
    person_id: int = await tx.scalar(
        tx.insert(Person)
        .values(
            ref=ref,
            name=tx.vault.seal("person.name", ref, name),
            is_officer=True,
            created_at=now,
        )
        .returning(Person.id)
    )
    await tx.execute(
        tx.insert(Role).values(person_id=person_id, area_id=area.id, role=role, since=now)
    )
    return person_id


async def add_contact(
    tx: Tx, person_id: int, area: AreaInfo, at: datetime, standing: str, *, by: int | None = None
) -> None:
    """A contact that gives this standing."""
    evidence, kind, outcome, success = {
        "heard": ("self", "checkin", "ok", True),
        "vouched": ("relative", "vouch", "ok", True),
        "reached": ("liaison", "call", "reached", True),
        "tried": ("liaison", "call", "not_reached", False),
    }[standing]
    await tx.execute(
        tx.insert(Contact).values(
            person_id=person_id,
            area_id=area.id,
            at=at,
            evidence=evidence,
            kind=kind,
            outcome=outcome,
            success=success,
            by_person_id=by,
        )
    )


async def _live_through(tx: Tx, county: County, now: datetime, dice: random.Random) -> None:
    weeks = weeks_back(now, "Asia/Shanghai", 12)
    for village, people in county.workers.items():
        area = county.areas[village]
        for number, person_id in enumerate(people):
            faith = dice.uniform(0.15, 0.95)
            for week in weeks:
                at = min(week.start + timedelta(days=6, hours=2), now - timedelta(minutes=1))
                answered = dice.random() < faith and number > 1
                await _check_in(tx, person_id, area, week.key, at, answered=answered, now=now)
                if answered:
                    await add_contact(tx, person_id, area, at, "heard")
                elif number > 1 and dice.random() < 0.5:
                    standing = dice.choice(["vouched", "reached", "reached", "tried"])
                    await add_contact(tx, person_id, area, at, standing, by=county.liaison)


async def _check_in(
    tx: Tx,
    person_id: int,
    area: AreaInfo,
    slot: str,
    at: datetime,
    *,
    answered: bool,
    now: datetime,
) -> None:
    await tx.execute(
        tx.insert(Checkin).values(
            person_id=person_id,
            area_id=area.id,
            slot=slot,
            due_at=at,
            window_until=at + timedelta(hours=48),
            delivered_at=at,
            answered_at=at + timedelta(seconds=30) if answered and at < now else None,
            answer="ok" if answered else None,
        )
    )

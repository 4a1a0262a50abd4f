"""The console's roll calls: how one stands, who it is, and its end."""

import re
from datetime import datetime, timedelta

from sqlalchemy import select, update

from storage.database import Database
from storage.models import Checkin, Contact, Delivery, Look, Person, Rollcall
from storage.rhythm.rollcall_figures import count_rollcall
from storage.rhythm.rollcalls import plan_rollcall
from tests import console_visit
from tests.console_county import County
from tests.console_visit import Client, Enter, post, text_of

clock, county, live = console_visit.clock, console_visit.county, console_visit.live
client, enter = console_visit.client, console_visit.enter


async def _begin(db: Database, county: County, now: datetime, code: str) -> int:
    async with db.write() as tx:
        planned = await plan_rollcall(
            tx, area=county.areas[code], text="地震 <b>", by=county.liaison, now=now
        )
        await tx.execute(
            update(Checkin).where(Checkin.rollcall_id == planned.id).values(delivered_at=now)
        )
        await tx.execute(update(Delivery).values(state="sent", finished_at=now))
        rows = (
            await tx.execute(
                select(Checkin.person_id, Checkin.area_id)
                .where(Checkin.rollcall_id == planned.id)
                .order_by(Checkin.person_id)
            )
        ).all()
        assert len(rows) > 2
        for row, (kind, outcome) in zip(
            rows, (("checkin", "help"), ("message", "text")), strict=False
        ):
            await tx.execute(
                tx.insert(Contact).values(
                    person_id=row.person_id,
                    area_id=row.area_id,
                    at=now,
                    evidence="self",
                    kind=kind,
                    outcome=outcome,
                    success=True,
                )
            )
    return planned.id


def _tally(page: str) -> str:
    """What the list says of the first roll call."""
    found = re.search(r'<p class="tally">(.*?)</p>', page, re.DOTALL)
    assert found is not None
    return found[1]


async def test_how_it_stands_and_who_it_is(
    client: Client, db: Database, county: County, now: datetime, enter: Enter
) -> None:
    call = await _begin(db, county, now, "he")
    await enter(county.supervisor)
    async with db.write() as tx:
        silent = await tx.scalar(
            select(Checkin.person_id)
            .where(Checkin.rollcall_id == call)
            .order_by(Checkin.person_id.desc())
            .limit(1)
        )
        ref = await tx.scalar(select(Person.ref).where(Person.id == silent))
        await tx.execute(
            update(Person)
            .where(Person.id == silent)
            .values(phone=tx.vault.seal("person.phone", ref, "+8613800000001"))
        )
    listed = await text_of(client, "/console/rollcalls?area=nan")
    assert f"/console/rollcalls/{call}" in listed
    # The list and the page say the same, and each comes to all who were asked.
    async with db.read() as tx:
        figures = await count_rollcall(tx, call)
    assert figures.heard == 1
    tally = [line.split()[-1] for line in re.findall(r"</span> (.+?)</span>", _tally(listed))]
    assert sum(map(int, tally)) == figures.asked
    assert f"word of them in another way {figures.heard}<" in listed
    counted = re.findall(
        r'data-key="count-\w+">(\d+)<', page := await text_of(client, f"/console/rollcalls/{call}")
    )
    assert sum(map(int, counted)) == figures.asked
    assert "地震 <b>" in page  # unescaped by text_of
    assert 'data-key="count-help">1<' in page
    assert "+8613800000001" not in page
    named = await text_of(client, f"/console/rollcalls/{call}?show=silent")
    assert "+8613800000001" in named
    assert f"/console/person/{ref}" in named
    async with db.read() as tx:
        looks = (await tx.execute(select(Look.area_id).where(Look.what == "rollcall"))).all()
    assert [row.area_id for row in looks] == [county.areas["he"].id]
    for bad in ("show=left", "show=x", "page=x"):
        answer = await client.get(f"/console/rollcalls/{call}?{bad}")
        assert answer.status in (200, 404)
    assert (await client.get("/console/rollcalls/999999")).status == 404


async def test_only_ones_own_part_and_its_end(
    client: Client, db: Database, county: County, now: datetime, enter: Enter
) -> None:
    call = await _begin(db, county, now, "nan")
    token = await enter(county.liaison)
    page = await text_of(client, f"/console/rollcalls/{call}")
    assert "Of those you look after." in page
    assert "End this roll call" not in page
    answer = await post(client, f"/console/rollcalls/{call}/end", {"csrf": token})
    assert answer.status == 404
    await enter(county.stranger)
    assert (await client.get(f"/console/rollcalls/{call}")).status in (200, 404)
    token = await enter(county.supervisor)
    answer = await post(client, f"/console/rollcalls/{call}/end", {"csrf": token})
    assert answer.status == 303
    async with db.read() as tx:
        ended = await tx.scalar(select(Rollcall.ended_at).where(Rollcall.id == call))
    assert ended == now
    answer = await post(client, f"/console/rollcalls/{call}/end", {"csrf": token})
    assert answer.headers["Location"].endswith("late=1")
    assert "Over since" in await text_of(client, f"/console/rollcalls/{call}")


async def test_a_page_hears_that_it_changed(
    client: Client, db: Database, county: County, now: datetime, enter: Enter
) -> None:
    call = await _begin(db, county, now, "east")
    await enter(county.liaison)
    async with client.get(f"/console/rollcalls/{call}/live") as stream:
        assert stream.status == 200
        seen = b""
        while b"event: version" not in seen:
            seen += await stream.content.readany()
        async with db.write() as tx:
            await tx.execute(
                update(Checkin)
                .where(Checkin.rollcall_id == call)
                .values(answered_at=now + timedelta(minutes=1), answer="ok")
            )
        seen = b""
        while b"event: version" not in seen:
            seen += await stream.content.readany()

"""The console's notices: what was sent, how far it is, who got it, and the stop."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from handlers.console import broadcasts as pages
from storage.database import Database
from storage.models import Delivery, Look, Person
from storage.outbox.broadcasts import access_broadcast, plan_broadcast
from storage.outbox.burden import USED_UP
from tests import console_visit
from tests.console_county import County
from tests.console_visit import Client, Clock, Enter, post, text_of

clock, county, live = console_visit.clock, console_visit.county, console_visit.live
client, enter = console_visit.client, console_visit.enter


async def _send(
    db: Database, county: County, now: datetime, code: str = "east", text: str = "体检\n周六"
) -> int:
    async with db.write() as tx:
        planned = await plan_broadcast(
            tx, area=county.areas[code], text=text, language=None, by=county.liaison, now=now
        )
    return planned.id


async def _end(
    db: Database, now: datetime, broadcast_id: int, *ends: tuple[str, str | None]
) -> None:
    """The first messages of it end so, one each."""
    async with db.write() as tx:
        ids = await tx.execute(
            select(Delivery.id).where(Delivery.broadcast_id == broadcast_id).order_by(Delivery.id)
        )
        for delivery_id, (state, reason) in zip(ids.scalars().all(), ends, strict=False):
            await tx.execute(
                update(Delivery)
                .where(Delivery.id == delivery_id)
                .values(state=state, reason=reason, finished_at=now)
            )


async def test_the_notices_of_an_area_newest_first(
    client: Client, db: Database, county: County, now: datetime, enter: Enter
) -> None:
    for day in range(11):
        await _send(db, county, now + timedelta(days=day), text=f"Notice {day}!")
    await _send(db, county, now, "hill", text="Of the hill")
    await enter(county.liaison)
    page = await text_of(client, "/console/notices?area=east")
    assert page.index("Notice 10!") < page.index("Notice 1!")
    assert "Notice 0!" not in page
    assert "周小梅" in page
    assert "0 of 7 have it" in page
    assert "7 wait" in page
    assert "Of the hill" not in await text_of(client, "/console/notices?area=he&page=2")
    assert "Notice 0!" in await text_of(client, "/console/notices?area=east&page=2")
    assert "no older notices" in await text_of(client, "/console/notices?area=east&page=3")
    assert "No notice was sent here yet" in await text_of(client, "/console/notices?area=west")
    await text_of(client, "/console/notices?area=hill", 404)
    await text_of(client, "/console/notices?area=east&page=0", 404)
    assert "/console/notices?area=east" in await text_of(client, "/console/?area=east")


async def test_who_got_it_and_who_did_not_and_why(
    client: Client, db: Database, county: County, now: datetime, enter: Enter
) -> None:
    sent = await _send(db, county, now)
    ends = [
        ("sent", None),
        ("failed", "blocked"),
        ("expired", "waits for its channel"),
        ("unknown", "no answer from the channel"),
        ("failed", "refused: the moon"),
        ("failed", "of a kind nobody knows"),
    ]
    await _end(db, now, sent, *ends)
    await enter(county.liaison)
    page = await text_of(client, f"/console/notices/{sent}")
    assert "体检\n周六" in page
    assert "names is written down" not in page
    async with db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(Look)) == 0
    for outcome, words in (
        ("sent", ""),
        ("failed", "blocked the chat"),
        ("failed", "the channel refused it (the moon)"),
        ("failed", "of a kind nobody knows"),
        ("expired", "waits for its channel, which is not running"),
        ("unknown", "the channel did not say whether it arrived"),
        ("waiting", "Still to go"),
        ("cancelled", "Nobody any more"),
    ):
        assert words in await text_of(client, f"/console/notices/{sent}?show={outcome}"), outcome
    async with db.read() as tx:
        looks = (await tx.execute(select(Look.what, Look.area_id))).all()
    assert [tuple(look) for look in looks] == [("broadcast", county.areas["east"].id)]
    async with db.write() as tx:  # who has left is counted, and has no name
        await tx.execute(
            update(Person)
            .where(Person.id == county.workers["east"][0])
            .values(name=None, area_id=None, erased_at=now)
        )
    gone = await text_of(client, f"/console/notices/{sent}?show=sent")
    assert "someone who has left" in gone
    await text_of(client, f"/console/notices/{sent}?show=everyone", 404)


async def test_who_waits_is_told_why(
    client: Client, db: Database, county: County, now: datetime, enter: Enter
) -> None:
    sent = await _send(db, county, now)
    await enter(county.liaison)
    assert "Why people wait" not in await text_of(client, f"/console/notices/{sent}")
    async with db.write() as tx:
        await tx.execute(
            update(Delivery).where(Delivery.broadcast_id == sent).values(reason=USED_UP)
        )
        await tx.execute(
            update(Delivery)
            .where(Delivery.person_id == county.workers["east"][0])
            .values(reason="quiet hours")
        )
    page = await text_of(client, f"/console/notices/{sent}")
    first = page.index("enough has reached them this week; it comes with the next message, or")
    assert "later: 6" in page[first:]
    assert first < page.index("it is night there, or an hour they keep quiet, so it waits: 1")


async def test_another_areas_notice_is_not_there(
    client: Client, db: Database, county: County, now: datetime, enter: Enter
) -> None:
    sent = await _send(db, county, now)
    csrf = await enter(county.stranger)
    for path in (f"/console/notices/{sent}", f"/console/notices/{sent}/live"):
        await text_of(client, path, 404)
    answer = await post(client, f"/console/notices/{sent}/stop", {"csrf": csrf})
    assert answer.status == 404
    for path in ("/console/notices/999", "/console/notices/x", f"/console/notices/{'9' * 30}"):
        await text_of(client, path, 404)
    async with db.read() as tx:
        queued = await tx.scalar(select(func.count()).where(Delivery.state == "queued"))
    assert queued == 7


async def test_the_stop_is_a_form_with_its_token(
    client: Client, db: Database, county: County, now: datetime, enter: Enter
) -> None:
    sent = await _send(db, county, now)
    await _end(db, now, sent, ("sent", None))
    csrf = await enter(county.supervisor)
    where = f"/console/notices/{sent}"
    assert "Stop this notice" in await text_of(client, where)
    assert (await post(client, f"{where}/stop", {"csrf": "no"})).status == 403
    assert (
        await post(client, f"{where}/stop", {"csrf": csrf}, "https://evil.example")
    ).status == 403
    answer = await post(client, f"{where}/stop", {"csrf": csrf})
    assert (answer.status, answer.headers["Location"]) == (303, where)
    page = await text_of(client, where)
    assert "stopped" in page
    assert "by 何主任" in page
    assert "Stop this notice" not in page
    assert "the notice was stopped before it reached them" in await text_of(
        client, f"{where}?show=cancelled"
    )
    again = await post(client, f"{where}/stop", {"csrf": csrf})
    assert again.headers["Location"] == f"{where}?late=1"
    assert "It was stopped before, or is over." in await text_of(client, f"{where}?late=1")


async def test_nobody_to_send_it_to(
    client: Client, db: Database, county: County, now: datetime, enter: Enter
) -> None:
    sent = await _send(db, county, now, "bei")
    await enter(county.supervisor)
    assert "There was nobody to send it to." in await text_of(client, f"/console/notices/{sent}")
    assert "There was nobody to send it to." in await text_of(client, "/console/notices?area=bei")


async def test_an_open_page_hears_that_it_went_on(
    client: Client,
    db: Database,
    county: County,
    now: datetime,
    enter: Enter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("handlers.console.stream.NOTICE_EVERY", 0.1)
    sent = await _send(db, county, now)
    await enter(county.liaison)
    answer = await client.get(f"/console/notices/{sent}/live")
    versions: list[str] = []
    while len(versions) < 2:
        line = (await answer.content.readline()).decode()
        if line.startswith("data: "):
            versions.append(line)
            await _end(db, now, sent, ("sent", None))
    assert versions[0] != versions[1]
    answer.close()
    page = await text_of(client, f"/console/notices/{sent}?fragment=1")
    assert versions[1].removeprefix("data: ").strip() in page


async def test_a_large_one_is_looked_at_again_by_time(
    db: Database, county: County, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "COUNTED_UP_TO", 1)
    number = await _send(db, county, now)
    async with db.read() as tx:
        sent = await access_broadcast(tx, county.liaison, number)
        assert sent is not None
        told = [await pages.read_version(tx, sent, at) for at in (60.0, 61.0, 91.0)]
    assert told[0] == told[1] != told[2]


async def test_who_is_asked_too_much_is_on_a_page_of_its_own(
    db: Database, client: Client, county: County, clock: Clock, enter: Enter
) -> None:
    await enter(county.liaison)
    empty = await text_of(client, "/console/overasked?area=east")
    assert "Nobody is asked too much" in empty
    async with db.write() as tx:
        for number in range(4):
            await plan_broadcast(
                tx,
                area=county.areas["east"],
                text=str(number),
                language=None,
                by=None,
                now=clock(),
            )
        await tx.execute(update(Delivery).values(reason=USED_UP))
    page = await text_of(client, "/console/overasked?area=east")
    assert "4 messages wait" in page
    assert "3 a week allowed" in page
    assert (await client.get("/console/overasked?area=hill")).status == 404
    async with db.read() as tx:
        assert await tx.scalar(select(func.count()).where(Look.what == "overasked")) == 1

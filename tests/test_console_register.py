"""The console's register: who may see which area and which person, and what is shown of them."""

import re
from datetime import datetime, timedelta
from html import unescape

from sqlalchemy import select, update

from storage.database import Database
from storage.models import Kin, Look, Person
from storage.people.looks import looks_at
from storage.people.who import person_name
from storage.register.figures import compute_register
from storage.register.periods import week_of
from tests import console_visit
from tests.console_county import County, add_contact
from tests.console_visit import Client, Clock, SignIn, text_of

clock, county, live = console_visit.clock, console_visit.county, console_visit.live
client, sign_in = console_visit.client, console_visit.sign_in


class TestAccess:
    async def test_an_area_outside_the_duties_is_not_there(
        self, client: Client, county: County, sign_in: SignIn
    ) -> None:
        await sign_in(county.stranger)
        assert "北坡镇" in await text_of(client, "/console/")
        for code in ("he", "east", "nan", "none", "", "%00", "x" * 500):
            page = await text_of(client, f"/console/?area={code}", 404)
            assert "There is nothing here" in page
        answer = await client.get("/console/live", params={"area": "he"})
        assert answer.status == 404

    async def test_a_worker_of_another_area_is_not_there(
        self,
        client: Client,
        db: Database,
        county: County,
        sign_in: SignIn,
    ) -> None:
        async with db.read() as tx:
            ref = await tx.scalar(select(Person.ref).where(Person.id == county.workers["east"][0]))
        await sign_in(county.stranger)
        await text_of(client, f"/console/person/{ref}", 404)
        async with db.read() as tx:
            assert await tx.scalar(select(Look.id).where(Look.what == "person")) is None
        await sign_in(county.liaison)
        await text_of(client, f"/console/person/{ref}")

    async def test_a_larger_duty_has_every_area_below(
        self, client: Client, county: County, sign_in: SignIn
    ) -> None:
        await sign_in(county.supervisor)
        page = await text_of(client, "/console/")
        for area in county.areas.values():
            assert f"area={area.code}" in page
            await text_of(client, f"/console/?area={area.code}")


class TestTheRegister:
    async def test_it_shows_what_the_register_computes(
        self,
        client: Client,
        db: Database,
        county: County,
        now: datetime,
        sign_in: SignIn,
    ) -> None:
        await sign_in(county.liaison)
        page = await text_of(client, "/console/?area=he")
        async with db.read() as tx:
            area = county.areas["he"]
            register = await compute_register(tx, area, week_of(now, area.timezone), now)
        figures = {
            **register.as_json()["standing"],
            **register.as_json()["silence"],
            **register.as_json()["checkins"],
            **register.as_json()["excluded"],
        }
        assert {reason for reason, count in register.excluded.items() if count} == {
            "home",
            "paused",
            "too new",
        }
        opened = 0
        for figure, count in figures.items():
            shown = re.search(rf'data-key="count-{figure}">(\d+)<', page)
            assert count == (0 if shown is None else int(shown[1])), figure
            if not count:
                continue
            opened += 1
            assert f"show={figure.replace(' ', '+')}#names" in page
            names = await text_of(client, f"/console/?area=he&show={figure}")
            listed = names.split('<ul class="people">')[1].split("</ul>")[0]
            assert listed.count("<li>") == count, figure
        assert opened > 6

    async def test_periods(self, client: Client, county: County, sign_in: SignIn) -> None:
        await sign_in(county.liaison)
        assert "period=2026-W46" in await text_of(client, "/console/")
        assert "2026年10月" in await text_of(client, "/console/?period=2026-10")
        assert "period=2026-W47" in await text_of(client, "/console/?period=2026-W46")
        assert "Closed" in await text_of(client, "/console/?period=2026-W40")
        assert "Nobody is expected" in await text_of(client, "/console/?period=1970-W02")
        for wrong in ("2026-W48", "2027-01", "2026-W54", "2026-13", "x", "", "9999-W01"):
            await text_of(client, f"/console/?period={wrong}", 404)
        for wrong in ("show=rich", "page=0", "page=x", "page=²", "page=1234567"):
            await text_of(client, f"/console/?{wrong}", 404)
        await text_of(client, "/console/?page=99")

    async def test_every_look_is_written_down_once(
        self,
        client: Client,
        db: Database,
        county: County,
        clock: Clock,
        sign_in: SignIn,
    ) -> None:
        worker = county.workers["east"][0]
        await sign_in(county.liaison)
        for _ in range(3):
            await text_of(client, "/console/?area=he&fragment=1")
        async with db.read() as tx:
            ref = await tx.scalar(select(Person.ref).where(Person.id == worker))
        await text_of(client, f"/console/person/{ref}")
        clock.now += timedelta(minutes=11)
        await text_of(client, "/console/?area=he")
        async with db.read() as tx:
            looks = await looks_at(tx, worker)
        assert [look.what for look in looks] == ["register", "person", "register"]
        assert {look.by_name for look in looks} == {"周小梅"}

    async def test_a_list_of_another_village_is_no_look_at_me(
        self,
        client: Client,
        db: Database,
        county: County,
        sign_in: SignIn,
    ) -> None:
        await sign_in(county.liaison)
        await text_of(client, "/console/?area=west")
        async with db.read() as tx:
            assert await looks_at(tx, county.workers["east"][0]) == []
            assert len(await looks_at(tx, county.workers["west"][0])) == 1

    async def test_a_name_cannot_break_the_page(
        self,
        client: Client,
        db: Database,
        county: County,
        sign_in: SignIn,
    ) -> None:
        name = "<script>alert(1)</script>\"'&"
        async with db.write() as tx:
            worker = county.workers["east"][0]
            ref = await tx.scalar(select(Person.ref).where(Person.id == worker))
            await tx.execute(
                update(Person)
                .where(Person.id == worker)
                .values(name=tx.vault.seal("person.name", ref, name))
            )
        await sign_in(county.liaison)
        for path in ("/console/?show=expected", f"/console/person/{ref}"):
            answer = await client.get(path)
            raw = await answer.text()
            assert "<script>alert" not in raw
            assert name in unescape(raw)

    async def test_a_person_opens_to_the_contacts_behind_the_name(
        self,
        client: Client,
        db: Database,
        county: County,
        now: datetime,
        sign_in: SignIn,
    ) -> None:
        async with db.write() as tx:
            worker = county.workers["east"][0]
            ref = await tx.scalar(select(Person.ref).where(Person.id == worker))
            await add_contact(tx, worker, county.areas["east"], now, "tried", by=county.liaison)
            # Someone of the family agreed to be asked; who looks is on their record, too.
            relative = county.workers["west"][0]
            kin = {"worker_id": worker, "relative_id": relative, "agreed_at": now}
            await tx.execute(tx.insert(Kin).values(accepted_at=now, **kin))
            mother = await person_name(tx, relative)
        await sign_in(county.supervisor)
        page = await text_of(client, f"/console/person/{ref}")
        assert f"Family who agreed to be asked: {mother}" in page
        async with db.read() as tx:
            looks = await looks_at(tx, relative)
        assert "family" in {look.what for look in looks}
        assert "a call, not reached" in page
        assert "周小梅" in page
        assert "Tried, not reached" in page
        assert "delivered, no answer yet" in page

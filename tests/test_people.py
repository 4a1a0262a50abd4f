"""Who is speaking, and who is spoken to."""

from datetime import datetime, timedelta

from storage.database import Database
from storage.outbox.messages import enqueue
from storage.people.enrolment import take_role
from storage.people.who import load_who
from tests.outbox_people import LANE, claim_all, make_area, make_person

HOUR = timedelta(hours=1)


async def test_an_officer_lives_where_their_first_duty_is(db: Database, now: datetime) -> None:
    far = await make_area(db, now, "far", timezone="Europe/Madrid", language="en")
    near = await make_area(db, now, "near")
    async with db.write() as tx:
        officer = await make_person(tx, now, chat_id=7, is_officer=True)
        for area in (far, near):
            await take_role(tx, officer, area.id, "liaison", now)
        await enqueue(
            tx, person_id=officer, template="case_new", priority=1, dedupe_key="n", now=now,
            expires_at=now + HOUR,
        )  # fmt: skip
    async with db.write() as tx:
        who = await load_who(tx, LANE, 7)
        (claimed,) = await claim_all(tx, now)
    assert who is not None
    for told in (who, claimed):
        assert (told.timezone, told.language) == ("Europe/Madrid", "en")

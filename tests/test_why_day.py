"""Why, of a day on which much happened: a roll call that is over, and one thing after the other."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from handlers.why_words import sentences, told
from locales.catalogs import Catalogs
from storage.database import Database
from storage.models import Contact, Person
from storage.rhythm.rollcalls import end_rollcall, plan_rollcall
from storage.rhythm.why import explain
from storage.rhythm.why_facts import Asked, Heard, Why
from tests.outbox_people import make_area, make_person

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
DAY = date(2026, 11, 22)
MINUTE = timedelta(minutes=1)
CATALOGS = Catalogs()


async def _tell(db: Database, person_id: int, now: datetime) -> Why:
    async with db.read() as tx:
        return await explain(tx, person_id, DAY, now)


async def test_a_roll_call_that_is_over_is_told_as_over(db: Database) -> None:
    area = await make_area(db, NOON - timedelta(days=9))
    async with db.write() as tx:
        worker = await make_person(tx, NOON - timedelta(days=9), area=area)
        call = await plan_rollcall(tx, area=area, text="", by=None, now=NOON)
    runs = await _tell(db, worker, NOON + MINUTE)
    async with db.write() as tx:
        assert await end_rollcall(tx, call.id, by=None, now=NOON + 32 * MINUTE)
    over = await _tell(db, worker, NOON + 40 * MINUTE)
    assert [each.over_at for each in over.of(Asked)] == [NOON + 32 * MINUTE]
    with CATALOGS.context(), CATALOGS.use_locale("en"):
        before, after = [
            next(words for fact, words in sentences(why, DAY) if isinstance(fact, Asked))
            for why in (runs, over)
        ]
    assert "No answer so far; one counts as in time until" in before
    assert "The roll call is over since Sun, Nov 22 12:32; an answer still counts." in after
    assert "in time" not in after


async def test_what_they_did_one_after_the_other_is_one_sentence(db: Database) -> None:
    area = await make_area(db, NOON - timedelta(days=9))
    async with db.write() as tx:
        worker = await make_person(tx, NOON - timedelta(days=9), area=area)
        area_id = await tx.scalar(select(Person.area_id).where(Person.id == worker))
        ways = ["self"] * 5 + ["relative"] + ["self"] + ["relative"] * 2
        for minute, evidence in enumerate(ways):
            await tx.execute(
                tx.insert(Contact).values(
                    person_id=worker,
                    area_id=area_id,
                    at=NOON + minute * MINUTE,
                    evidence=evidence,
                    kind="vouch" if evidence == "relative" else "message",
                    outcome="text",
                    success=True,
                )
            )
    why = await _tell(db, worker, NOON + timedelta(hours=1))
    with CATALOGS.context(), CATALOGS.use_locale("en"):
        said = [
            words for words in told(why, DAY)["happened"] if "word" in words or "heard" in words
        ]
    assert said == [
        "They were heard from 5 times, Sun, Nov 22 12:00–12:04.",
        "The family had word of them, Sun, Nov 22 12:05.",
        "They were heard from, Sun, Nov 22 12:06.",
        "The family had word of them, Sun, Nov 22 12:07.",
        "The family had word of them, Sun, Nov 22 12:08.",
    ]
    assert len(list(why.of(Heard))) == len(ways)  # scripts see each

"""The minute of asking, which planning finds for everyone in one statement, is always allowed."""

import random
from datetime import UTC, datetime, time

from sqlalchemy import select, update

from storage.calendar.recurrence import Hours, Weeks
from storage.database import Database
from storage.models import Person
from storage.people.hours import NoTimeLeft, check_quiet_hours
from storage.rhythm.planning import QUARTER, asked_between, minute_asked
from storage.rules.terms import CheckinTerms
from tests.outbox_people import make_area, make_person

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOURS = [
    Hours(),
    Hours(time(10), time(9, 5), time(11, 50)),
    Hours(time(8), time(8), time(8, 15)),
    Hours(time(20, 59), time(17, 40), time(21)),
]


def quiet_at(minute: int, start: int, end: int) -> bool:
    hour = minute // 60
    return start <= hour < end if start <= end else hour >= start or hour < end


async def test_it_is_within_the_rules_hours_and_outside_the_persons_quiet_ones(
    db: Database,
) -> None:
    chance = random.Random(4)
    area = await make_area(db, NOW)
    people: dict[int, tuple[int, int]] = {}
    async with db.write() as tx:
        while len(people) < 300:
            start, end = chance.randrange(24), chance.randrange(24)
            try:
                check_quiet_hours(start, end)
            except NoTimeLeft:
                continue
            person = await make_person(
                tx,
                NOW,
                area=area,
                chat_id=0,
                quiet_from=start,
                quiet_to=end,
                ask_minute=chance.choice((None, None, chance.randrange(96) * QUARTER)),
                usual_minute=chance.choice((None, chance.randrange(24 * 60))),
            )
            people[person] = start, end
        for hours in HOURS:
            earliest, latest = asked_between(hours)
            terms = CheckinTerms(code="weekly", when=Weeks(1, (6,)), hours=hours)
            found = await tx.execute(select(Person.id, minute_asked(terms).label("minute")))
            for row in found:
                assert earliest <= row.minute <= latest
                assert row.minute % QUARTER == 0
                start, end = people[row.id]
                if quiet_at(row.minute, start, end):
                    # Then nothing beside their quiet hours is left of the rule's.
                    beside = start * 60 - QUARTER, end * 60
                    assert not any(earliest <= minute <= latest for minute in beside)


async def test_who_sleeps_early_is_asked_before_it(db: Database) -> None:
    area = await make_area(db, NOW)
    terms = CheckinTerms(code="weekly", when=Weeks(1, (6,)))
    async with db.write() as tx:
        await make_person(tx, NOW, area=area, chat_id=0)
        for (start, end), minute in {
            (18, 8): 17 * 60 + 45,
            (21, 8): 19 * 60 + 30,
            (19, 20): 20 * 60,
            (14, 21): 13 * 60 + 45,
        }.items():
            await tx.execute(
                update(Person).values(quiet_from=start, quiet_to=end, ask_minute=19 * 60 + 30)
            )
            assert await tx.scalar(select(minute_asked(terms))) == minute

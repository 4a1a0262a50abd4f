"""The console's rules: who may change them, what a change would do, and what comes next."""

from datetime import datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import select

from storage.calendar.personal_dates import Personal
from storage.calendar.recurrence import Weeks
from storage.database import Database
from storage.models import Person, Subscription, Topic
from storage.rules.kept import add_rule, running_rules
from storage.rules.terms import CheckinTerms, ReminderTerms
from tests import console_visit
from tests.console_county import County, make_county
from tests.console_visit import Client, Enter, post, text_of

clock, live = console_visit.clock, console_visit.live
client, enter = console_visit.client, console_visit.enter

WEEKLY = {
    "repeat": "weeks",
    "code": "weekly",
    "weeks": "2",
    "weekday": "friday",
    "at": "10:00",
    "opens": "08:00",
    "closes": "21:00",
    "window": "72",
    "nudges": "24, 48",
    "then": "relative-first",
    "supervisor": "72",
}


@pytest.fixture
async def county(db: Database, now: datetime) -> County:
    county = await make_county(db, now, workers=3)
    async with db.write() as tx:
        terms = CheckinTerms("weekly", Weeks(1, (6,)))
        await add_rule(tx, county.areas["nan"], terms, now - timedelta(days=30))
    return county


async def codes(db: Database) -> list[tuple[str, str, int]]:
    async with db.read() as tx:
        return [(one.area_code, one.terms.code, one.version) for one in await running_rules(tx)]


async def test_a_supervisor_looks_first_and_then_keeps(
    client: Client, db: Database, county: County, enter: Enter
) -> None:
    csrf = await enter(county.supervisor)
    page = await text_of(client, "/console/rules?area=east")
    assert "From 南度县." in page
    assert "Every week on Sunday, at 10:00" in page
    path = "/console/rules/new?area=east&kind=checkin"
    assert "A new check-in rule" in await text_of(client, path)
    looked = await post(client, path, {**WEEKLY, "csrf": csrf, "do": "look"})
    words = unescape(await looked.text())
    assert looked.status == 200
    # Three workers and the one who joined today; at home and paused are not asked.
    assert "It would reach 4 people next on Fri" in words
    assert await codes(db) == [("nan", "weekly", 1)]
    kept = await post(client, path, {**WEEKLY, "csrf": csrf, "do": "save"})
    assert kept.status == 303
    assert await codes(db) == [("nan", "weekly", 1), ("east", "weekly", 1)]
    rule = await text_of(client, kept.headers["Location"])
    assert "It takes the place of the same rule of 南度县." in rule
    assert "何主任" in rule
    above = await text_of(client, "/console/rules?area=nan")
    assert "1 area below has its own" in above
    changed = {**WEEKLY, "repeat": "keep", "at": "18:30", "csrf": csrf, "do": "save"}
    edited = await post(client, kept.headers["Location"] + "/edit", {**changed, "version": "1"})
    assert edited.status == 303
    assert "every 2 weeks on Friday, at 18:30" in await text_of(client, kept.headers["Location"])
    again = await post(client, kept.headers["Location"] + "/edit", {**changed, "version": "1"})
    assert "Somebody else changed this rule meanwhile" in unescape(await again.text())
    stopped = await post(client, kept.headers["Location"] + "/stop", {"csrf": csrf})
    assert stopped.status == 303
    assert await codes(db) == [("nan", "weekly", 1)]
    assert "Stopped on" in await text_of(client, kept.headers["Location"])


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"window": "20"}, "The last time of asking again is after 48 hours"),
        ({"repeat": "around", "around_other": "02-30"}, "That month has no day 30."),
        ({"repeat": "around", "around_other": "soon"}, "Write a day as 05-29"),
        ({"repeat": "monthdays", "monthdays": "32"}, "No month has a day 32."),
        ({"weekday": ""}, "This cannot be: “” is not a weekday"),
        ({"at": "23:00"}, "nobody is written to at night"),
        ({"code": "Weekly!"}, "Use small letters, digits and dashes"),
        ({"zh": "好吗"}, "Write it in this language, too"),
        ({"nudges": "48, 24"}, "Write the hours in order"),
        ({"starts": "2027-02-30"}, "There is no day 2027-02-30."),
        ({"code": "other", "weeks": "1", "weekday": "sunday"}, "nan/weekly asks on the same days"),
        ({"repeat": "", "code": "x"}, "Choose when it is due."),
        ({"window": "many"}, "Write a whole number here."),
        ({"starts": "2020-01-01", "ends": "2019-01-01"}, "It ends before it starts."),
    ],
)
async def test_a_mistake_is_told_at_its_field(
    client: Client, db: Database, county: County, enter: Enter, typed: dict[str, str], says: str
) -> None:
    csrf = await enter(county.supervisor)
    path = "/console/rules/new?area=east&kind=checkin"
    answer = await post(client, path, {**WEEKLY, **typed, "csrf": csrf, "do": "save"})
    page = unescape(await answer.text())
    assert answer.status == 422, page
    assert says in page
    assert 'aria-invalid="true"' in page or 'role="alert"' in page
    assert await codes(db) == [("nan", "weekly", 1)]


async def test_only_a_supervisor_of_the_area_may(
    client: Client, db: Database, county: County, enter: Enter
) -> None:
    csrf = await enter(county.liaison)
    page = await text_of(client, "/console/rules?area=east")
    assert "A new check-in rule" not in page
    await text_of(client, "/console/rules/new?area=east", 403)
    await text_of(client, "/console/rules/new?area=hill", 404)
    await text_of(client, "/console/rules?area=hill", 404)
    await text_of(client, "/console/rules/999999", 404)
    rule = (await _rule_id(db), csrf)
    inherited = await text_of(client, f"/console/rules/{rule[0]}")
    assert "Change it" not in inherited
    await text_of(client, f"/console/rules/{rule[0]}/edit", 403)
    for path in (f"/console/rules/{rule[0]}/stop", f"/console/rules/{rule[0]}/edit"):
        assert (await post(client, path, {**WEEKLY, "csrf": csrf, "do": "save"})).status == 403
    await enter(county.supervisor)
    no_token = await post(client, f"/console/rules/{rule[0]}/stop", {"csrf": "x"})
    assert no_token.status == 403
    assert await codes(db) == [("nan", "weekly", 1)]


async def _rule_id(db: Database) -> int:
    async with db.read() as tx:
        return (await running_rules(tx))[0].id


async def test_what_comes_next_and_why(
    client: Client, db: Database, county: County, enter: Enter, now: datetime
) -> None:
    await enter(county.liaison)
    page = await text_of(client, "/console/agenda?area=east")
    assert page.count("Every week on Sunday, at 10:00") >= 7
    assert "4 people" in page
    late = await text_of(client, "/console/agenda?area=east&from=2100-12-20")
    assert "The calendar is known until 2100." in late
    for day, says in (
        ("2027-02-30", "“2027-02-30” is no day"),
        ("xx", "“xx” is no day"),
        ("2020-02-01", "2020-02-01 is past"),
        ("2101-01-01", "2101-01-01 is too late"),
    ):
        asked = await text_of(client, f"/console/agenda?area=east&from={day}", 422)
        assert says in asked
        assert "Every week on Sunday" in asked
    await text_of(client, "/console/agenda?area=hill", 404)
    async with db.read() as tx:
        worker = county.workers["east"][0]
        ref = await tx.scalar(select(Person.ref).where(Person.id == worker))
    page = await text_of(client, f"/console/person/{ref}?day=2027-03-03")
    assert "Why was something sent, or not?" in page
    assert "Nothing was due by the rule “every week on Sunday, at 10:00”." in page
    facts = await (await client.get(f"/console/person/{ref}/why?day=2027-03-07")).json()
    assert facts["day"] == "2027-03-07"
    reasons = [each.get("reason") for each in facts["facts"] if each["fact"] == "verdict"]
    assert reasons == ["will_ask"]
    for bad in ("2027-02-30", "9999-12-31", "x", "20270307"):
        await text_of(client, f"/console/person/{ref}/why?day={bad}", 404)
        await text_of(client, f"/console/person/{ref}?day={bad}", 404)
    await enter(county.stranger)
    await text_of(client, f"/console/person/{ref}/why", 404)


@pytest.mark.parametrize("subscribers", [4, 5])
async def test_what_a_few_chose_is_not_counted(
    client: Client, db: Database, county: County, enter: Enter, now: datetime, subscribers: int
) -> None:
    by_date = ReminderTerms("papers", "certificate", Personal("certificate-expiry", (-7,)))
    weekly = ReminderTerms("wages", "certificate", Weeks(1, (6,)))
    async with db.write() as tx:
        topic = await tx.scalar(
            tx.insert(Topic)
            .values(
                code="certificate",
                names={"zh": "证件到期换新", "en": "A new card"},
                about={},
                asks="certificate-expiry",
            )
            .returning(Topic.id)
        )
        rules = [await add_rule(tx, county.areas["nan"], it, now) for it in (by_date, weekly)]
        people = select(Person.id).where(Person.consented, Person.area_id.is_not(None))
        for person in list((await tx.execute(people.limit(subscribers))).scalars()):
            await tx.execute(
                tx.insert(Subscription).values(
                    person_id=person,
                    topic_id=topic,
                    day=now.date() + timedelta(days=20),
                    since=now,
                )
            )
    await enter(county.supervisor)
    agenda = await text_of(client, "/console/agenda?area=nan")
    told = f"{subscribers} people"
    assert [f'/rules/{rule.id}"' in agenda for rule in rules] == [subscribers >= 5, True]
    assert (told in agenda) == (subscribers >= 5)
    listed = await text_of(client, "/console/rules?area=nan")
    assert ">A new card</a>" in listed
    assert ">Every week on Sunday, at 10:00</a>" in listed
    for rule in rules:
        page = await text_of(client, f"/console/rules/{rule.id}")
        assert (f"It reaches {told} now." in page) == (subscribers >= 5)
        assert ("It reaches" in page) == (subscribers >= 5)

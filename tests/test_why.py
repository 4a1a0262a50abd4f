"""Why something was, or was not, sent: told for any person and any day."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from handlers.outgoing import _WRITERS
from handlers.rule_words import schedule_words
from handlers.why_happened import template_word
from handlers.why_words import sentences
from locales.catalogs import Catalogs
from scheduler.checkins import plan_due_checkins, set_clocks
from storage.calendar.personal_dates import Personal
from storage.calendar.recurrence import Around, MonthDays, Weeks
from storage.database import Database
from storage.models import (
    Checkin,
    Consent,
    Delivery,
    Person,
    Reminder,
    Rule,
    RuleVersion,
    StatusChange,
    Subscription,
    Topic,
)
from storage.outbox.past import move_finished
from storage.people.areas import find_area
from storage.rhythm.why import explain
from storage.rhythm.why_facts import (
    Asked,
    Coming,
    Expected,
    Forgotten,
    Message,
    NoMessages,
    Reach,
    Reason,
    RuleHeld,
    Verdict,
    Why,
    as_json,
)
from storage.rules.kept import add_rule, edit_rule, running_rules, stop_rule
from storage.rules.terms import CheckinTerms, ReminderTerms
from tests.outbox_people import make_area, make_person

THURSDAY = datetime(2026, 11, 19, 12, tzinfo=UTC)
SUNDAY = date(2026, 11, 22)
ASKED_AT = datetime(2026, 11, 22, 2, tzinfo=UTC)
EVENING = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CATALOGS = Catalogs()
FIXTURES = [HealthCheck.function_scoped_fixture]


async def tell(db: Database, person_id: int, day: date | None, now: datetime) -> Why:
    async with db.read() as tx:
        return await explain(tx, person_id, day, now)


def verdicts(why: Why) -> dict[str, Verdict]:
    return {verdict.code: verdict for verdict in why.of(Verdict)}


async def worker_of(db: Database, **columns: Any) -> int:
    area = await make_area(db, THURSDAY - 60 * DAY)
    async with db.write() as tx:
        person_id = await make_person(tx, THURSDAY - 10 * DAY, area=area, **columns)
        await add_rule(tx, area, CheckinTerms("weekly", Weeks(1, (6,))), THURSDAY - 60 * DAY)
    await set_clocks(db, THURSDAY)
    return person_id


async def test_a_day_on_which_they_were_asked(db: Database) -> None:
    worker = await worker_of(db)
    await plan_due_checkins(db, ASKED_AT)
    why = await tell(db, worker, SUNDAY, EVENING)
    assert verdicts(why)["weekly"].reason is Reason.ASKED
    (asked,) = why.of(Asked)
    assert (asked.rule, asked.due_at, asked.delivered_at) == ("weekly", ASKED_AT, None)
    (message,) = why.of(Message)
    assert (message.template, message.state, message.not_before) == ("checkin", "queued", ASKED_AT)
    assert [each.code for each in why.of(Coming)][-1] == "weekly"


async def test_a_day_on_which_nothing_was_due_names_the_days_around(db: Database) -> None:
    worker = await worker_of(db)
    verdict = verdicts(await tell(db, worker, date(2026, 11, 24), EVENING + 5 * DAY))["weekly"]
    assert verdict.reason is Reason.NOT_DUE
    assert (verdict.before, verdict.after) == (SUNDAY, SUNDAY + 7 * DAY)


async def test_a_coming_day_says_when_and_by_whose_hour(db: Database) -> None:
    worker = await worker_of(db, ask_minute=19 * 60)
    verdict = verdicts(await tell(db, worker, SUNDAY + 14 * DAY, EVENING))["weekly"]
    assert verdict.reason is Reason.WILL_ASK
    assert verdict.minute_by == "chosen"
    assert verdict.at == datetime(2026, 12, 6, 11, tzinfo=UTC)
    far = verdicts(await tell(db, worker, date(2100, 12, 26), EVENING))["weekly"]
    assert far.reason is Reason.WILL_ASK
    assert far.after is None
    beyond = verdicts(await tell(db, worker, date(2101, 1, 2), EVENING))["weekly"]
    assert beyond.reason is Reason.ALMANAC_ENDS


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"status": "home"}, Reason.HOME),
        ({"status": "paused", "paused_until": EVENING + 90 * DAY}, Reason.PAUSED),
        ({"consented": False}, Reason.NO_CONSENT),
        ({"enrolled_at": EVENING}, Reason.JOINED_LATER),
    ],
)
async def test_who_is_not_expected_is_told_why(
    db: Database, columns: dict[str, Any], reason: Reason
) -> None:
    worker = await worker_of(db, **columns)
    why = await tell(db, worker, SUNDAY, EVENING + DAY)
    assert verdicts(why)["weekly"].reason is reason


async def test_a_pause_that_ends_before_is_no_reason(db: Database) -> None:
    worker = await worker_of(db, status="paused", paused_until=ASKED_AT + 3 * DAY)
    why = await tell(db, worker, SUNDAY + 7 * DAY, EVENING)
    assert verdicts(why)["weekly"].reason is Reason.WILL_ASK


async def test_the_past_is_judged_by_what_held_then(db: Database) -> None:
    worker = await worker_of(db)
    async with db.write() as tx:
        for status, at in (("away", 9), ("home", 6), ("away", 1)):
            await tx.execute(
                tx.insert(StatusChange).values(
                    person_id=worker, status=status, at=EVENING - at * DAY
                )
            )
        await tx.execute(
            tx.insert(Consent).values(
                person_id=worker,
                purpose="contact",
                wording="1",
                given=True,
                channel="web",
                at=EVENING - 9 * DAY,
            )
        )
    (then,) = (await tell(db, worker, date(2026, 11, 18), EVENING)).of(Expected)
    assert (then.reason, then.until) == (Reason.HOME, EVENING - DAY)
    (now,) = (await tell(db, worker, SUNDAY, EVENING)).of(Expected)
    assert now.expected


async def test_slower_another_rule_and_a_standstill(db: Database) -> None:
    worker = await worker_of(db, slower=True)
    reasons = [
        verdicts(await tell(db, worker, SUNDAY + week * 7 * DAY, EVENING))["weekly"].reason
        for week in (1, 2)
    ]
    assert set(reasons) == {Reason.SLOWER, Reason.WILL_ASK}
    async with db.write() as tx:
        await tx.execute(update(Person).where(Person.id == worker).values(slower=False))
    stood = verdicts(await tell(db, worker, SUNDAY, EVENING))["weekly"]
    assert stood.reason is Reason.NOT_PLANNED
    await plan_due_checkins(db, ASKED_AT)
    async with db.write() as tx:
        village = await find_area(tx, "village")
        since = THURSDAY - 30 * DAY
        await add_rule(tx, village, CheckinTerms("monthly", MonthDays(1, (22,))), since)
    other = verdicts(await tell(db, worker, SUNDAY, EVENING))["monthly"]
    assert (other.reason, other.other) == (Reason.OTHER_RULE, "weekly")


async def test_which_rule_held_where_from_and_in_which_version(db: Database) -> None:
    since = THURSDAY - 60 * DAY
    await make_area(db, since, "town")
    area = await make_area(db, since, "village", "town")
    async with db.write() as tx:
        town = await find_area(tx, "town")
        worker = await make_person(tx, THURSDAY - 20 * DAY, area=area)
        above = await add_rule(tx, town, CheckinTerms("weekly", Weeks(1, (6,))), since)
        await add_rule(tx, town, CheckinTerms("new-year", Around("new-year", (0,))), since)
    held = {each.code: each for each in (await tell(db, worker, SUNDAY, EVENING)).of(RuleHeld)}
    assert held["weekly"].inherited
    assert held["weekly"].overrides == ()
    async with db.write() as tx:
        await edit_rule(tx, above, CheckinTerms("weekly", Weeks(1, (4,))), THURSDAY)
        own = await add_rule(tx, area, CheckinTerms("weekly", Weeks(1, (0,))), THURSDAY + DAY)
    before = await tell(db, worker, date(2026, 11, 15), EVENING)
    assert [each.version for each in before.of(RuleHeld) if each.code == "weekly"] == [1]
    assert verdicts(before)["weekly"].reason is Reason.NOT_PLANNED
    now = next(
        each
        for each in (await tell(db, worker, SUNDAY, EVENING)).of(RuleHeld)
        if each.code == "weekly"
    )
    assert (now.inherited, now.overrides, now.area_code) == (False, ("town",), "village")
    assert now.override_names == ("Area town",)
    async with db.write() as tx:
        await stop_rule(tx, own, EVENING)
    again = next(
        each
        for each in (await tell(db, worker, SUNDAY + DAY, EVENING)).of(RuleHeld)
        if each.code == "weekly"
    )
    assert (again.version, again.inherited) == (2, True)


async def test_what_comes_is_named_by_what_the_rule_says_now(db: Database) -> None:
    worker = await worker_of(db)
    async with db.write() as tx:
        (weekly,) = await running_rules(tx)
        await edit_rule(tx, weekly, CheckinTerms("weekly", Weeks(1, (4,))), EVENING)
        broken = await add_rule(
            tx, await find_area(tx, weekly.area_code), CheckinTerms("odd", Weeks(1, (0,))), EVENING
        )
        for table in (Rule, RuleVersion):
            mine = (Rule.id if table is Rule else RuleVersion.rule_id) == broken.id
            await tx.execute(update(table).where(mine).values(terms='{"code": "odd"}'))
    why = await tell(db, worker, SUNDAY - 7 * DAY, EVENING + DAY)
    with CATALOGS.context(), CATALOGS.use_locale("en"):
        told = [words for _, words in sentences(why, SUNDAY + DAY)]
    assert any("every week on Sunday, at 10:00 (weekly)" in words for words in told)
    assert told[-1].startswith("Next: the rule “every week on Friday, at 10:00” asks on Fri")


async def test_what_comes_after_the_calendar_ends_is_not_said_to_be_nothing(db: Database) -> None:
    worker = await worker_of(db)
    for day in (date(2150, 1, 1), date(2100, 12, 31)):
        why = await tell(db, worker, day, EVENING)
        with CATALOGS.context(), CATALOGS.use_locale("en"):
            told = [words for _, words in sentences(why, SUNDAY)]
        assert told[-1] == "What comes next can't be told: the calendar is known until 2100."
        assert not any("Nothing comes" in words for words in told)
    async with db.write() as tx:
        for rule in await running_rules(tx):
            await stop_rule(tx, rule, EVENING)
    why = await tell(db, worker, SUNDAY + 7 * DAY, EVENING)
    with CATALOGS.context(), CATALOGS.use_locale("en"):
        told = [words for _, words in sentences(why, SUNDAY)]
    assert told[-1] == "Nothing comes next: no rule will ask them."


async def test_whose_rule_another_replaces_is_told_by_name(db: Database) -> None:
    worker = await worker_of(db)
    why = await tell(db, worker, SUNDAY, EVENING)
    (held,) = why.of(RuleHeld)
    above = replace(held, overrides=("he",), override_names=("河县",))
    with CATALOGS.context(), CATALOGS.use_locale("zh"):
        told = [words for _, words in sentences(replace(why, facts=(above,)), SUNDAY)]
    assert "代替河县的同名规则" in told[0]


async def test_no_rule_no_account_and_a_stopped_rule(db: Database) -> None:
    area = await make_area(db, THURSDAY - 60 * DAY)
    async with db.write() as tx:
        worker = await make_person(tx, THURSDAY - 10 * DAY, area=area, chat_id=0)
    why = await tell(db, worker, SUNDAY, EVENING)
    assert [each.reason for each in why.of(Verdict)] == [Reason.NO_RULES]
    assert [each.state for each in why.of(Reach)] == ["none"]
    assert list(why.of(NoMessages))
    async with db.write() as tx:
        rule = await add_rule(tx, area, CheckinTerms("weekly", Weeks(1, (6,))), THURSDAY)
        await stop_rule(tx, rule, THURSDAY + DAY)
    (stopped,) = (await tell(db, worker, SUNDAY, EVENING)).of(Verdict)
    assert (stopped.reason, stopped.at) == (Reason.STOPPED, THURSDAY + DAY)


async def test_messages_that_are_over_are_found_and_then_forgotten(db: Database) -> None:
    worker = await worker_of(db)
    await plan_due_checkins(db, ASKED_AT)
    async with db.write() as tx:
        await tx.execute(
            update(Delivery).values(state="failed", reason="blocked", finished_at=ASKED_AT)
        )
    async with db.write() as tx:
        await move_finished(tx, [1, 2, 3])
    (message,) = (await tell(db, worker, SUNDAY, EVENING)).of(Message)
    assert (message.state, message.reason) == ("failed", "blocked")
    assert list((await tell(db, worker, SUNDAY, EVENING + 40 * DAY)).of(Forgotten))


async def test_nobody_hears_of_a_topic_and_a_reminder_is_no_other_question(db: Database) -> None:
    worker = await worker_of(db)
    day = date(2027, 1, 1)
    at = datetime(2027, 1, 1, 2, tzinfo=UTC)
    async with db.write() as tx:
        village = await find_area(tx, "village")
        topic = await tx.scalar(
            tx.insert(Topic)
            .values(code="folic-acid", names={}, about={}, asks="school-start")
            .returning(Topic.id)
        )
        terms = ReminderTerms("papers", "folic-acid", Personal("school-start", (-7,)))
        papers = (await add_rule(tx, village, terms, THURSDAY)).id
        await add_rule(tx, village, CheckinTerms("first", MonthDays(1, (1,))), THURSDAY)
        subscription = await tx.scalar(
            tx.insert(Subscription)
            .values(person_id=worker, topic_id=topic, day=date(2027, 1, 8), since=THURSDAY)
            .returning(Subscription.id)
        )
        await tx.execute(
            tx.insert(Reminder).values(
                rule_id=papers,
                person_id=worker,
                subscription_id=subscription,
                slot=day.isoformat(),
                about=date(2027, 1, 8),
                due_at=at,
                delivered_at=at,
            )
        )
    for asked, now in ((day, at + DAY / 2), (day, EVENING), (SUNDAY, EVENING)):
        why = await tell(db, worker, asked, now)
        told = json.dumps([as_json(fact) for fact in why.facts])
        with CATALOGS.context(), CATALOGS.use_locale("en"):
            told += json.dumps([words for _, words in sentences(why, now.date())])
        assert "papers" not in told
        assert "folic" not in told
        assert told.count("Reminders are the person's own choice") == 1
        assert set(verdicts(why)) == {"weekly", "first"}
        if asked == day and now > at:
            assert verdicts(why)["first"].reason is Reason.NOT_PLANNED


async def test_what_is_said_of_a_day_is_one_story(db: Database) -> None:
    worker = await worker_of(db)
    await plan_due_checkins(db, ASKED_AT)
    async with db.write() as tx:
        await tx.execute(delete(Delivery))
        await tx.execute(update(Checkin).values(delivered_at=ASKED_AT))
        area_id = await tx.scalar(select(Person.area_id).where(Person.id == worker))
        await tx.execute(
            tx.insert(Checkin).values(
                person_id=worker, area_id=area_id, slot="2026-11-22", due_at=ASKED_AT,
                window_until=EVENING + DAY,
            )
        )  # fmt: skip
    why = await tell(db, worker, SUNDAY, EVENING)
    assert not list(why.of(NoMessages))
    assert [each.rollcall for each in why.of(Asked)] == [False, False]
    with CATALOGS.context(), CATALOGS.use_locale("en"):
        words = [words for _, words in sentences(why, SUNDAY)]
    assert "They chose no hours of their own. Nothing between 21:00 and 08:00: the night, as" in (
        "".join(words)
    )
    assert any(each.startswith("A check-in, Sun") for each in words)
    assert "Asked by the rule “every week on Sunday, at 10:00”." in "".join(words)
    assert not list((await tell(db, worker, SUNDAY + 7 * DAY, EVENING)).of(NoMessages))
    before = await tell(db, worker, date(2026, 11, 1), EVENING)
    assert [each.code for each in before.of(Coming)][-1] == "weekly"


@pytest.mark.parametrize(
    ("days", "english", "chinese"),
    [
        ([-30, -7], "30 and 7 days before Spring Festival, at 10:00", "春节前30天和7天，10:00"),
        ([-30, -7, -1], "30, 7 and 1 days before Spring", "春节前30天、7天和1天，10:00"),
        ([-1], "1 day before Spring Festival, at 10:00", "春节前1天，10:00"),
        ([-7, 0, 3], "7 days before Spring Festival, on the day itself, and 3 days after it", ""),
        ([0, 3], "on Spring Festival and 3 days after it, at", "春节当天和之后3天，10:00"),
    ],
)
def test_the_day_a_rule_follows_is_named_once(days: list[int], english: str, chinese: str) -> None:
    table = {"around": "spring-festival", "days": days, "at": "10:00"}
    for language, expected in (("en", english), ("zh", chinese)):
        with CATALOGS.context(), CATALOGS.use_locale(language):
            assert schedule_words(table).startswith(expected)


days = st.dates(date(2026, 9, 1), date(2101, 12, 31))
rules = st.one_of(
    st.builds(
        lambda every, on: Weeks(every, tuple(sorted(on))),
        st.integers(1, 52),
        st.sets(st.integers(0, 6), min_size=1),
    ),
    st.builds(lambda day: MonthDays(3, (day,)), st.integers(1, 31)),
    st.builds(lambda n: Around("spring-festival", (n,)), st.integers(-30, 30)),
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    day=days,
    when=rules,
    status=st.sampled_from(["away", "moving", "home", "paused", "left"]),
    consented=st.booleans(),
    slower=st.booleans(),
    zone=st.sampled_from([None, "America/New_York", "Pacific/Apia", "Asia/Kathmandu", "Moon/Base"]),
    stopped=st.booleans(),
)
async def test_there_is_always_a_reason_or_a_message(
    sqlite_db: Database,
    day: date,
    when: Any,
    status: str,
    consented: bool,
    slower: bool,
    zone: str | None,
    stopped: bool,
) -> None:
    code = f"a{datetime.now(UTC).timestamp()}".replace(".", "-")
    area = await make_area(sqlite_db, THURSDAY, code)
    async with sqlite_db.write() as tx:
        worker = await make_person(
            tx, THURSDAY, area=area, status=status, consented=consented, slower=slower,
            timezone=zone,
        )  # fmt: skip
        rule = await add_rule(tx, area, CheckinTerms("rule", when), THURSDAY)
        if stopped:
            await stop_rule(tx, rule, EVENING)
    why = await tell(sqlite_db, worker, day, EVENING + DAY)
    assert any(isinstance(fact, Verdict | Message) for fact in why.facts)
    assert isinstance(why.facts[-1], Coming)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_message_has_a_name_that_is_no_code(language: str) -> None:
    with CATALOGS.context(), CATALOGS.use_locale(language):
        called = {template_word(template) for template in _WRITERS}
    assert len(called) == len(_WRITERS)
    assert not [words for words in called if "_" in words or "(" in words or "（" in words]

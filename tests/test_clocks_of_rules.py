"""The clocks of rules: set once, and one rule that cannot be read stops no other."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import func, select, update
from structlog.testing import capture_logs

from scheduler.checkins import plan_due_checkins, set_clocks
from scheduler.clock import Clock
from scheduler.followups import follow_up
from scheduler.reminders import plan_due_reminders
from storage.calendar.personal_dates import Personal
from storage.calendar.recurrence import Around, Hours, Weeks
from storage.database import Database
from storage.models import Checkin, Rule, RuleClock, RuleVersion, Step
from storage.reminders.topics import TopicTerms, add_topic
from storage.rules.kept import (
    Unreadable,
    add_rule,
    edit_rule,
    find_rule,
    rules_over,
    running_rules,
    stop_rule,
)
from storage.rules.terms import CheckinTerms, ReminderTerms
from tests.outbox_people import make_area, make_person

THURSDAY = datetime(2026, 11, 19, 12, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 22, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
WEEKLY = CheckinTerms("weekly", Weeks(1, (6,)))


async def _written(db: Database, now: datetime) -> list[str]:
    heard = db.count_statements()
    await set_clocks(db, now)
    return [it for it in heard if not it.lstrip().startswith(("SELECT", "BEGIN", "COMMIT"))]


async def test_clocks_are_set_once_though_a_rule_has_no_slot_left(db: Database) -> None:
    area = await make_area(db, THURSDAY)
    over = date(2026, 11, 20)
    async with db.write() as tx:
        await make_person(tx, THURSDAY, area=area)
        await add_rule(tx, area, WEEKLY, THURSDAY)
        await add_rule(tx, area, CheckinTerms("ended", Around("05-29", (0,)), ends=over), THURSDAY)
        await add_topic(
            tx, TopicTerms("paper", {"zh": "证", "en": "P"}, {"zh": "换", "en": "R"}, "expiry")
        )
        await add_rule(
            tx,
            area,
            ReminderTerms("paper", "paper", Personal("expiry", (-7,)), ends=over),
            THURSDAY,
        )
    sunday = SUNDAY - HOUR
    assert await _written(db, sunday) != []
    assert await _written(db, sunday + MINUTE) == []
    async with db.write() as tx:  # it may have slots again
        rule = await find_rule(tx, area, "ended")
        await edit_rule(tx, rule, CheckinTerms("ended", Around("05-29", (0,))), sunday)
    assert await _written(db, sunday + 2 * MINUTE) != []
    async with db.read() as tx:
        next_at = await tx.scalar(select(RuleClock.next_at).where(RuleClock.rule_id == rule.id))
    assert next_at == datetime(2027, 5, 29, tzinfo=UTC)


@pytest.mark.parametrize("terms", ["{", '{"version": 1, "kind": "checkin"}', "{}"])
async def test_a_rule_that_cannot_be_read_stops_no_other(db: Database, terms: str) -> None:
    area = await make_area(db, THURSDAY)
    early = CheckinTerms("early", Weeks(1, (6,)), Hours(at=time(9)))
    async with db.write() as tx:
        worker = await make_person(tx, THURSDAY, area=area)
        await make_person(tx, THURSDAY, area=area, timezone="Europe/Lisbon", status="home")
        bad = await add_rule(tx, area, early, THURSDAY)
        await add_rule(tx, area, WEEKLY, THURSDAY)
    await set_clocks(db, THURSDAY)
    async with db.write() as tx:
        await tx.execute(update(Rule).where(Rule.id == bad.id).values(terms=terms))
        await make_person(tx, THURSDAY, area=area, timezone="Asia/Tokyo", status="home")
    clock = Clock(db, nudge=lambda: None, running=list, clock=lambda: SUNDAY)
    with capture_logs() as logs:
        await clock.tick_minute()
        for _ in range(3):
            await clock.tick_second()
    assert {"second", "minute"} <= clock.last.keys()
    told = [it for it in logs if it["log_level"] in ("warning", "error", "critical")]
    assert [(it["rule"], it["area"]) for it in told] == [("early", area.code)]
    async with db.read() as tx:
        assert (await tx.execute(select(Checkin.person_id))).scalars().all() == [worker]
    assert await plan_due_checkins(db, SUNDAY + MINUTE) == 0
    with capture_logs() as logs:
        await plan_due_checkins(db, SUNDAY + HOUR)
        await plan_due_reminders(db, SUNDAY + HOUR)
    assert [it["rule"] for it in logs if it["log_level"] == "error"] == ["early"]
    async with db.write() as tx:
        for rules in (await running_rules(tx), await rules_over(tx, area)):
            assert [it.terms.code for it in rules if it.terms.kind == "checkin"] == ["weekly"]
        with pytest.raises(Unreadable, match=f"{area.code}/early cannot be read") as refusal:
            await find_rule(tx, area, "early")
        await stop_rule(tx, refusal.value, SUNDAY + HOUR)
        await add_rule(tx, area, early, SUNDAY + HOUR)


async def test_a_version_that_cannot_be_read_stops_no_other_follow_up(db: Database) -> None:
    area = await make_area(db, THURSDAY)
    async with db.write() as tx:
        await add_rule(tx, area, WEEKLY, THURSDAY)
        for _ in range(2):
            await make_person(tx, THURSDAY, area=area)
    await set_clocks(db, THURSDAY)
    await plan_due_checkins(db, SUNDAY)
    async with db.write() as tx:
        first = await tx.scalar(select(func.min(Checkin.id)))
        await tx.execute(update(Checkin).values(delivered_at=SUNDAY))
        rule = await find_rule(tx, area, "weekly")
        await edit_rule(tx, rule, CheckinTerms("weekly", Weeks(2, (6,))), SUNDAY)
        await tx.execute(update(Checkin).where(Checkin.id != first).values(version=2))
        await tx.execute(update(RuleVersion).where(RuleVersion.version == 1).values(terms="{"))
    with capture_logs() as logs:
        await follow_up(db, SUNDAY + 24 * HOUR)
        await follow_up(db, SUNDAY + 25 * HOUR)
    assert [it["version"] for it in logs if it["log_level"] == "error"] == [1]
    async with db.read() as tx:
        steps = await tx.execute(select(Step.checkin_id, Step.kind))
        assert [tuple(it) for it in steps] == [(first + 1, "nudge")]

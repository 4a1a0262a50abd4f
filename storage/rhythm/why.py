"""Why something was, or was not, sent to a person on a day: the chain of facts, never empty."""

from datetime import date, datetime, timedelta
from typing import Final

from storage.database import Tx
from storage.errors import Refused
from storage.outbox.past import KEPT_FOR
from storage.rhythm.why_facts import (
    Coming,
    Fact,
    Forgotten,
    NoMessages,
    Reason,
    RemindersKept,
    Verdict,
    Why,
)
from storage.rhythm.why_kept import (
    Kept,
    held_until,
    load_rules,
    planned_rules,
)
from storage.rhythm.why_person import load_life
from storage.rhythm.why_rules import absent_verdict, as_held, judge, next_coming
from storage.rhythm.why_traces import (
    asked_on,
    messages_on,
    next_step_at,
    steps_on,
)
from storage.rhythm.why_verdict import Day
from storage.rules.table import as_table

_SECOND: Final = timedelta(microseconds=1)
YEARS_TOLD: Final = range(2000, 2200)


async def explain(tx: Tx, person_id: int, day: date | None, now: datetime) -> Why:
    """What the rules and the outbox did, or will do, for a person on a local day of theirs.

    Of the rules only those that ask: what someone wants to be reminded of is theirs, and neither
    their officers' nor the operator's. That a reminder was on its way, or waited, is told.

    ``day`` None is today, where they are. Past days rest on the rows that are kept, coming ones on
    the rules and the person as they are now. Raises :class:`sqlalchemy.exc.NoResultFound` for an
    id that is nobody's, and :class:`Refused` for a day of other centuries.
    """
    if day is not None and day.year not in YEARS_TOLD:
        raise Refused(
            f"give a day from {YEARS_TOLD.start} to {YEARS_TOLD.stop - 1}, not {day.isoformat()}"
        )
    life = await load_life(tx, person_id, now)
    day = day or now.astimezone(life.zone).date()
    start, end = life.bounds(day)
    planned = await planned_rules(tx, person_id, start, end, day)
    on = Day(life, day, start, end, planned)
    facts: list[Fact] = [life.where(day), life.expected_at(min(end - _SECOND, max(now, start)))]
    facts += [life.habits(day), *life.accounts]
    tenure = life.tenure_at(end - _SECOND)
    kept = [] if tenure is None else await load_rules(tx, tenure.path)
    tables = {each.rule.terms.code: as_table(each.rule.terms) for each in kept}
    facts += await _rules(tx, kept, on, "" if tenure is None else tenure.code)
    facts.append(RemindersKept())
    facts += await _day(tx, on)
    # What comes is said by the rules of where they stand now, not of where they stood that day.
    present = life.tenure_at(now)
    if present != tenure:
        kept = [] if present is None else await load_rules(tx, present.path)
    facts += await _next(tx, kept, on)
    return Why(person_id, life.row.ref, life.name, day, life.timezone, tuple(facts), tables)


async def _rules(tx: Tx, kept: list[Kept], on: Day, area_code: str) -> list[Fact]:
    facts: list[Fact] = []
    governing, absent = held_until(kept, on.end)
    latest = min(on.end - _SECOND, on.life.now) if on.start <= on.life.now else on.life.now
    for each, overrides in governing:
        facts.append(as_held(each, overrides, latest, area_code))
        facts.append(await judge(tx, each, on))
    facts += [absent_verdict(each, on) for each in absent]
    if not any(isinstance(fact, Verdict) for fact in facts):
        expected = on.life.expected_at(on.end - _SECOND)
        reason = expected.reason or Reason.NO_RULES
        facts.append(Verdict(None, "checkin", "", reason, at=expected.since, until=expected.until))
    return facts


async def _day(tx: Tx, on: Day) -> list[Fact]:
    person_id, now = on.life.row.id, on.life.now
    asked = await asked_on(tx, person_id, on.start, on.end, on.day)
    messages = await messages_on(tx, person_id, on.start, on.end, now)
    facts: list[Fact] = [*asked, *messages]
    if on.start < now - KEPT_FOR:
        facts.append(Forgotten(now - KEPT_FOR))
    # A day to come has none yet, and of one whose message is forgotten the question may tell.
    elif on.start <= now and not messages and not any(each.delivered_at for each in asked):
        facts.append(NoMessages())
    steps = await steps_on(tx, person_id, [each.checkin_id for each in asked], on.start, on.end)
    return [*facts, *steps]


async def _next(tx: Tx, kept: list[Kept], on: Day) -> list[Fact]:
    facts: list[Fact] = []
    step = await next_step_at(tx, on.life.row.id)
    if step is not None:
        facts.append(Coming("step", None, step))
    return [*facts, await next_coming(tx, kept, on)]

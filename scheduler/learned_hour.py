"""The learned hour: each answered check-in pulls the hour of asking towards its own.

An answer counts when it says something of the person's day: the first to a check-in of a rule,
before anything was asked again. A roll call is asked at the hour of a flood, a nudge is answered
when the nudge comes, and a call for help has no hour. Who fixed their hour is left alone.
"""

from datetime import datetime
from functools import lru_cache
from typing import Final

from sqlalchemy import bindparam, select, update

from scheduler.hour_drift import drift
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.engine.prepared import Prepared
from storage.models import Checkin, Person, Rule
from storage.people.who import Who
from storage.rhythm.checkins import Answered
from storage.rhythm.planning import asked_between
from storage.rules.table import BadRule, from_json
from storage.rules.terms import CheckinTerms

_ASKED: Final = Prepared(
    select(Rule.terms, Person.usual_minute)
    .select_from(Checkin)
    .join(Rule, Rule.id == Checkin.rule_id)
    .join(Person, Person.id == Checkin.person_id)
    .where(Checkin.id == bindparam("checkin"), Checkin.stage == 0, Person.ask_minute.is_(None))
)
_LEARN: Final = Prepared(
    update(Person).where(Person.id == bindparam("person")).values(usual_minute=bindparam("minute"))
)


async def learn_hour(tx: Tx, who: Who, answered: Answered, now: datetime) -> int | None:
    """Let an answer given ``now`` count; where the usual hour has come to, ``None`` if nowhere new.

    In the answer's own transaction, and only for the first answer: a check-in counts once.
    """
    if not answered.first or not answered.in_time or answered.rollcall or answered.answer == "help":
        return None
    if any(other.rollcall for other in answered.others):  # one answer for all that was asked
        return None
    rows = await tx.run(_ASKED, {"checkin": answered.checkin_id})
    if not rows:
        return None
    try:
        earliest, at, latest = _minutes(rows[0].terms)
    except BadRule:
        return None  # planning tells the operator; the answer counts all the same
    before: int | None = rows[0].usual_minute
    local = now.astimezone(zone_of(who.timezone))
    usual = drift(
        at if before is None else before, local.hour * 60 + local.minute, earliest, latest
    )
    if usual == before:
        return None
    await tx.run(_LEARN, {"person": who.person_id, "minute": usual})
    return usual


@lru_cache(maxsize=256)
def _minutes(written: str) -> tuple[int, int, int]:
    """The first quarter in which a rule asks, the minute it would by itself, and the last."""
    terms = from_json(written)
    assert isinstance(terms, CheckinTerms)
    earliest, latest = asked_between(terms.hours)
    return earliest, terms.hours.at.hour * 60 + terms.hours.at.minute, latest

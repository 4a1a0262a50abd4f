"""Rules that would get in each other's way: told at entry.

Nobody is asked twice on a day, so a check-in rule all of whose days are days of another rule's
would ask nobody: it is refused, and so is one that would leave another rule without a day of its
own. Rules that only sometimes meet are fine.
"""

from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import Final

from storage.calendar.personal_dates import Personal
from storage.calendar.recurrence import planned_days
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.people.areas import AreaInfo
from storage.rules.kept import RuleInfo, rules_over, running_rules
from storage.rules.table import as_table
from storage.rules.terms import CheckinTerms, Problem, ReminderTerms, Terms, timing_of

_AHEAD: Final = timedelta(days=1100)
"""Three years: in these a rule by the lunar calendar shows itself, too."""


async def find_overlaps(
    tx: Tx, area: AreaInfo, terms: Terms, now: datetime, *, rule_id: int | None = None
) -> list[Problem]:
    """What is wrong with checked ``terms`` where they are to stand; ``rule_id`` is edited."""
    today = now.astimezone(zone_of(area.timezone)).date()
    if terms.ends is not None and not _comes_yet(terms, terms.ends, today):
        over = terms.ends < today
        why = f"{terms.ends} is over already" if over else f"no day of it comes by {terms.ends}"
        return [Problem("ends", f"{why}: it would send nothing. Give a later day, or none.")]
    near = {rule.id: rule for rule in await rules_over(tx, area)}
    near |= {rule.id: rule for rule in await running_rules(tx, area)}
    for other in near.values():
        same = (other.terms.kind, other.terms.code) == (terms.kind, terms.code)
        if other.id == rule_id or same or other.terms.kind != terms.kind:
            continue
        reason = _overlap(terms, other, today)
        if reason is not None:
            return [Problem(_field(terms), reason)]
    return []


def _comes_yet(terms: Terms, ends: date, today: date) -> bool:
    """Whether a rule that ends still has a day from today on."""
    if ends < today or isinstance(terms.when, Personal):
        return ends >= today
    first = max(today, terms.starts or today)
    return next(planned_days(timing_of(terms, today), first), None) is not None


def _overlap(terms: Terms, other: RuleInfo, today: date) -> str | None:
    name = f"{other.area_code}/{other.terms.code}"
    if isinstance(terms, ReminderTerms) and isinstance(other.terms, ReminderTerms):
        if terms.topic != other.terms.topic or not _same_days(terms, other, today):
            return None
        return f"{name} reminds of the same topic on the same days: change that one."
    if not isinstance(terms, CheckinTerms) or not isinstance(other.terms, CheckinTerms):
        return None
    mine, theirs = _days(terms, today, today), _days(other.terms, _since(other), today)
    if mine and mine <= theirs:
        return (
            f"each of its days is a day of {name} too, and nobody is asked twice on a day: "
            "it would ask nobody. Change that rule, or give this one its code."
        )
    if theirs and theirs <= mine:
        return (
            f"each day of {name} would be a day of this rule too, and nobody is asked twice on "
            "a day: stop that rule first, or choose other days."
        )
    return None


def _same_days(terms: ReminderTerms, other: RuleInfo, today: date) -> bool:
    if isinstance(terms.when, Personal) or isinstance(other.terms.when, Personal):
        if not (isinstance(terms.when, Personal) and isinstance(other.terms.when, Personal)):
            return False
        mine, theirs = terms.when, other.terms.when
        same = (mine.date, mine.months) == (theirs.date, theirs.months)
        return same and bool(set(mine.offsets) & set(theirs.offsets))
    return bool(_days(terms, today, today) & _days(other.terms, _since(other), today))


def _since(rule: RuleInfo) -> date:
    return rule.since.astimezone(zone_of(rule.area_timezone)).date()


def _days(terms: Terms, since: date, today: date) -> set[date]:
    """The days of the next three years, or of the three after the rule begins."""
    first = max(today, terms.starts or today)
    planned = planned_days(timing_of(terms, since), first)
    return {day for day, _ in takewhile(lambda each: each[0] <= first + _AHEAD, planned)}


def _field(terms: Terms) -> str:
    table = as_table(terms)
    return next(key for key in ("on", "around", "date") if key in table)

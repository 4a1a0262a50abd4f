"""Who never answers, and whose answers are becoming fewer: told from what was delivered to them.

**Asked** is a check-in or roll call that arrived and whose time to answer is over, or that was
answered; what did not arrive says nothing of a person, so technical silence is not among it, and
who cannot be reached at all now is left out. Of these the last :data:`SPAN` count, and none that
is older than a year.

**Answered** is one that the person answered by themselves, or in whose time they gave word of
themselves in another way. The family's word is not theirs.

**never**: asked at least :data:`AT_LEAST` times, none answered of those that count; what was
answered long before that is no answer now.

**fading**: of the six before the last six at least four were answered, and of the last six at most
a third as many. This is our own measure, a reason for a call and no verdict: two spans of the same
number of questions, so that it does not depend on the rhythm, and a fall that is seldom chance. By
the binomial distribution, twelve questions to someone who goes on answering four of five show it
once in 183 times, to someone who answers every second once in 24.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Account, Area, Checkin, Contact, Person
from storage.people.areas import in_subtree
from storage.rhythm.checkins import is_expected
from storage.vault import SealBroken

Habit = Literal["never", "fading"]
HABITS: Final[tuple[Habit, ...]] = ("never", "fading")
HALF: Final = 6
SPAN: Final = 2 * HALF
AT_LEAST: Final = 4
STEADY: Final = 4
_BACK: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Answering:
    """Someone with a habit. ``answered`` of the last ``asked`` questions; of those of a fading one
    ``lately`` of the last six and ``before`` of the six before.
    """

    person_id: int
    ref: str
    name: str
    area_name: str
    habit: Habit
    asked: int
    answered: int
    lately: int
    before: int


def _asked(now: datetime, *who: ColumnElement[bool]) -> CTE:
    """The last questions of each of these people, the newest ``n`` 1, and whether answered."""
    spoke = aliased(Contact)
    word = exists(
        select(literal(1)).where(
            spoke.person_id == Checkin.person_id,
            spoke.evidence == "self",
            spoke.at >= Checkin.delivered_at,
            spoke.at < Checkin.window_until,
        )
    )
    last = aliased(Checkin)
    # Picked for each person by the index: most have many more than these behind them.
    newest = (
        select(last.id)
        .where(
            last.person_id == Person.id,
            last.delivered_at.is_not(None),
            last.due_at > now - _BACK,
            or_(last.window_until <= now, last.answered_at.is_not(None)),
        )
        .order_by(last.due_at.desc(), last.id.desc())
        .limit(SPAN)
        .correlate(Person)
    )
    return (
        select(
            Checkin.person_id,
            case((or_(Checkin.answered_at.is_not(None), word), 1), else_=0).label("answered"),
            func.row_number()
            .over(
                partition_by=Checkin.person_id,
                order_by=(Checkin.due_at.desc(), Checkin.id.desc()),
            )
            .label("n"),
        )
        .select_from(Person)
        .join(Area, Area.id == Person.area_id)
        .join(Checkin, Checkin.id.in_(newest))
        .where(
            is_expected(),
            exists(
                select(literal(1)).where(
                    Account.person_id == Person.id, Account.state == "reachable"
                )
            ),
            *who,
        )
        .cte("asked")
    )


def _habits(now: datetime, *who: ColumnElement[bool]) -> CTE:
    asked = _asked(now, *who)
    late = asked.c.n <= HALF
    counted = (
        select(
            asked.c.person_id,
            func.count().label("asked"),
            func.sum(asked.c.answered).cast(Integer).label("answered"),
            func.sum(case((late, asked.c.answered), else_=0)).cast(Integer).label("lately"),
            func.sum(case((late, 0), else_=asked.c.answered)).cast(Integer).label("before"),
        )
        .group_by(asked.c.person_id)
        .cte("counted")
    )
    c = counted.c
    habit = case(
        (and_(c.asked >= AT_LEAST, c.answered == 0), "never"),
        (and_(c.asked == SPAN, c.before >= STEADY, c.lately * 3 <= c.before), "fading"),
    )
    return select(counted, habit.label("habit")).cte("habits")


async def habits_of(tx: Tx, person_ids: Collection[int], now: datetime) -> dict[int, Habit]:
    """The habits of those of these people who have one."""
    if not person_ids:
        return {}
    found = _habits(now, Person.id.in_(person_ids)).c
    rows = await tx.execute(select(found.person_id, found.habit).where(found.habit.is_not(None)))
    return {row.person_id: row.habit for row in rows}


async def count_habits(tx: Tx, paths: Collection[str], now: datetime) -> dict[Habit, int]:
    """How many of the workers of these subtrees have which habit."""
    found = _habits(now, _below(paths)).c
    rows = await tx.execute(
        select(found.habit, func.count().label("n"))
        .where(found.habit.is_not(None))
        .group_by(found.habit)
    )
    counted: dict[Habit, int] = dict.fromkeys(HABITS, 0)
    return counted | {row.habit: row.n for row in rows}


async def list_habit(
    tx: Tx, paths: Collection[str], habit: Habit, now: datetime, limit: int, offset: int = 0
) -> list[Answering]:
    """A page of those with a habit, the clearest first. The caller has checked who asks."""
    found = _habits(now, _below(paths))
    rows = await tx.execute(_named(found).where(found.c.habit == habit).limit(limit).offset(offset))
    return [
        Answering(
            person_id=row.person_id,
            ref=row.ref,
            name=_name(tx, row),
            area_name=row.area_name,
            habit=row.habit,
            asked=row.asked,
            answered=row.answered,
            lately=row.lately,
            before=row.before,
        )
        for row in rows
    ]


def _below(paths: Collection[str]) -> ColumnElement[bool]:
    return or_(*(in_subtree(Area.path, path) for path in paths)) if paths else literal(False)


def _named(found: CTE) -> Select[Any]:
    return (
        select(found, Person.ref, Person.name, Area.name.label("area_name"))
        .join(Person, Person.id == found.c.person_id)
        .join(Area, Area.id == Person.area_id)
        .order_by((found.c.before - found.c.lately).desc(), found.c.asked.desc(), found.c.person_id)
    )


def _name(tx: Tx, row: Any) -> str:
    try:
        return "" if row.name is None else tx.vault.open("person.name", row.ref, row.name)
    except SealBroken:
        return ""

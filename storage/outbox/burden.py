"""What people bear: the unsolicited messages of their last seven days, and what waits for them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Executable,
    Select,
    any_,
    bindparam,
    case,
    func,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.engine.given import as_given, given_ids
from storage.engine.prepared import Prepared
from storage.models import Area, Delivery, PastDelivery, Person
from storage.outbox.messages import QUEUED
from storage.people.budgets import DEFAULT, budget_of

ASKS: Final = ("checkin", "rollcall")
"""Templates that ask how someone is."""
COUNTED: Final = (*ASKS, "reminder", "broadcast")
"""Templates that weigh on a week's budget, unless they are urgent.

A nudge belongs to its check-in and is not counted again. Answers, what family and officers get as
such, and urgent roll calls are outside the budget.
"""
JOINED: Final = (*COUNTED, "nudge", "nudge_again")
"""Templates that may leave as one message with others."""
WEEK: Final = timedelta(days=7)
USED_UP: Final = "this week's messages are used up"
"""Why a message waits for the budget."""

_AT: Final = Delivery.not_before.type


class Waiting(NamedTuple):
    """A counted message that waits for someone, and may go along with another."""

    id: int
    not_before: datetime


@dataclass(slots=True)
class Burden:
    """What one person bears. ``sent`` are the times of the messages that counted (UTC): what left
    as one counts once, and what may have arrived counts. ``in_flight`` are on their way."""

    budget: int = DEFAULT
    sent: set[tuple[datetime, int]] = field(default_factory=set)
    in_flight: int = 0
    waiting: list[Waiting] = field(default_factory=list)

    @property
    def times(self) -> list[datetime]:
        return [at for at, _ in self.sent]


def counted(table: Any) -> Any:
    """The condition that a row of this table of deliveries weighs on the budget."""
    # Spelt out: a list has no one text.
    return ~table.urgent & or_(*(table.template == it for it in COUNTED))


def went_out(table: Any) -> Any:
    """The condition that it arrived, or may have."""
    return or_(table.state == "sent", table.state == "unknown")


def _hot(since: Any, soon: Any) -> Any:
    """The condition that a row of the outbox weighs, or waits and may go along."""
    waits = or_(Delivery.not_before <= soon, Delivery.reason == USED_UP)
    left = went_out(Delivery) & (Delivery.finished_at > since)
    return counted(Delivery) & or_(QUEUED & waits, Delivery.state == "sending", left)


def _past(since: Any) -> Any:
    return counted(PastDelivery) & went_out(PastDelivery) & (PastDelivery.finished_at > since)


_SINCE: Final = bindparam("since", type_=_AT)
_SOON: Final = bindparam("soon", type_=_AT)
_WAITS: Final = 1_000
"""More than any budget: whoever has a message waiting is looked at."""

Among = Callable[[Any, str], ColumnElement[bool]]
"""``among(column, name)``: the condition that a column is one of the ids given by a name."""


def _burdened(among: Among) -> Select[int, int]:
    hot = (
        select(func.coalesce(func.sum(case((QUEUED, _WAITS), else_=1)), 0))
        .where(Delivery.person_id == Person.id, _hot(_SINCE, _SOON))
        .correlate(Person)
        .scalar_subquery()
    )
    past = (
        select(func.count())
        .where(PastDelivery.person_id == Person.id, _past(_SINCE))
        .correlate(Person)
        .scalar_subquery()
    )
    # The areas are few, and their budgets are looked up once each.
    homes = (
        select(Area.id, budget_of(Area.path).label("budget"))
        .where(Area.id.in_(select(Person.area_id).where(among(Person.id, "people")).distinct()))
        .cte("homes")
        .prefix_with("MATERIALIZED")
    )
    kept = case((homes.c.budget > 2, homes.c.budget - 1), else_=1)
    budget = func.coalesce(homes.c.budget, DEFAULT)
    return (
        select(Person.id, budget.label("budget"))
        .outerjoin(homes, homes.c.id == Person.area_id)
        .where(among(Person.id, "people"), hot + past > func.coalesce(kept, DEFAULT - 1))
    )


def _burden(among: Among) -> Select[Any]:
    hot: Any = select(
        Delivery.person_id,
        Delivery.id,
        Delivery.state,
        Delivery.not_before,
        Delivery.finished_at,
        Delivery.message_id,
    ).where(among(Delivery.person_id, "people"), ~among(Delivery.id, "but"), _hot(_SINCE, _SOON))
    past: Any = select(
        PastDelivery.person_id,
        PastDelivery.id,
        PastDelivery.state,
        null(),
        PastDelivery.finished_at,
        PastDelivery.message_id,
    ).where(among(PastDelivery.person_id, "people"), _past(_SINCE))
    every = union_all(hot, past).subquery()
    return select(every)


def _among_given(column: Any, name: str) -> ColumnElement[bool]:
    return cast("ColumnElement[bool]", column.in_(given_ids(name)))


def _among_array(column: Any, name: str) -> ColumnElement[bool]:
    return cast("ColumnElement[bool]", column == any_(bindparam(name, type_=ARRAY(BigInteger))))


class _Asked:
    """A statement about the people of a claim.

    PostgreSQL, which knows arrays, takes a list for a hundred rows, and would sooner read all that
    left this week, once for each of the list, than look up those few people.
    """

    def __init__(self, statement: Callable[[Among], Executable]) -> None:
        self._given = Prepared(statement(_among_given))
        self._arrays = Prepared(statement(_among_array))

    async def run(
        self, tx: Tx, ids: Mapping[str, Iterable[int]], values: Mapping[str, Any]
    ) -> Sequence[Any]:
        if tx.on_postgres:
            arrays = {name: [*those] for name, those in ids.items()}
            return await tx.run(self._arrays, {**arrays, **values})
        given = {name: as_given((it,) for it in those) for name, those in ids.items()}
        return await tx.run(self._given, {**given, **values})


_BURDENED: Final = _Asked(_burdened)
_BURDEN: Final = _Asked(_burden)


async def load_burdens(
    tx: Tx, people: Collection[int], but: Iterable[int], since: datetime, soon: datetime
) -> dict[int, Burden]:
    """What those of ``people`` bear since ``since`` who may have to wait, or have company.

    That is looked at first, by the amount alone, for most have next to nothing in a week; whoever
    is left out can bear whatever is claimed for them. The messages ``but`` are being decided on:
    they are ``sending``, and not in what is returned. Waiting are those due until ``soon``, and
    those that wait for the budget. Two statements, however many people there are.
    """
    times = {"since": since, "soon": soon}
    found = {
        row.id: Burden(row.budget) for row in await _BURDENED.run(tx, {"people": people}, times)
    }
    if not found:
        return found
    for row in await _BURDEN.run(tx, {"people": found, "but": but}, times):
        burden = found[row.person_id]
        if row.state == "queued":
            burden.waiting.append(Waiting(row.id, row.not_before))
        elif row.state == "sending":
            burden.in_flight += 1
        else:
            # What left as one has one message's id; without an id it was lost in one moment.
            burden.sent.add((row.finished_at, row.message_id or 0))
    return found


def _claim_company() -> Prepared:
    leader = aliased(Delivery)
    picked = (
        select(Delivery.id)
        .where(Delivery.id.in_(given_ids("ids")), QUEUED)
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    lease = select(leader.lease_until).where(leader.id == bindparam("leader")).scalar_subquery()
    return Prepared(
        update(Delivery)
        .where(Delivery.id.in_(select(picked.c.id)))
        .values(state="sending", attempts=Delivery.attempts + 1, lease_until=lease)
        .returning(Delivery.id)
    )


_CLAIM_COMPANY: Final = _claim_company()


async def claim_company(tx: Tx, ids: Iterable[int], leader: int) -> set[int]:
    """Take these waiting messages, too, for as long as the claimed message ``leader`` is taken.

    Those that another process is busy with are left out.
    """
    values = {"ids": as_given((it,) for it in ids), "leader": leader}
    return {row.id for row in await tx.run(_CLAIM_COMPANY, values)}

"""What people bear: the unsolicited messages of their last seven days, and what waits for them."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    any_,
    bindparam,
    literal_column,
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


def _burden(among: Callable[[Any, str], ColumnElement[bool]]) -> Select[Any]:
    """``among(column, name)``: the condition that a column is one of the ids given by a name."""
    since = bindparam("since", type_=_AT)
    # All that a person has in the outbox is a few rows, by the index of people.
    hot: Any = select(
        Delivery.person_id,
        Delivery.id,
        Delivery.state,
        Delivery.not_before,
        Delivery.finished_at,
        Delivery.message_id,
        literal_column("0").label("budget"),
    ).where(
        among(Delivery.person_id, "people"),
        counted(Delivery),
        ~among(Delivery.id, "but"),
        or_(
            QUEUED
            & or_(
                Delivery.not_before <= bindparam("soon", type_=_AT),
                Delivery.reason == USED_UP,
            ),
            Delivery.state == "sending",
            went_out(Delivery) & (Delivery.finished_at > since),
        ),
    )
    past: Any = select(
        PastDelivery.person_id,
        PastDelivery.id,
        PastDelivery.state,
        null(),
        PastDelivery.finished_at,
        PastDelivery.message_id,
        literal_column("0"),
    ).where(
        among(PastDelivery.person_id, "people"),
        PastDelivery.finished_at > since,
        counted(PastDelivery),
        went_out(PastDelivery),
    )
    # The areas are few, and looked at once each; whose budget is the usual one has no row.
    theirs = select(Person.area_id).where(among(Person.id, "people")).distinct()
    homes = (
        select(Area.id, budget_of(Area.path).label("budget"))
        .where(Area.id.in_(theirs))
        .cte("homes")
        .prefix_with("MATERIALIZED")
    )
    budget = (
        select(
            Person.id,
            literal_column("0"),
            literal_column("'budget'"),
            null(),
            null(),
            null(),
            homes.c.budget,
        )
        .join(homes, homes.c.id == Person.area_id)
        .where(among(Person.id, "people"), homes.c.budget != DEFAULT)
    )
    every = union_all(hot, past, budget).subquery()
    return select(every)


def _among_given(column: Any, name: str) -> ColumnElement[bool]:
    return cast("ColumnElement[bool]", column.in_(given_ids(name)))


def _among_array(column: Any, name: str) -> ColumnElement[bool]:
    return cast("ColumnElement[bool]", column == any_(bindparam(name, type_=ARRAY(BigInteger))))


_BURDEN: Final = Prepared(_burden(_among_given))
_BURDEN_AT_ONCE: Final = Prepared(_burden(_among_array))
"""For PostgreSQL, which knows arrays: it takes a list for a hundred rows, and would sooner read all
that left this week, once for each of the list, than look up those few people."""


async def load_burden(
    tx: Tx, people: Collection[int], but: Iterable[int], since: datetime, soon: datetime
) -> dict[int, Burden]:
    """What each of these people bears since ``since``, in one statement however many they are.

    Without the messages ``but``, which are being decided on. Waiting are those due until ``soon``,
    and those that wait for the budget.
    """
    times = {"since": since, "soon": soon}
    if tx.on_postgres:
        rows = await tx.run(_BURDEN_AT_ONCE, {"people": [*people], "but": [*but], **times})
    else:
        people_given, but_given = (as_given((it,) for it in ids) for ids in (people, but))
        rows = await tx.run(_BURDEN, {"people": people_given, "but": but_given, **times})
    found = {person: Burden() for person in people}
    for row in rows:
        burden = found[row.person_id]
        if row.state == "budget":
            burden.budget = row.budget
        elif row.state == "queued":
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

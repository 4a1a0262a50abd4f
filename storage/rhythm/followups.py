"""Check-ins without an answer, and what is done about them: loaded and written in batches."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import and_, bindparam, exists, func, literal, select, update
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Account, Checkin, Contact, Delivery, Person, Step, Task
from storage.outbox.messages import CHECKIN, lane_of
from storage.register.contacts import is_uncorrected
from storage.rhythm.checkins import is_expected
from storage.rhythm.tasks import NewTask, add_tasks

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Open:
    """A check-in whose next step may be due, with all that the decision rests on. Times are UTC.

    ``heard_at`` is the worker's own last word since the check-in was due, ``reached_at`` the last
    success of a relative or a liaison since then. ``other_task``: one is open for the worker that
    another check-in, or their family, opened.
    """

    checkin_id: int
    person_id: int
    area_id: int
    rule_id: int
    version: int
    due_at: datetime
    window_until: datetime
    delivered_at: datetime | None
    answered_at: datetime | None
    stage: int
    steps: int
    expected: bool
    reachable: bool
    heard_at: datetime | None
    reached_at: datetime | None
    task_at: datetime | None
    raised_at: datetime | None
    other_task: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """What a batch came to: steps to write down, nudges to send, tasks, and when to look again.

    ``looks``: ``(checkin_id, stage, next_at)``, null for never. ``nudges``:
    ``(checkin_id, person_id, n, expires_at)``. ``asks``: check-ins whose families are asked.
    ``tasks``: ``(Open, why, raise_at)``.
    """

    steps: list[dict[str, Any]] = field(default_factory=list)
    looks: list[tuple[int, int, datetime | None]] = field(default_factory=list)
    nudges: list[tuple[int, int, int, datetime]] = field(default_factory=list)
    asks: list[int] = field(default_factory=list)
    tasks: list[tuple[Open, str, datetime | None]] = field(default_factory=list)
    raised: list[int] = field(default_factory=list)


def _last(*which: Any) -> Any:
    return (
        select(func.max(Contact.at))
        .where(
            Contact.person_id == Checkin.person_id,
            Contact.at >= Checkin.due_at,
            is_uncorrected(),
            *which,
        )
        .correlate(Checkin)
        .scalar_subquery()
    )


_OTHER: Final = aliased(Task)
_OPEN: Final = (
    select(
        Checkin.id.label("checkin_id"),
        Checkin.person_id,
        Checkin.area_id,
        Checkin.rule_id,
        Checkin.version,
        Checkin.due_at,
        Checkin.window_until,
        Checkin.delivered_at,
        Checkin.answered_at,
        Checkin.stage,
        select(func.count())
        .where(Step.checkin_id == Checkin.id)
        .correlate(Checkin)
        .scalar_subquery()
        .label("steps"),
        is_expected().label("expected"),
        exists(
            select(literal(1)).where(
                Account.person_id == Checkin.person_id, Account.state == "reachable"
            )
        ).label("reachable"),
        _last(Contact.evidence == "self").label("heard_at"),
        _last(Contact.evidence.in_(("relative", "liaison")), Contact.success).label("reached_at"),
        Task.opened_at.label("task_at"),
        Task.raised_at,
        exists(
            select(literal(1)).where(
                _OTHER.person_id == Checkin.person_id,
                _OTHER.closed_at.is_(None),
                _OTHER.checkin_id.is_distinct_from(Checkin.id),
            )
        ).label("other_task"),
    )
    .join(Person, Person.id == Checkin.person_id)
    .outerjoin(Task, and_(Task.checkin_id == Checkin.id, Task.person_id == Checkin.person_id))
    .where(
        Checkin.next_at <= bindparam("at", type_=Checkin.due_at.type),
        Checkin.rule_id.is_not(None),
    )
    .order_by(Checkin.next_at, Checkin.id)
    .limit(BATCH)
    .with_for_update(of=Checkin, skip_locked=True)
)


async def is_step_due(tx: Tx, now: datetime) -> bool:
    """Whether any check-in wants to be looked at; one index probe."""
    return bool(await tx.scalar(select(exists().where(Checkin.next_at <= now))))


async def heard_meanwhile(tx: Tx, checkin_ids: Collection[int]) -> set[int]:
    """Those of the check-ins since which there was word of the person, however it came.

    From themselves, through any account of theirs, from their family, or through a liaison's call.
    """
    if not checkin_ids:
        return set()
    word = and_(
        Contact.person_id == Checkin.person_id,
        Contact.at >= Checkin.due_at,
        Contact.success,
        is_uncorrected(),
    )
    found = await tx.execute(
        select(Checkin.id).where(
            Checkin.id.in_(checkin_ids), exists(select(literal(1)).where(word))
        )
    )
    return set(found.scalars())


async def load_open(tx: Tx, now: datetime) -> list[Open]:
    """A batch of check-ins whose next step may be due, the longest due first, locked."""
    rows = await tx.execute(_OPEN, {"at": now})
    return [Open(**row._mapping) for row in rows]  # noqa: SLF001  # SQLAlchemy's public name for it


_LOOK: Final = (
    update(Checkin)
    .where(Checkin.id == bindparam("b_id"))
    .values(stage=bindparam("b_stage"), next_at=bindparam("b_next"))
)


async def record_taken(tx: Tx, taken: Taken, now: datetime) -> None:
    """Write what was decided of a batch. Doing it twice writes nothing twice."""
    if taken.steps:
        await tx.execute(tx.insert(Step).on_conflict_do_nothing(), taken.steps)
    for n in {nudge[2] for nudge in taken.nudges}:
        await _enqueue_nudges(tx, [nudge for nudge in taken.nudges if nudge[2] == n], n, now)
    new = [
        NewTask(case.person_id, case.area_id, case.checkin_id, why, raise_at)
        for case, why, raise_at in taken.tasks
    ]
    await add_tasks(tx, new, now)
    if taken.raised:
        await tx.execute(
            update(Task)
            .where(Task.checkin_id.in_(taken.raised), Task.raised_at.is_(None))
            .values(raised_at=now)
        )
    if taken.looks:
        looks = [
            {"b_id": checkin_id, "b_stage": stage, "b_next": next_at}
            for checkin_id, stage, next_at in sorted(taken.looks)
        ]
        await tx.execute(_LOOK, looks)


async def _enqueue_nudges(
    tx: Tx, nudges: Sequence[tuple[int, int, int, datetime]], n: int, now: datetime
) -> None:
    rows = [
        {
            "person_id": person_id,
            "template": nudge_template(n),
            "priority": CHECKIN,
            "urgent": False,
            "checkin_id": checkin_id,
            "dedupe_key": f"nudge:{checkin_id}:{n}",
            "not_before": now,
            "expires_at": expires_at,
            "state": "queued",
            "attempts": 0,
            "created_at": now,
        }
        for checkin_id, person_id, _, expires_at in nudges
    ]
    await tx.execute(
        tx.insert(Delivery).on_conflict_do_nothing(index_elements=[Delivery.dedupe_key]), rows
    )
    # Laneless rows are given their lane by delivery's tick; this saves them the wait.
    await tx.execute(
        update(Delivery)
        .where(
            Delivery.dedupe_key.in_([row["dedupe_key"] for row in rows]), Delivery.lane.is_(None)
        )
        .values(lane=lane_of(Delivery.person_id))
        .execution_options(synchronize_session=False)
    )


def nudge_template(n: int) -> Literal["nudge", "nudge_again"]:
    """The first nudge is worded unlike those after it."""
    return "nudge" if n == 1 else "nudge_again"

"""What is still known of a person's day: questions, messages, steps, tasks and answers."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, or_, select

from storage.database import Tx
from storage.models import (
    Account,
    Checkin,
    Contact,
    Delivery,
    Kin,
    KinQuestion,
    PastDelivery,
    Rollcall,
    Rule,
    Step,
    Task,
)
from storage.rhythm.rollcall_access import over_since
from storage.rhythm.why_facts import (
    Asked,
    FamilyAsked,
    Heard,
    Message,
    StepTaken,
    TaskNoted,
)

_MOST = 100
"""Of each kind on one day; nobody has as many."""


async def asked_on(
    tx: Tx, person_id: int, start: datetime, end: datetime, day: date
) -> list[Asked]:
    """Check-ins and roll calls due in ``[start, end)``, or of the local day's slot."""
    rows: Iterable[Sequence[Any]] = await tx.execute(
        select(
            Checkin.id,
            Rule.code,
            Checkin.rollcall_id.is_not(None),
            Checkin.version,
            Checkin.due_at,
            Checkin.window_until,
            Checkin.delivered_at,
            Checkin.answered_at,
            Checkin.answer,
            over_since(),
        )
        .outerjoin(Rollcall, Rollcall.id == Checkin.rollcall_id)
        .outerjoin(Rule, Rule.id == Checkin.rule_id)
        .where(
            Checkin.person_id == person_id,
            or_(
                and_(Checkin.due_at >= start, Checkin.due_at < end),
                Checkin.slot == day.isoformat(),
            ),
        )
        .order_by(Checkin.due_at, Checkin.id)
        .limit(_MOST)
    )
    return [Asked(*row) for row in rows]


async def messages_on(
    tx: Tx, person_id: int, start: datetime, end: datetime, now: datetime
) -> list[Message]:
    """Messages that were made, waited, or ended in ``[start, end)``."""
    waiting = (
        and_(Delivery.not_before < end, Delivery.finished_at.is_(None))
        if start <= now
        else (and_(Delivery.not_before >= start, Delivery.not_before < end))
    )
    found = await tx.execute(
        select(
            Delivery.id,
            Delivery.template,
            Delivery.state,
            Delivery.reason,
            Account.channel,
            Delivery.finished_at,
            Delivery.created_at,
            Delivery.not_before,
            Delivery.expires_at,
            Delivery.urgent,
            Delivery.attempts,
        )
        .outerjoin(Account, Account.id == Delivery.account_id)
        .where(
            Delivery.person_id == person_id,
            Delivery.created_at < max(end, now),
            or_(
                and_(Delivery.finished_at >= start, Delivery.created_at < end),
                and_(Delivery.not_before >= start, Delivery.not_before < end),
                and_(waiting, Delivery.expires_at > start),
            ),
        )
        .order_by(Delivery.not_before, Delivery.id)
        .limit(_MOST)
    )
    messages = [
        Message(
            row.id,
            row.template,
            row.state,
            row.reason,
            row.channel,
            row.finished_at or row.not_before,
            row.created_at,
            row.not_before,
            row.expires_at,
            row.urgent,
            row.attempts,
        )
        for row in found
    ]
    return await _past(tx, person_id, start, end) + messages


async def _past(tx: Tx, person_id: int, start: datetime, end: datetime) -> list[Message]:
    found = await tx.execute(
        select(
            PastDelivery.id,
            PastDelivery.template,
            PastDelivery.state,
            PastDelivery.reason,
            Account.channel,
            PastDelivery.finished_at,
            PastDelivery.created_at,
            PastDelivery.urgent,
            PastDelivery.attempts,
        )
        .outerjoin(Account, Account.id == PastDelivery.account_id)
        .where(
            PastDelivery.person_id == person_id,
            PastDelivery.finished_at >= start,
            PastDelivery.created_at < end,
        )
        .order_by(PastDelivery.finished_at, PastDelivery.id)
        .limit(_MOST)
    )
    return [
        Message(
            row.id,
            row.template,
            row.state,
            row.reason,
            row.channel,
            row.finished_at,
            row.created_at,
            None,
            None,
            row.urgent,
            row.attempts,
        )
        for row in found
    ]


async def steps_on(
    tx: Tx, person_id: int, checkins: Sequence[int], start: datetime, end: datetime
) -> list[StepTaken | FamilyAsked | TaskNoted | Heard]:
    """What was done about silence and what was heard, in the order in which it came."""
    found: list[StepTaken | FamilyAsked | TaskNoted | Heard] = []
    steps: Iterable[Sequence[Any]] = await tx.execute(
        select(Step.kind, Step.outcome, Step.reason, Step.at)
        .where(
            Step.person_id == person_id,
            or_(and_(Step.at >= start, Step.at < end), Step.checkin_id.in_(checkins)),
        )
        .order_by(Step.at, Step.id)
        .limit(_MOST)
    )
    found += [StepTaken(*row) for row in steps]
    questions = await tx.execute(
        select(KinQuestion.asked_at, KinQuestion.answered_at, KinQuestion.answer)
        .join(Kin, Kin.id == KinQuestion.kin_id)
        .where(
            Kin.worker_id == person_id,
            or_(
                and_(KinQuestion.asked_at >= start, KinQuestion.asked_at < end),
                and_(KinQuestion.answered_at >= start, KinQuestion.answered_at < end),
                KinQuestion.checkin_id.in_(checkins),
            ),
        )
        .order_by(KinQuestion.asked_at, KinQuestion.id)
        .limit(_MOST)
    )
    for row in questions:
        found.append(FamilyAsked(row.asked_at, None))
        if row.answered_at is not None:
            found.append(FamilyAsked(row.answered_at, row.answer))
    found += await _tasks(tx, person_id, checkins, start, end)
    heard: Iterable[Sequence[Any]] = await tx.execute(
        select(Contact.evidence, Contact.kind, Contact.outcome, Contact.success, Contact.at)
        .where(Contact.person_id == person_id, Contact.at >= start, Contact.at < end)
        .order_by(Contact.at, Contact.id)
        .limit(_MOST)
    )
    found += [Heard(*row) for row in heard]
    return sorted(found, key=lambda fact: fact.at)


async def _tasks(
    tx: Tx, person_id: int, checkins: Sequence[int], start: datetime, end: datetime
) -> list[TaskNoted]:
    times = (Task.opened_at, Task.raised_at, Task.closed_at)
    rows = await tx.execute(
        select(Task.why, *times, Task.closed_as)
        .where(
            Task.person_id == person_id,
            or_(*(and_(at >= start, at < end) for at in times), Task.checkin_id.in_(checkins)),
        )
        .order_by(Task.opened_at, Task.id)
        .limit(_MOST)
    )
    noted = []
    for row in rows:
        noted.append(TaskNoted("opened", row.why, row.opened_at))
        if row.raised_at is not None:
            noted.append(TaskNoted("raised", row.why, row.raised_at))
        if row.closed_at is not None:
            noted.append(TaskNoted("closed", row.closed_as or "", row.closed_at))
    return noted


async def next_step_at(tx: Tx, person_id: int) -> datetime | None:
    """When the next step of an open check-in of theirs is due."""
    at: datetime | None = await tx.scalar(
        select(Checkin.next_at)
        .where(Checkin.person_id == person_id, Checkin.next_at.is_not(None))
        .order_by(Checkin.next_at)
        .limit(1)
    )
    return at

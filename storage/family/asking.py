"""Asking the family: "have you heard from …?"."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, Literal

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    Select,
    bindparam,
    exists,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.family.ties import STANDS, opened
from storage.models import Account, Checkin, Contact, Delivery, Kin, KinQuestion, Person
from storage.outbox.messages import CHECKIN, lane_of
from storage.register.contacts import is_uncorrected

Answer = Literal["fine", "no", "call"]
ANSWER_WITHIN: Final = timedelta(hours=24)
"""How long a relative has, and how long the question is of use."""


@dataclass(frozen=True, slots=True)
class KinState:
    """What the family can do, and did, about one unanswered check-in. Times are UTC.

    ``relative``: someone may be asked now: they agreed, can be reached and are not taking a
    break, and the worker is away or moving. ``asked_at`` is when someone who still may answer was
    asked; ``said`` the last answer.
    """

    relative: bool = False
    asked_at: datetime | None = None
    said: Answer | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, as its letter needs it. ``trouble``: why it should not go out any more."""

    name: str
    trouble: str | None


def _askable(worker: Any, relative: Any) -> ColumnElement[bool]:
    """Of a tie's two people: the relative may be asked about the worker now."""
    askable: ColumnElement[bool] = (
        STANDS
        & worker.consented
        & worker.erased_at.is_(None)
        & worker.status.in_(("away", "moving"))
        & relative.consented
        & relative.erased_at.is_(None)
        & relative.status.not_in(("paused", "left"))
        & exists(
            select(literal(1)).where(Account.person_id == relative.id, Account.state == "reachable")
        )
    )
    return askable


def _may_be_asked(checkin_ids: Collection[int] | BindParameter[Any]) -> Select[Any]:
    """One row for each tie that may be asked about each check-in, the best one ``place`` 1."""
    worker, relative = aliased(Person), aliased(Person)
    answered = (
        select(func.max(KinQuestion.answered_at))
        .where(KinQuestion.kin_id == Kin.id)
        .correlate(Kin)
        .scalar_subquery()
    )
    return (
        select(
            Checkin.id.label("checkin_id"),
            Kin.id.label("kin_id"),
            func.row_number()
            .over(
                partition_by=Checkin.id,
                # The databases put nulls at different ends.
                order_by=(answered.is_(None), answered.desc(), Kin.id.desc()),
            )
            .label("place"),
        )
        .join(Kin, Kin.worker_id == Checkin.person_id)
        .join(worker, worker.id == Kin.worker_id)
        .join(relative, relative.id == Kin.relative_id)
        .where(Checkin.id.in_(checkin_ids), _askable(worker, relative))
    )


@cache
def _state() -> tuple[Select[Any], Select[int, datetime, str | None]]:
    """Who has somebody to ask, and what was asked, of ``checkins``.

    Building them costs many times what they do, and escalation asks with every batch.
    """
    these: BindParameter[Any] = bindparam("checkins", expanding=True)
    askable = _may_be_asked(these).subquery("askable")
    stands = exists(
        select(literal(1)).where(
            askable.c.checkin_id == KinQuestion.checkin_id, askable.c.kin_id == KinQuestion.kin_id
        )
    )
    asked = (
        select(
            KinQuestion.checkin_id,
            KinQuestion.asked_at,
            KinQuestion.answer,
        )
        .where(KinQuestion.checkin_id.in_(these), KinQuestion.answered_at.is_not(None) | stands)
        .order_by(KinQuestion.answered_at.is_not(None), KinQuestion.answered_at, KinQuestion.id)
    )
    return select(askable.c.checkin_id).where(askable.c.place == 1), asked


async def kin_state(tx: Tx, checkin_ids: Collection[int]) -> dict[int, KinState]:
    """Where the family stands with each check-in; those without any family are not in it.

    A question to someone who withdrew, or cannot be reached any more, counts as not asked: the
    next one may be.
    """
    if not checkin_ids:
        return {}
    able, questions = _state()
    these = {"checkins": list(checkin_ids)}
    known = {row.checkin_id: KinState(relative=True) for row in await tx.execute(able, these)}
    asked = await tx.execute(questions, these)
    for row in asked:  # answers last, the newest at the end
        before = known.get(row.checkin_id, KinState())
        known[row.checkin_id] = KinState(before.relative, row.asked_at, row.answer or before.said)
    return known


async def ask_families(tx: Tx, checkin_ids: Collection[int], now: datetime) -> dict[int, int]:
    """Ask one relative about each of these check-ins; the questions' ids, by check-in.

    The one asked is who answered last, else who joined last, of those who may be asked. A
    question that waits for its answer is not asked again, of anyone. Left out are check-ins about
    which nobody can be asked. The letter leaves through the outbox outside the relative's quiet
    hours, and is of no use after :data:`ANSWER_WITHIN`.
    """
    if not checkin_ids:
        return {}
    asked = await _asked_before(tx, checkin_ids)
    missing = [it for it in checkin_ids if it not in asked]
    if not missing:
        return asked
    best = _may_be_asked(missing).subquery("best")
    written = await tx.execute(
        tx.insert(KinQuestion)
        .from_select(
            ["kin_id", "checkin_id", "asked_at", "answer_until"],
            select(
                best.c.kin_id,
                best.c.checkin_id,
                literal(now, KinQuestion.asked_at.type),
                literal(now + ANSWER_WITHIN, KinQuestion.asked_at.type),
            ).where(best.c.place == 1),
        )
        .on_conflict_do_nothing()
        .returning(KinQuestion.id)
    )
    new = (
        await tx.execute(
            select(KinQuestion.id, KinQuestion.checkin_id, Kin.relative_id)
            .join(Kin, Kin.id == KinQuestion.kin_id)
            .where(KinQuestion.id.in_(written.scalars().all()))
            .order_by(KinQuestion.id)
        )
    ).all()
    await _write_letters(tx, new, now)
    asked |= {row.checkin_id: int(row.id) for row in new}
    if len(asked) < len(checkin_ids):
        # Another process may have asked at the same moment, and its commit was waited for.
        asked |= await _asked_before(tx, [it for it in missing if it not in asked])
    return asked


async def _asked_before(tx: Tx, checkin_ids: Collection[int]) -> dict[int, int]:
    """The questions to people who may still answer them, by check-in."""
    askable = _may_be_asked(checkin_ids).subquery("askable")
    found = await tx.execute(
        select(KinQuestion.id, KinQuestion.checkin_id)
        .join(
            askable,
            (askable.c.kin_id == KinQuestion.kin_id)
            & (askable.c.checkin_id == KinQuestion.checkin_id),
        )
        .order_by(KinQuestion.id)
    )
    return {row.checkin_id: int(row.id) for row in found}


async def _write_letters(tx: Tx, questions: Sequence[Row[Any]], now: datetime) -> None:
    if not questions:
        return
    await tx.execute(
        insert(Delivery).values(lane=lane_of(bindparam("to", type_=Delivery.person_id.type))),
        [
            {
                "to": row.relative_id,
                "person_id": row.relative_id,
                "template": "kin_ask",
                # Not ``checkin_id``: its delivery is the worker's, and this one is not theirs.
                "params": {"question": row.id},
                "priority": CHECKIN,
                "dedupe_key": f"kin_ask:{row.id}",
                "not_before": now,
                "expires_at": now + ANSWER_WITHIN,
                "created_at": now,
            }
            for row in questions
        ],
    )


async def questions_asked(tx: Tx, question_ids: Collection[int]) -> dict[int, Asked]:
    """What the letters of these questions need, looked at again before they leave."""
    if not question_ids:
        return {}
    heard = (
        select(func.max(Contact.at))
        .where(
            Contact.person_id == Kin.worker_id,
            Contact.at >= KinQuestion.asked_at,
            Contact.success,
            is_uncorrected(),
        )
        .correlate(Kin, KinQuestion)
        .scalar_subquery()
    )
    rows = await tx.execute(
        select(
            KinQuestion.id,
            KinQuestion.answered_at,
            Kin.ended_at,
            func.coalesce(Checkin.answered_at, heard).label("heard_at"),
            Person.ref,
            Person.name,
            Person.status,
            Person.erased_at,
        )
        .join(Kin, Kin.id == KinQuestion.kin_id)
        .join(Checkin, Checkin.id == KinQuestion.checkin_id)
        .join(Person, Person.id == Kin.worker_id)
        .where(KinQuestion.id.in_(question_ids))
    )
    return {row.id: Asked(name_of(tx, row), _trouble(row)) for row in rows}


def _trouble(row: Row[Any]) -> str | None:
    if row.erased_at is not None:
        return "the person asked about has left"
    if row.ended_at is not None:
        return "no longer a relative"
    if row.answered_at is not None or row.heard_at is not None:
        return "answered before it was sent"
    if row.status not in ("away", "moving"):
        return "the person asked about is not expected"
    return None


def name_of(tx: Tx, row: Row[Any]) -> str:
    """The name in a row with a person's ``ref`` and sealed ``name``; empty without one."""
    return opened(tx, "person.name", row.ref, row.name) or ""

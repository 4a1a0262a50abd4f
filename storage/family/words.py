"""What the family says of a worker: answers to questions, and word they give by themselves."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal

from sqlalchemy import ColumnElement, insert, select, update

from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.family.asking import Answer, name_of
from storage.family.ties import STANDS, Spoken, spoken_for
from storage.models import Checkin, Contact, Delivery, Kin, KinQuestion, Person
from storage.people.who import Who
from storage.rhythm.tasks import RAISED_AFTER, NewTask, add_tasks

Said = Literal["noted", "again", "late", "over", "left", "foreign", "today"]


@dataclass(frozen=True, slots=True)
class KinSaid:
    """What became of a relative's word: ``noted``, or why it has no effect.

    ``again``: there was an answer. ``late``: the time is over. ``over``: the tie was ended.
    ``left``: the worker has left. ``foreign``: no question of theirs. ``today``: they said the
    same today. ``about`` is the worker, where there is one to be named.
    """

    what: Said
    about: Spoken | None = None
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    id: int
    kin_id: int
    name: str


async def open_questions(tx: Tx, relative_id: int, now: datetime) -> list[OpenQuestion]:
    """What someone is being asked now, oldest first."""
    rows = await tx.execute(
        select(KinQuestion.id, KinQuestion.kin_id, Person.ref, Person.name)
        .join(Kin, Kin.id == KinQuestion.kin_id)
        .join(Person, Person.id == Kin.worker_id)
        .where(
            Kin.relative_id == relative_id,
            STANDS,
            KinQuestion.answered_at.is_(None),
            KinQuestion.answer_until > now,
        )
        .order_by(KinQuestion.id)
    )
    return [OpenQuestion(row.id, row.kin_id, name_of(tx, row)) for row in rows]


async def answer_question(
    tx: Tx, who: Who, question_id: int, answer: Answer, now: datetime
) -> KinSaid:
    """Take a relative's answer. ``fine`` is a contact; ``no`` and ``call`` stay with the question.

    The check-in's next step, if it waits for one, is due at once.
    """
    row = (
        await tx.execute(
            select(
                KinQuestion.kin_id,
                KinQuestion.answered_at,
                KinQuestion.answer_until,
                KinQuestion.checkin_id,
                Person.erased_at,
            )
            .join(Kin, Kin.id == KinQuestion.kin_id)
            .join(Person, Person.id == Kin.worker_id)
            .where(KinQuestion.id == question_id, Kin.relative_id == who.person_id)
        )
    ).one_or_none()
    if row is None:
        return KinSaid("foreign")
    if row.erased_at is not None:
        return KinSaid("left")
    about = next(iter(await spoken_for(tx, who.person_id, row.kin_id)), None)
    if about is None:
        return KinSaid("over")
    if row.answered_at is not None:
        return KinSaid("again", about)
    if row.answer_until <= now:
        return KinSaid("late", about)
    if not await _settle(tx, now, answer, KinQuestion.id == question_id):
        return KinSaid("again", about)
    if answer == "fine":
        await _vouch(tx, who, about, now, row.checkin_id)
    if answer == "call":
        await _have_called(tx, about, row.checkin_id, now)
    return KinSaid("noted", about, answer)


async def _have_called(tx: Tx, about: Spoken, checkin_id: int, now: datetime) -> None:
    """The relative was promised that the liaison calls: whatever the rule says of silence."""
    area_id = await tx.scalar(select(Person.area_id).where(Person.id == about.worker_id))
    if area_id is not None:
        task = NewTask(about.worker_id, area_id, checkin_id, "call", now + RAISED_AFTER)
        await add_tasks(tx, [task], now)


async def vouch_unasked(tx: Tx, who: Who, kin_id: int, now: datetime) -> KinSaid:
    """A relative says by themselves that they have heard from the worker, and all is well.

    Once a day of the relative's counts; it also answers what they are being asked about them.
    """
    about = next(iter(await spoken_for(tx, who.person_id, kin_id)), None)
    if about is None:
        return KinSaid(await _why_none(tx, who, kin_id))
    answered = await _settle(
        tx, now, "fine", KinQuestion.kin_id == kin_id, KinQuestion.answer_until > now
    )
    if not answered and await _vouched_today(tx, who, about, now):
        return KinSaid("today", about)
    await _vouch(tx, who, about, now, answered[-1] if answered else None)
    return KinSaid("noted", about, "fine")


async def _why_none(tx: Tx, who: Who, kin_id: int) -> Said:
    tie = (
        await tx.execute(
            select(Person.erased_at)
            .join(Kin, Kin.worker_id == Person.id)
            .where(Kin.id == kin_id, Kin.relative_id == who.person_id)
        )
    ).one_or_none()
    if tie is None:
        return "foreign"
    return "over" if tie.erased_at is None else "left"


async def _vouched_today(tx: Tx, who: Who, about: Spoken, now: datetime) -> bool:
    zone = zone_of(who.timezone)
    midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
    noted = await tx.scalar(
        select(Contact.id)
        .where(
            Contact.person_id == about.worker_id,
            Contact.at >= midnight,
            Contact.by_person_id == who.person_id,
            Contact.evidence == "relative",
        )
        .limit(1)
    )
    return noted is not None


async def _settle(tx: Tx, now: datetime, answer: Answer, *which: ColumnElement[bool]) -> list[int]:
    """Answer open questions once; the check-ins they were about, whose next step is due now."""
    settled = await tx.execute(
        update(KinQuestion)
        .where(KinQuestion.answered_at.is_(None), *which)
        .values(answered_at=now, answer=answer)
        .returning(KinQuestion.checkin_id)
    )
    checkins: list[int] = sorted(settled.scalars().all())
    if checkins:
        await tx.execute(
            update(Checkin)
            .where(Checkin.id.in_(checkins), Checkin.next_at > now)
            .values(next_at=now)
        )
    return checkins


async def _vouch(tx: Tx, who: Who, about: Spoken, now: datetime, checkin_id: int | None) -> None:
    await tx.execute(
        insert(Contact),
        {
            "person_id": about.worker_id,
            "area_id": about.area_id,
            "at": now,
            "evidence": "relative",
            "kind": "vouch",
            "outcome": "fine",
            "success": True,
            "checkin_id": checkin_id,
            "by_person_id": who.person_id,
        },
    )


async def question_of_message(tx: Tx, account_id: int, message_id: int) -> int | None:
    """The question that a message asked, as long as its delivery is at hand."""
    params = await tx.scalar(
        select(Delivery.params).where(
            Delivery.account_id == account_id,
            Delivery.message_id == message_id,
            Delivery.template == "kin_ask",
        )
    )
    return int(params["question"]) if params else None

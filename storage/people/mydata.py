"""Everything held about a person, for that person."""

from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, or_, select

from storage.database import Tx
from storage.models import (
    Account,
    Area,
    Case,
    CaseMessage,
    Checkin,
    Consent,
    Contact,
    Enrolment,
    Kin,
    KinQuestion,
    Person,
    Reminder,
    Role,
    Rule,
    StatusChange,
    Step,
    Subscription,
    Task,
    Topic,
)
from storage.outbox.past import EVERY_DELIVERY
from storage.people.held import held_about
from storage.people.looks import looks_at

_LOOKS: Final = 1000


async def export_person(tx: Tx, person_id: int) -> dict[str, Any]:
    """The whole record as plain JSON values, times as ISO 8601 in UTC."""
    held = await held_about(tx, person_id)
    every = EVERY_DELIVERY.c
    person = (
        await tx.execute(select(Person.ref, Person.phone).where(Person.id == person_id))
    ).one()
    return {
        "person": {
            "name": held.name,
            "phone": tx.vault.open("person.phone", person.ref, person.phone)
            if person.phone
            else None,
            "village": held.area,
            "language": held.language,
            "timezone": held.timezone,
            "country": held.country,
            "province": held.province,
            "city": held.city,
            "place": held.place,
            "status": held.status,
            "paused_until": held.paused_until.isoformat() if held.paused_until else None,
            "slower_rhythm": held.slower,
            "once_a_month": held.monthly,
            "asked_at": _as_clock(held.ask_minute),
            "usually_answers_at": _as_clock(held.usual_minute),
            "preferred_channel": held.prefers,
            "quiet_hours": [held.quiet_from, held.quiet_to],
        },
        "villages": await _rows(
            tx,
            select(Area.name.label("village"), Enrolment.since, Enrolment.until, Enrolment.ended_as)
            .join(Area, Area.id == Enrolment.area_id)
            .where(Enrolment.person_id == person_id)
            .order_by(Enrolment.id),
        ),
        "roles": await _rows(
            tx,
            select(Role.role, Area.name.label("area"), Role.since, Role.until)
            .join(Area, Area.id == Role.area_id)
            .where(Role.person_id == person_id)
            .order_by(Role.id),
        ),
        "accounts": await _rows(
            tx,
            select(Account.channel, Account.chat_id, Account.state, Account.created_at).where(
                Account.person_id == person_id
            ),
        ),
        "consents": await _rows(
            tx,
            select(Consent.purpose, Consent.wording, Consent.given, Consent.channel, Consent.at)
            .where(Consent.person_id == person_id)
            .order_by(Consent.id),
        ),
        "statuses": await _rows(
            tx,
            select(StatusChange.status, StatusChange.slower, StatusChange.at)
            .where(StatusChange.person_id == person_id)
            .order_by(StatusChange.id),
        ),
        "contacts": await _contacts(tx, person_id),
        "checkins": await _rows(
            tx,
            select(Checkin.slot, Checkin.due_at, Checkin.answered_at, Checkin.answer)
            .where(Checkin.person_id == person_id)
            .order_by(Checkin.id),
        ),
        "when_i_was_silent": await _rows(
            tx,
            select(Step.kind, Step.outcome, Step.reason, Step.at)
            .where(Step.person_id == person_id)
            .order_by(Step.id),
        ),
        "asked_of_liaisons": await _rows(
            tx,
            select(Task.why, Task.opened_at, Task.closed_at, Task.closed_as)
            .where(Task.person_id == person_id)
            .order_by(Task.id),
        ),
        "topics": await _rows(
            tx,
            select(
                Topic.code.label("topic"),
                Subscription.day,
                Subscription.every_months,
                Subscription.since,
                Subscription.ended_at,
                Subscription.ended_as,
            )
            .join(Topic, Topic.id == Subscription.topic_id)
            .where(Subscription.person_id == person_id)
            .order_by(Subscription.id),
        ),
        "reminders": await _rows(
            tx,
            select(Rule.code.label("rule"), Reminder.slot, Reminder.answered_at, Reminder.answer)
            .join(Rule, Rule.id == Reminder.rule_id)
            .where(Reminder.person_id == person_id)
            .order_by(Reminder.id),
        ),
        "cases": await _cases(tx, person_id),
        "may_speak_for_me": await _ties(tx, Kin.relative_id, Kin.worker_id == person_id),
        "i_may_speak_for": await _ties(tx, Kin.worker_id, Kin.relative_id == person_id),
        "asked_of_family": await _asked_of_family(tx, person_id),
        "messages": await _rows(
            tx,
            select(every.template, every.state, every.created_at, every.finished_at)
            .where(every.person_id == person_id)
            .order_by(every.created_at, every.id),
        ),
        "looks": [
            {"what": look.what, "at": look.at.isoformat(), "by": look.by_name or None}
            for look in await looks_at(tx, person_id, limit=_LOOKS)
        ],
    }


def _as_clock(minute: int | None) -> str | None:
    return None if minute is None else f"{minute // 60:02}:{minute % 60:02}"


async def _rows(tx: Tx, query: Any) -> list[dict[str, Any]]:
    return [
        {
            key: value.isoformat() if isinstance(value, date) else value
            for key, value in row._mapping.items()  # noqa: SLF001  # SQLAlchemy's public name
        }
        for row in await tx.execute(query)
    ]


async def _contacts(tx: Tx, person_id: int) -> list[dict[str, Any]]:
    rows = await tx.execute(
        select(Contact).where(Contact.person_id == person_id).order_by(Contact.id)
    )
    return [
        {
            "at": row.at.isoformat(),
            "evidence": row.evidence,
            "kind": row.kind,
            "outcome": row.outcome,
            "note": tx.vault.open("contact.note", row.ref, row.note) if row.note else None,
        }
        for row in rows
    ]


async def _ties(tx: Tx, other: Any, mine: ColumnElement[bool]) -> list[dict[str, Any]]:
    """Who may speak for whom; the other's name is null once they have left."""
    rows = await tx.execute(
        select(Kin, Person.ref, Person.name)
        .join(Person, Person.id == other)
        .where(mine)
        .order_by(Kin.id)
    )
    return [
        {
            "name": tx.vault.open("person.name", row.ref, row.name) if row.name else None,
            "agreed_at": row.accepted_at.isoformat() if row.accepted_at else None,
            "ended_at": row.ended_at.isoformat() if row.ended_at else None,
            "ended_by": row.ended_by,
        }
        for row in rows
    ]


async def _asked_of_family(tx: Tx, person_id: int) -> list[dict[str, Any]]:
    """What relatives were asked about this person, and what this person was asked as one."""
    return await _rows(
        tx,
        select(
            (Kin.worker_id == person_id).label("about_me"),
            KinQuestion.asked_at,
            KinQuestion.answered_at,
            KinQuestion.answer,
        )
        .join(Kin, Kin.id == KinQuestion.kin_id)
        .where(or_(Kin.worker_id == person_id, Kin.relative_id == person_id))
        .order_by(KinQuestion.id),
    )


async def _cases(tx: Tx, person_id: int) -> list[dict[str, Any]]:
    rows = await tx.execute(
        select(Case.kind, Case.state, CaseMessage)
        .join(CaseMessage, CaseMessage.case_id == Case.id)
        .where(Case.person_id == person_id)
        .order_by(CaseMessage.id)
    )
    return [
        {
            "kind": row.kind,
            "state": row.state,
            "at": row.at.isoformat(),
            "from_me": row.author_id == person_id,
            "text": tx.vault.open("case_message.text", row.ref, row.text) if row.text else None,
            "media": row.media,
        }
        for row in rows
    ]

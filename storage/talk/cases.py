"""Cases: what a worker asked or called for, told to an officer, open until answered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy import case as when

from storage.database import Tx
from storage.errors import Refused
from storage.models import Area, Case, CaseMessage, Person
from storage.outbox.messages import enqueue
from storage.outbox.past import EVERY_DELIVERY
from storage.people.duties import covers, officers_near
from storage.people.who import Who
from storage.vault import new_ref

TALK = timedelta(hours=24)
"""How long a conversation stays one case."""
TELL_WITHIN = timedelta(days=7)
ANSWER_WITHIN = timedelta(days=30)
_TO_OFFICERS = ("case_new", "case_more", "help_urgent")


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """``officers`` were told, ``officer_name`` is the nearest; 0 and None: nobody is there yet.

    ``added``: it went into a case that was already open; ``urgent``: that case is, by now.
    ``message_id`` is that of the words, where there were any.
    """

    id: int
    ref: str
    officer_name: str | None
    officers: int
    added: bool = False
    urgent: bool = False
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class CaseReplied:
    """``person_name`` is None when the person has left: then nothing was sent."""

    case_id: int
    person_name: str | None


async def open_case(
    tx: Tx,
    *,
    who: Who,
    text: str | None,
    media: str | None,
    file_id: str | None,
    urgent: bool,
    kind: str,
    now: datetime,
    about: int | None = None,
) -> CaseOpened:
    """Take a worker's words to the officers of their area, through the outbox.

    ``kind``: ``question``, ``media``, or ``help``. A conversation is one case: what comes within
    24 h of an open case, or of its answer, is added to it and opens it again; a case becomes
    urgent when urgent help is asked for meanwhile. Calls for help join only calls for help. A
    call is told once, and once more after each answer. An urgent call carries the words of the
    message ``about``, if what it is about was written before it was said to be urgent.
    Raises :class:`storage.errors.Refused` for someone who is on no area's register.
    """
    if who.area_id is None:
        raise Refused("Only someone on an area's register can open a case.")
    running = await _running_case(tx, who.person_id, kind, now)
    answered_at = None
    asked_urgent = urgent
    if running is None:
        case_id, ref = await _insert_case(tx, who, who.area_id, kind, urgent, now)
    else:
        case_id, ref, was_urgent = running
        urgent = urgent or was_urgent
        opened_again = update(Case).where(Case.id == case_id).values(state="open", urgent=urgent)
        answered_at = await tx.scalar(opened_again.returning(Case.answered_at))
    message_id = None
    if text is not None or media is not None:
        message_id = await _insert_message(
            tx, case_id, who.person_id, text, now, media, file_id, who.bot_id
        )

    roles = ("liaison", "supervisor") if urgent else ("liaison",)
    officers = await officers_near(tx, who.area_id, roles, apart_from=who.person_id)
    calls = running is None or asked_urgent or message_id is None
    # A second tap on "help" has the same key: they know already. After an answer it has another.
    since = "" if answered_at is None else f":{answered_at.timestamp():.6f}"
    for officer in officers:
        tell = partial(
            enqueue,
            tx,
            person_id=officer.person_id,
            priority=0,
            urgent=urgent,
            case_id=case_id,
            now=now,
            expires_at=now + TELL_WITHIN,
        )
        told = None
        if calls:
            told = await tell(
                template="help_urgent" if asked_urgent else "case_new",
                dedupe_key=f"case:{case_id}:{asked_urgent:d}{since}:{officer.person_id}",
                case_message_id=message_id if about is None else about,
            )
        if message_id is not None and (told is None or about is not None):
            await tell(
                template="case_more",
                dedupe_key=f"casemsg:{message_id}:{officer.person_id}",
                case_message_id=message_id,
            )
    name = officers[0].name if officers else None
    added = running is not None
    return CaseOpened(case_id, ref, name or None, len(officers), added, urgent, message_id)


async def _running_case(
    tx: Tx, person_id: int, kind: str, now: datetime
) -> tuple[int, str, bool] | None:
    since = now - TALK
    found = (
        select(Case.id, Case.ref, Case.urgent)
        .where(
            Case.person_id == person_id,
            or_(
                (Case.state == "open") & (func.coalesce(Case.answered_at, Case.opened_at) > since),
                (Case.state == "answered") & (Case.answered_at > since),
            ),
        )
        .order_by(Case.id.desc())
        .limit(1)
    )
    if kind == "help":
        found = found.where(Case.kind == "help")
    row = (await tx.execute(found)).one_or_none()
    return None if row is None else (row.id, row.ref, row.urgent)


async def _insert_case(
    tx: Tx, who: Who, area_id: int, kind: str, urgent: bool, now: datetime
) -> tuple[int, str]:
    ref = new_ref()
    case_id: int = await tx.scalar(
        tx.insert(Case)
        .values(
            ref=ref,
            person_id=who.person_id,
            area_id=area_id,
            kind=kind,
            urgent=urgent,
            state="open",
            opened_at=now,
        )
        .returning(Case.id)
    )
    return case_id, ref


async def _insert_message(
    tx: Tx,
    case_id: int,
    author_id: int,
    text: str | None,
    now: datetime,
    media: str | None = None,
    file_id: str | None = None,
    bot_id: int | None = None,
) -> int:
    ref = new_ref()
    message_id: int = await tx.scalar(
        tx.insert(CaseMessage)
        .values(
            ref=ref,
            case_id=case_id,
            author_id=author_id,
            text=None if text is None else tx.vault.seal("case_message.text", ref, text),
            media=media,
            file_id=file_id,
            bot_id=bot_id if file_id is not None else None,
            at=now,
        )
        .returning(CaseMessage.id)
    )
    return message_id


async def reply_to_case(
    tx: Tx, *, case_id: int, by: Who, text: str, now: datetime
) -> CaseReplied | None:
    """Answer a case and send the answer; None when it is not for ``by`` to answer.

    The duty over the case's area is asked for in the same statement. A closed case stays closed,
    and the words still go out.
    """
    answered = await tx.execute(
        update(Case)
        .where(
            Case.id == case_id,
            *_for(by),
        )
        .values(state=when((Case.state == "closed", "closed"), else_="answered"), answered_at=now)
        .returning(Case.person_id)
    )
    person_id = answered.scalar_one_or_none()
    if person_id is None:
        return None
    name = await _name_unless_left(tx, person_id)
    if name is None:
        return CaseReplied(case_id, None)
    message_id = await _insert_message(tx, case_id, by.person_id, text, now)
    await enqueue(
        tx,
        person_id=person_id,
        template="case_reply",
        priority=0,
        dedupe_key=f"reply:{message_id}",
        case_id=case_id,
        case_message_id=message_id,
        now=now,
        expires_at=now + ANSWER_WITHIN,
    )
    return CaseReplied(case_id, name)


async def _name_unless_left(tx: Tx, person_id: int) -> str | None:
    row = (
        await tx.execute(
            select(Person.ref, Person.name).where(
                Person.id == person_id, Person.erased_at.is_(None)
            )
        )
    ).one_or_none()
    if row is None:
        return None
    return "" if row.name is None else tx.vault.open("person.name", row.ref, row.name)


async def close_case(tx: Tx, *, case_id: int, by: Who) -> bool:
    """Close it, answered or not. False when it is not ``by``'s to close, or is closed already."""
    closed = await tx.execute(
        update(Case)
        .where(
            Case.id == case_id,
            Case.state != "closed",
            *_for(by),
        )
        .values(state="closed")
        .returning(Case.id)
    )
    return closed.scalar_one_or_none() is not None


def _for(by: Who) -> tuple[ColumnElement[bool], ...]:
    """The cases that are ``by``'s to answer; nobody answers their own."""
    covered = select(Area.id).where(covers(by.person_id, Area.path))
    return Case.person_id != by.person_id, Case.area_id.in_(covered)


async def case_of_message(tx: Tx, account_id: int, message_id: int) -> int | None:
    """The case that the message an officer's account received was about."""
    every = EVERY_DELIVERY.c
    found: int | None = await tx.scalar(
        select(every.case_id)
        .where(
            every.account_id == account_id,
            every.message_id == message_id,
            every.template.in_(_TO_OFFICERS),
        )
        .limit(1)
    )
    return found

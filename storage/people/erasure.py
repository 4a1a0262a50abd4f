"""Leaving: erasure whole, in one transaction."""

from datetime import datetime

from sqlalchemy import delete, or_, select, update

from storage.database import Tx
from storage.family.purpose import find_without_purpose
from storage.family.ties import end_ties_of
from storage.family.traces import erase_family_traces
from storage.models import (
    Account,
    Case,
    CaseMessage,
    Checkin,
    Consent,
    Contact,
    Delivery,
    Dialog,
    Enrolment,
    Invite,
    Login,
    Look,
    PastDelivery,
    Person,
    Reminder,
    Role,
    RollcallView,
    Step,
    Subscription,
    Task,
)
from storage.people.enrolment import record_consent
from storage.people.traces import erase_traces
from storage.people.who import Who
from storage.talk.conversation import erase_chat


async def erase_person(tx: Tx, who: Who, now: datetime) -> None:
    """Withdraw consent and take away everything that is about the person, in one transaction.

    What stays names no one: the row itself, the consent's history, the times of contacts and
    check-ins, and the enrolment that ended as ``withdrawn``. What a liaison received on Telegram
    is out of reach; their web chat is not.
    """
    await _erase(tx, who.person_id, who.channel, now)


async def erase_without_purpose(tx: Tx, now: datetime, limit: int) -> int:
    """The same for relatives who are asked about nobody any more; how many.

    What someone agreed to for a purpose is not kept beyond it, also when the worker ended it.
    """
    found = await find_without_purpose(tx, now, limit)
    for person_id, channel in found:
        await _erase(tx, person_id, channel, now)
    return len(found)


async def _erase(tx: Tx, person_id: int, channel: str, now: datetime) -> None:
    agreed_to = await tx.execute(
        select(Consent.purpose).where(Consent.person_id == person_id, Consent.given).distinct()
    )
    for purpose in agreed_to.scalars().all():
        await record_consent(tx, person_id, purpose=purpose, given=False, channel=channel, now=now)
    await tx.execute(
        update(Enrolment)
        .where(Enrolment.person_id == person_id, Enrolment.until.is_(None))
        .values(until=now, ended_as="withdrawn")
    )
    await tx.execute(
        update(Role).where(Role.person_id == person_id, Role.until.is_(None)).values(until=now)
    )
    await end_ties_of(tx, person_id, now)
    await erase_traces(tx, person_id)
    await erase_family_traces(tx, person_id)
    cases = select(Case.id).where(Case.person_id == person_id)
    await tx.execute(
        update(CaseMessage)
        .where(or_(CaseMessage.case_id.in_(cases), CaseMessage.author_id == person_id))
        .values(text=None, file_id=None)
    )
    await tx.execute(update(Case).where(Case.person_id == person_id).values(state="closed"))
    await tx.execute(update(Contact).where(Contact.person_id == person_id).values(note=None))
    await tx.execute(
        update(Delivery)
        .where(
            or_(Delivery.person_id == person_id, Delivery.case_id.in_(cases)),
            Delivery.state.in_(("queued", "sending")),
        )
        .values(state="cancelled", reason="left", finished_at=now)
    )
    # A chat's number leads to its person: it goes from what was sent there, too.
    await tx.execute(
        update(Checkin)
        .where(Checkin.person_id == person_id)
        .values(bot_id=None, chat_id=None, message_id=None)
    )
    # In this order: one that is being moved meanwhile is found in the past, once it has arrived.
    nowhere = {"account_id": None, "message_id": None}
    await tx.execute(
        update(Delivery)
        .where(Delivery.person_id == person_id)
        .values({**nowhere, "reminder_id": None})
    )
    await tx.execute(
        update(PastDelivery).where(PastDelivery.person_id == person_id).values(nowhere)
    )
    await _erase_chats(tx, person_id)
    await tx.execute(delete(Task).where(Task.person_id == person_id))
    await tx.execute(delete(RollcallView).where(RollcallView.person_id == person_id))
    await tx.execute(delete(Step).where(Step.person_id == person_id))
    await tx.execute(delete(Reminder).where(Reminder.person_id == person_id))
    await tx.execute(delete(Subscription).where(Subscription.person_id == person_id))
    await tx.execute(delete(Login).where(Login.person_id == person_id))
    await tx.execute(delete(Invite).where(Invite.person_id == person_id))
    await tx.execute(delete(Look).where(Look.person_id == person_id))
    await tx.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(
            name=None,
            name_key=None,
            phone=None,
            phone_key=None,
            area_id=None,
            is_officer=False,
            language=None,
            timezone=None,
            country=None,
            province=None,
            city=None,
            place=None,
            status="left",
            status_at=now,
            paused_until=None,
            ask_minute=None,
            usual_minute=None,
            prefers=None,
            consented=False,
            enrolled_at=None,
            erased_at=now,
        )
    )


async def _erase_chats(tx: Tx, person_id: int) -> None:
    accounts = (
        await tx.execute(
            select(Account.bot_id, Account.chat_id, Account.channel).where(
                Account.person_id == person_id
            )
        )
    ).all()
    for account in accounts:
        key = f"{account.bot_id}:{account.chat_id}:"
        await tx.execute(delete(Dialog).where(Dialog.key.startswith(key, autoescape=True)))
        if account.channel == "web":
            await erase_chat(tx, account.chat_id)
    await tx.execute(delete(Account).where(Account.person_id == person_id))

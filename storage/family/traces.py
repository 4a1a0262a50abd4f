"""What the family's chats, and officers' cards, still show of a person who leaves."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.family.ties import family_to
from storage.models import Account, Area, Kin, Person, Role, WebChat
from storage.people.traces import mentions, texts_in
from storage.talk.conversation import Body, delete_messages, messages_after

_BATCH: Final = 500


async def erase_family_traces(tx: Tx, person_id: int) -> None:
    """Take the person out of web chats in which they stood as family.

    In the chats of those they had a tie with, that is what was said to them with the person's
    name; their own words stay theirs. In the chats of officers, who saw a relative on a worker's
    card, it is what names both. To be called while the names are still there.
    """
    name = await _name(tx, person_id)
    if not name:
        return

    def names_them(body: Body) -> bool:
        return not body.get("me") and any(mentions(text, name) for text in texts_in(body))

    await _erase(tx, Account.person_id.in_(family_to(person_id)), names_them)
    workers = await tx.execute(
        select(Person.ref, Person.name)
        .join(Kin, Kin.worker_id == Person.id)
        .where(Kin.relative_id == person_id, Person.name.is_not(None))
    )
    theirs = [tx.vault.open("person.name", row.ref, row.name) for row in workers]

    def is_their_card(body: Body) -> bool:
        shown = "\n".join(texts_in(body))
        return mentions(shown, name) and any(mentions(shown, worker) for worker in theirs)

    held, lived, worker = aliased(Area), aliased(Area), aliased(Person)
    officers = (
        select(Role.person_id)
        .join(held, held.id == Role.area_id)
        .join(lived, func.substr(lived.path, 1, func.length(held.path)) == held.path)
        .join(worker, worker.area_id == lived.id)
        .join(Kin, Kin.worker_id == worker.id)
        .where(Kin.relative_id == person_id, Role.person_id != person_id)
    )
    await _erase(tx, Account.person_id.in_(officers), is_their_card)


async def _name(tx: Tx, person_id: int) -> str:
    row = (await tx.execute(select(Person.ref, Person.name).where(Person.id == person_id))).one()
    return "" if row.name is None else tx.vault.open("person.name", row.ref, row.name)


async def _erase(tx: Tx, whose: ColumnElement[bool], is_gone: Callable[[Body], bool]) -> None:
    chats = await tx.execute(
        select(WebChat.chat_id)
        .join(Account, Account.chat_id == WebChat.chat_id)
        .where(Account.channel == "web", whose)
        .order_by(WebChat.chat_id)
        # Nothing is said or changed in these while they are looked through.
        .with_for_update(of=WebChat)
    )
    for chat_id in [row.chat_id for row in chats]:
        gone, after = [], 0
        while bubbles := await messages_after(tx, chat_id, after, _BATCH):
            after = bubbles[-1].message_id
            gone += [bubble for bubble in bubbles if bubble.body and is_gone(bubble.body)]
        await delete_messages(tx, chat_id, gone)

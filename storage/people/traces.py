"""What officers' chats still show of a person who leaves: found by opening it, and taken out."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, func, or_, select, union
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.family.ties import family_to
from storage.models import (
    Account,
    Area,
    Case,
    CaseMessage,
    Enrolment,
    Intake,
    Person,
    Role,
    WebChat,
    WebFile,
)
from storage.outbox.past import DELIVERIES
from storage.talk.conversation import Body, Bubble, delete_messages, messages_after
from storage.talk.intake import forget_replies

_BATCH: Final = 500
_LONG: Final = 8
"""Words shorter than this are a quotation only when they are all that was said."""
_IDEOGRAPHS: Final = "\u2e80"
_UNDER_A_FILE: Final = 512
"""What is longer may not have fitted under a file: 1024 UTF-16 units are at least so many signs."""
_NO_WORDS: Final = frozenset(
    {"ref", "data", "client", "mime", "kind", "url", "entities", "base64", "callback_data"}
)


@dataclass(frozen=True, slots=True)
class Told:
    """What would give a person away: ``names`` (a phone number is one), and what they said."""

    names: Sequence[str]
    words: Sequence[str]

    def is_in(self, body: Body) -> bool:
        """Whether a bubble names the person, or quotes a message of their cases."""
        quoted = (body.get("text"), (body.get("reply") or {}).get("text"))
        return any(self.names_in(text) for text in texts_in(body)) or any(
            self._quotes(text) for text in quoted if text
        )

    def names_in(self, text: str) -> bool:
        return any(mentions(text, name) for name in self.names)

    def _quotes(self, text: str) -> bool:
        text = text.strip()
        return any(
            text == said
            or (len(said) >= _LONG and said in text)
            or (len(text) >= _LONG and text in said)
            for said in self.words
        )


def mentions(text: str, name: str) -> bool:
    """Whether ``name`` stands in ``text``, in any case, and not as a part of a longer word.

    Where words are written without spaces, any place is one.
    """
    text, name = text.casefold(), name.casefold()
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        if not (
            (at > 0 and _joined(text[at - 1], name[0]))
            or (end < len(text) and _joined(name[-1], text[end]))
        ):
            return True
        at = text.find(name, at + 1)
    return False


def _joined(one: str, other: str) -> bool:
    return all(sign.isalnum() and sign < _IDEOGRAPHS for sign in (one, other))


def texts_in(value: Any) -> Iterator[str]:
    """All that can be read in a bubble or a reply: words, buttons, names of files."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in _NO_WORDS:
                yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)


async def erase_traces(tx: Tx, person_id: int) -> None:
    """Take the person out of officers' web chats, and out of replies not sent yet.

    Of officers whose duty covers, or covered, an area the person was in. Bubbles about the
    person's cases, or that name or quote them, are deleted like any other, so that open pages
    drop them; the voices and pictures handed on there go with them. To be called while name,
    words and accounts are still there.
    """
    told = await _told_by(tx, person_id)
    officers = _officers_of(person_id)
    chats = await tx.execute(
        select(WebChat.chat_id)
        .join(Account, Account.chat_id == WebChat.chat_id)
        .where(Account.channel == "web", Account.person_id.in_(officers))
        .order_by(WebChat.chat_id)
        # Nothing is said or changed in these while they are looked through.
        .with_for_update(of=WebChat)
    )
    sent = await _sent_files(tx, person_id)
    for chat_id in [row.chat_id for row in chats]:
        await _erase_from_chat(tx, chat_id, person_id, told, sent)
    to = select(Person.id).where(or_(Person.id.in_(officers), Person.id.in_(family_to(person_id))))
    await _erase_replies(tx, person_id, to, told)


async def _told_by(tx: Tx, person_id: int) -> Told:
    person = (
        await tx.execute(
            select(Person.ref, Person.name, Person.phone).where(Person.id == person_id)
        )
    ).one()
    names = [
        tx.vault.open(f"person.{column}", person.ref, sealed)
        for column, sealed in (("name", person.name), ("phone", person.phone))
        if sealed is not None
    ]
    said = await tx.execute(
        select(CaseMessage.ref, CaseMessage.text)
        .join(Case, Case.id == CaseMessage.case_id)
        .where(Case.person_id == person_id, CaseMessage.text.is_not(None))
    )
    words = (tx.vault.open("case_message.text", row.ref, row.text).strip() for row in said)
    return Told([name for name in names if name], [text for text in words if text])


def _officers_of(person_id: int) -> Select[int]:
    """Whoever looks, or looked, after an area that the person was ever in."""
    held, lived = aliased(Area), aliased(Area)
    return (
        select(Role.person_id)
        .join(held, held.id == Role.area_id)
        .join(lived, func.substr(lived.path, 1, func.length(held.path)) == held.path)
        .where(
            Role.person_id != person_id,
            or_(
                lived.id.in_(select(Enrolment.area_id).where(Enrolment.person_id == person_id)),
                lived.id.in_(select(Case.area_id).where(Case.person_id == person_id)),
            ),
        )
    )


async def _sent_files(tx: Tx, person_id: int) -> dict[int, list[bytes]]:
    """The files the person sent on the web chat, by size: copies of them look like these."""
    own = select(Account.chat_id).where(Account.person_id == person_id, Account.channel == "web")
    rows = await tx.execute(
        select(WebFile.ref, WebFile.size, WebFile.content).where(WebFile.chat_id.in_(own))
    )
    sent: dict[int, list[bytes]] = {}
    for row in rows:
        content = tx.vault.open_bytes("web_file.content", row.ref, row.content)
        sent.setdefault(row.size, []).append(content)
    return sent


async def _copies(tx: Tx, chat_id: int, sent: dict[int, list[bytes]]) -> set[str]:
    """The files of a chat that are those in ``sent``."""
    if not sent:
        return set()
    rows = await tx.execute(
        select(WebFile.ref, WebFile.size, WebFile.content).where(
            WebFile.chat_id == chat_id, WebFile.size.in_(sent)
        )
    )
    return {
        row.ref
        for row in rows
        if tx.vault.open_bytes("web_file.content", row.ref, row.content) in sent[row.size]
    }


async def _erase_from_chat(
    tx: Tx, chat_id: int, person_id: int, told: Told, sent: dict[int, list[bytes]]
) -> None:
    about = await tx.execute(
        union(
            *(
                select(sent_as.message_id)
                .join(Account, Account.id == sent_as.account_id)
                .where(
                    Account.chat_id == chat_id,
                    Account.channel == "web",
                    sent_as.case_id.in_(select(Case.id).where(Case.person_id == person_id)),
                    sent_as.message_id.is_not(None),
                )
                for sent_as in DELIVERIES
            )
        )
    )
    known = {row.message_id for row in about}
    copies = await _copies(tx, chat_id, sent)
    gone: list[Bubble] = []
    files: list[Bubble] = []  # handed on without words, just before
    follows = False  # the bubble before is gone
    after = 0
    while bubbles := await messages_after(tx, chat_id, after, _BATCH):
        after = bubbles[-1].message_id
        for bubble in bubbles:
            body = bubble.body or {}
            file = body.get("file") or {}
            text = body.get("text") or ""
            if file.get("ref") in copies and not text:
                gone.append(bubble)
            elif bubble.message_id in known or told.is_in(body):
                # What does not fit under a file comes after it.
                gone += [*files, bubble] if len(text) > _UNDER_A_FILE else [bubble]
                files, follows = [], True
            elif file and not text and not body.get("me"):
                (gone if follows else files).append(bubble)
            else:
                files, follows = [], False
    await delete_messages(tx, chat_id, gone)


async def _erase_replies(tx: Tx, person_id: int, others: Select[int], told: Told) -> None:
    """Drop the replies in the journal that are for the person, or tell the others of them."""
    rows = await tx.execute(
        select(Account.bot_id, Account.chat_id, Account.person_id).where(
            or_(Account.person_id == person_id, Account.person_id.in_(others))
        )
    )
    chats = {(row.bot_id, row.chat_id): row.person_id == person_id for row in rows}
    unsent = await tx.execute(
        select(Intake.bot_id, Intake.update_id, Intake.replies).where(
            Intake.replies.is_not(None), Intake.bot_id.in_({bot_id for bot_id, _ in chats})
        )
    )
    gone = []
    for row in unsent:
        opened = tx.vault.open("intake.replies", f"{row.bot_id}/{row.update_id}", row.replies)
        fields = [reply["fields"] for reply in json.loads(opened)]
        to = {chats.get((row.bot_id, values.get("chat_id"))) for values in fields}
        if True in to or (False in to and any(map(told.names_in, texts_in(fields)))):
            gone.append((row.bot_id, row.update_id))
    if gone:
        await forget_replies(tx, gone)

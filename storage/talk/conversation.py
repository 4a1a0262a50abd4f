"""The web chat's conversations: who may open one, its messages by revision, its files.

Every change of a message takes the conversation's next revision under the row lock of
``web_chat``, so whoever asks for what is newer than the revision they have misses nothing.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, select, update

from storage.database import Tx
from storage.models import Account, WebChat, WebDevice, WebFile, WebMessage
from storage.vault import new_ref

Body = dict[str, Any]
_BODY: Final = "web_message.body"
_NAME: Final = "web_file.name"
_CONTENT: Final = "web_file.content"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a conversation stands; ``since`` (UTC) tells it from an earlier one of the chat."""

    chat_id: int
    last_message_id: int
    revision: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message as the page shows it; ``body`` is ``None`` once it is deleted."""

    message_id: int
    revision: int
    at: datetime
    body: Body | None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A voice note, photo or document; ``name`` is empty when none was given."""

    ref: str
    chat_id: int
    name: str
    mime: str
    content: bytes


_STANDING: Final = select(
    WebChat.chat_id, WebChat.last_message_id, WebChat.revision, WebChat.created_at
)
_BY_DEVICE: Final = _STANDING.join(WebDevice, WebDevice.chat_id == WebChat.chat_id).where(
    WebDevice.cookie_key == bindparam("cookie_key")
)
_BY_CHAT: Final = _STANDING.where(WebChat.chat_id == bindparam("chat_id"))
_KNOWN: Final = select(Account.id).where(
    Account.bot_id == bindparam("bot_id"), Account.chat_id == bindparam("chat_id")
)
_NEXT: Final = (
    update(WebChat)
    .where(WebChat.chat_id == bindparam("chat"))
    .values(last_message_id=WebChat.last_message_id + 1, revision=WebChat.revision + 1)
    .returning(WebChat.last_message_id, WebChat.revision)
)
_CHANGE: Final = (
    update(WebChat)
    .where(WebChat.chat_id == bindparam("chat"))
    .values(revision=WebChat.revision + 1)
    .returning(WebChat.revision)
)
_MESSAGES: Final = select(
    WebMessage.message_id, WebMessage.revision, WebMessage.at, WebMessage.body
).where(WebMessage.chat_id == bindparam("chat_id"))
_MESSAGE: Final = _MESSAGES.where(WebMessage.message_id == bindparam("message_id"))
_SINCE: Final = (
    _MESSAGES.where(WebMessage.revision > bindparam("revision"))
    .order_by(WebMessage.revision)
    .limit(bindparam("count"))
)
_BEFORE: Final = (
    _MESSAGES.where(WebMessage.message_id < bindparam("before"), WebMessage.body.is_not(None))
    .order_by(WebMessage.message_id.desc())
    .limit(bindparam("count"))
)
_AFTER: Final = (
    _MESSAGES.where(WebMessage.message_id > bindparam("after"), WebMessage.body.is_not(None))
    .order_by(WebMessage.message_id)
    .limit(bindparam("count"))
)
_DELETE: Final = (
    update(WebMessage)
    .where(WebMessage.chat_id == bindparam("chat"), WebMessage.message_id == bindparam("message"))
    .values(revision=bindparam("number"), body=None)
)


async def find_by_device(tx: Tx, cookie_key: str) -> Standing | None:
    """The stored conversation this browser holds."""
    row = (await tx.execute(_BY_DEVICE, {"cookie_key": cookie_key})).first()
    return None if row is None else _standing(row)


async def find_chat(tx: Tx, chat_id: int) -> Standing | None:
    row = (await tx.execute(_BY_CHAT, {"chat_id": chat_id})).first()
    return None if row is None else _standing(row)


async def standings(tx: Tx, chat_ids: Collection[int]) -> dict[int, Standing]:
    """Those of the conversations that are stored, in one statement."""
    rows = await tx.execute(_STANDING.where(WebChat.chat_id.in_(chat_ids)))
    return {row.chat_id: _standing(row) for row in rows}


async def is_known(tx: Tx, bot_id: int, chat_id: int) -> bool:
    """Whether a person stands behind the chat: only then may anything of it be stored."""
    return await tx.scalar(_KNOWN, {"bot_id": bot_id, "chat_id": chat_id}) is not None


async def chat_of_person(tx: Tx, bot_id: int, person_id: int) -> int | None:
    """The chat of the person's web account."""
    chat_id: int | None = await tx.scalar(
        select(Account.chat_id)
        .where(Account.bot_id == bot_id, Account.person_id == person_id)
        .order_by(Account.id)
        .limit(1)
    )
    return chat_id


async def open_chat(
    tx: Tx, chat_id: int, since: datetime, bubbles: Sequence[Bubble] = (), revision: int = 0
) -> bool:
    """Begin to store a conversation, with what was said before; once begun, it stays as it is.

    Whether it was begun.
    """
    last = bubbles[-1].message_id if bubbles else 0
    begun = await tx.execute(
        tx.insert(WebChat)
        .values(chat_id=chat_id, last_message_id=last, revision=revision, created_at=since)
        .on_conflict_do_nothing()
    )
    if begun.rowcount == 1 and bubbles:
        await tx.execute(tx.insert(WebMessage), [_row(tx, chat_id, bubble) for bubble in bubbles])
    return begun.rowcount == 1


async def add_device(tx: Tx, chat_id: int, cookie_key: str, now: datetime) -> None:
    """Let a browser open the conversation; one it held before is let go."""
    insert = tx.insert(WebDevice).values(cookie_key=cookie_key, chat_id=chat_id, created_at=now)
    await tx.execute(
        insert.on_conflict_do_update(
            index_elements=[WebDevice.cookie_key], set_={"chat_id": chat_id, "created_at": now}
        )
    )


async def erase_chat(tx: Tx, chat_id: int) -> None:
    """Delete a conversation with its messages, files and devices."""
    await tx.execute(delete(WebChat).where(WebChat.chat_id == chat_id))


async def add_message(tx: Tx, chat_id: int, body: Body, at: datetime) -> Bubble | None:
    """The conversation's next message; ``None`` when the conversation is not stored."""
    row = (await tx.execute(_NEXT, {"chat": chat_id})).first()
    if row is None:
        return None
    bubble = Bubble(row.last_message_id, row.revision, at, body)
    await tx.execute(tx.insert(WebMessage), _row(tx, chat_id, bubble))
    return bubble


async def find_message(tx: Tx, chat_id: int, message_id: int) -> Bubble | None:
    row = (await tx.execute(_MESSAGE, {"chat_id": chat_id, "message_id": message_id})).first()
    return None if row is None else _bubble(tx, chat_id, row)


async def lock_chat(tx: Tx, chat_id: int) -> int | None:
    """Take the conversation's next revision, and its row lock, before a message is changed."""
    revision: int | None = await tx.scalar(_CHANGE, {"chat": chat_id})
    return revision


async def change_message(tx: Tx, chat_id: int, bubble: Bubble) -> None:
    """Write a message anew under the revision :func:`lock_chat` gave."""
    row = _row(tx, chat_id, bubble)
    await tx.execute(
        update(WebMessage)
        .where(WebMessage.chat_id == chat_id, WebMessage.message_id == bubble.message_id)
        .values(revision=row["revision"], body=row["body"])
    )


async def changes_since(tx: Tx, chat_id: int, revision: int, count: int) -> list[Bubble]:
    """What was said, changed or deleted after ``revision``, in the order it happened."""
    rows = await tx.execute(_SINCE, {"chat_id": chat_id, "revision": revision, "count": count})
    return [_bubble(tx, chat_id, row) for row in rows]


async def messages_before(tx: Tx, chat_id: int, before: int, count: int) -> list[Bubble]:
    """The ``count`` messages before message ``before``, oldest first."""
    rows = await tx.execute(_BEFORE, {"chat_id": chat_id, "before": before, "count": count})
    return [_bubble(tx, chat_id, row) for row in reversed(rows.all())]


async def messages_after(tx: Tx, chat_id: int, after: int, count: int) -> list[Bubble]:
    """The ``count`` messages after message ``after`` that are not deleted, oldest first."""
    rows = await tx.execute(_AFTER, {"chat_id": chat_id, "after": after, "count": count})
    return [_bubble(tx, chat_id, row) for row in rows]


async def delete_messages(tx: Tx, chat_id: int, bubbles: Sequence[Bubble]) -> None:
    """Delete messages and their files; a revision for each, so that no page misses one."""
    if not bubbles:
        return
    last = await tx.scalar(
        update(WebChat)
        .where(WebChat.chat_id == chat_id)
        .values(revision=WebChat.revision + len(bubbles))
        .returning(WebChat.revision)
    )
    changes = [
        {"chat": chat_id, "message": bubble.message_id, "number": number}
        for number, bubble in enumerate(bubbles, last - len(bubbles) + 1)
    ]
    await tx.execute(_DELETE, changes)
    files = [body["file"]["ref"] for bubble in bubbles if "file" in (body := bubble.body or {})]
    await tx.execute(delete(WebFile).where(WebFile.chat_id == chat_id, WebFile.ref.in_(files)))


async def add_file(tx: Tx, file: StoredFile, now: datetime) -> None:
    await tx.execute(
        tx.insert(WebFile).values(
            ref=file.ref,
            chat_id=file.chat_id,
            name=tx.vault.seal(_NAME, file.ref, file.name) if file.name else None,
            mime=file.mime,
            size=len(file.content),
            content=tx.vault.seal_bytes(_CONTENT, file.ref, file.content),
            created_at=now,
        )
    )


async def find_file(tx: Tx, ref: str) -> StoredFile | None:
    row = (
        await tx.execute(
            select(WebFile.chat_id, WebFile.name, WebFile.mime, WebFile.content).where(
                WebFile.ref == ref
            )
        )
    ).first()
    if row is None:
        return None
    name = tx.vault.open(_NAME, ref, row.name) if row.name else ""
    content = tx.vault.open_bytes(_CONTENT, ref, row.content)
    return StoredFile(ref, row.chat_id, name, row.mime, content)


def new_file(chat_id: int, name: str, mime: str, content: bytes) -> StoredFile:
    """A file with a reference of its own, not yet stored."""
    return StoredFile(new_ref(), chat_id, name, mime, content)


def _standing(row: Any) -> Standing:
    return Standing(row.chat_id, row.last_message_id, row.revision, row.created_at)


def _row(tx: Tx, chat_id: int, bubble: Bubble) -> Mapping[str, Any]:
    sealed = None
    if bubble.body is not None:
        text = json.dumps(bubble.body, ensure_ascii=False, separators=(",", ":"))
        sealed = tx.vault.seal(_BODY, f"{chat_id}/{bubble.message_id}", text)
    return {
        "chat_id": chat_id,
        "message_id": bubble.message_id,
        "revision": bubble.revision,
        "body": sealed,
        "at": bubble.at,
    }


def _bubble(tx: Tx, chat_id: int, row: Any) -> Bubble:
    body = None
    if row.body is not None:
        body = json.loads(tx.vault.open(_BODY, f"{chat_id}/{row.message_id}", row.body))
    return Bubble(row.message_id, row.revision, row.at, body)

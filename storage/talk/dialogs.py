"""Where conversations stand: aiogram's FSM storage, in the update's own transaction.

A conversation with someone who has not consented stays in memory, bounded in number and age.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey
from sqlalchemy import delete, select

from storage.database import Database, Tx
from storage.models import Dialog

_KEPT_WAITING: Final = 10_000
_WAITS_FOR: Final = timedelta(hours=2)
_COLUMN: Final = "dialog.data"


@dataclass(slots=True)
class Conversation:
    """One chat's dialog during one update. Written at its end, if it changed and is ``known``.

    ``known`` turns true with consent and false with erasure: only what is known is stored.
    ``heard``: a contact was noted in this update.
    """

    key: str
    known: bool
    state: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    stored: bool = False
    changed: bool = False
    heard: bool = False


def dialog_key(key: StorageKey) -> str:
    """``bot:chat:user``, then thread, business connection and destiny where there are any."""
    parts = [str(key.bot_id), str(key.chat_id), str(key.user_id)]
    if key.thread_id is not None or key.business_connection_id or key.destiny != "default":
        parts += [str(key.thread_id or ""), key.business_connection_id or "", key.destiny]
    return ":".join(parts)


class Waiting:
    """Conversations of people not known, in memory: the newest ten thousand, for two hours."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[datetime, str | None, dict[str, Any]]] = OrderedDict()

    def find(self, key: str, now: datetime) -> tuple[str | None, dict[str, Any]]:
        """The state and data held for ``key``. They stay: what comes of them may yet fail."""
        at, state, data = self._held.get(key, (now, None, {}))
        return (state, dict(data)) if now - at < _WAITS_FOR else (None, {})

    def drop(self, key: str) -> None:
        self._held.pop(key, None)

    def keep(self, key: str, state: str | None, data: dict[str, Any], now: datetime) -> None:
        if state is None and not data:
            self.drop(key)
            return
        self._held[key] = (now, state, data)
        self._held.move_to_end(key)
        while len(self._held) > _KEPT_WAITING:
            self._held.popitem(last=False)


_current: ContextVar[Conversation | None] = ContextVar("conversation", default=None)
current_conversation = _current


def open_dialog(tx: Tx, key: str, state: str | None, sealed: bytes | None) -> Conversation:
    """The conversation of a known person, from its row."""
    data = json.loads(tx.vault.open(_COLUMN, key, sealed)) if sealed else {}
    return Conversation(key, known=True, state=state, data=data, stored=True)


async def write_dialog(tx: Tx, conversation: Conversation, now: datetime) -> None:
    """Store what changed; a conversation that stands nowhere has no row."""
    if not conversation.changed:
        return
    if conversation.state is None and not conversation.data:
        if conversation.stored:
            await tx.execute(delete(Dialog).where(Dialog.key == conversation.key))
        return
    data = None
    if conversation.data:
        text = json.dumps(conversation.data, ensure_ascii=False)
        data = tx.vault.seal(_COLUMN, conversation.key, text)
    values = {"state": conversation.state, "data": data, "updated_at": now}
    await tx.execute(
        tx.insert(Dialog)
        .values(key=conversation.key, **values)
        .on_conflict_do_update(index_elements=["key"], set_=values)
    )


class DialogStorage(BaseStorage):
    """Reads and writes the update's conversation; outside an update, a transaction of its own."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        name = state.state if isinstance(state, State) else state
        async with _Opened(self._db, key) as conversation:
            conversation.state = name
            conversation.changed = True

    async def get_state(self, key: StorageKey) -> str | None:
        async with _Opened(self._db, key) as conversation:
            return conversation.state

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        if not isinstance(data, dict):
            from aiogram.exceptions import DataNotDictLikeError

            raise DataNotDictLikeError(f"data must be a dict, not {type(data).__name__}")
        async with _Opened(self._db, key) as conversation:
            conversation.data = dict(data)
            conversation.changed = True

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        async with _Opened(self._db, key) as conversation:
            return dict(conversation.data)

    async def close(self) -> None:
        """Nothing of its own is open."""


class _Opened:
    """The conversation for a key: the update's own, or one opened and written here."""

    def __init__(self, db: Database, key: StorageKey) -> None:
        self._db = db
        self._key = dialog_key(key)
        self._own: Conversation | None = None

    async def __aenter__(self) -> Conversation:
        conversation = _current.get()
        if conversation is not None and conversation.key == self._key:
            return conversation
        async with self._db.read() as tx:
            row = (
                await tx.execute(select(Dialog.state, Dialog.data).where(Dialog.key == self._key))
            ).first()
            self._own = (
                open_dialog(tx, self._key, row.state, row.data)
                if row
                else Conversation(self._key, known=True)
            )
        return self._own

    async def __aexit__(self, *_: object) -> None:
        if self._own is not None and self._own.changed:
            async with self._db.write() as tx:
                await write_dialog(tx, self._own, datetime.now(UTC))

"""One transaction an update: who is speaking, what was decided, and what will be answered."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from aiogram import BaseMiddleware, Bot
from aiogram.dispatcher.middlewares.user_context import EVENT_CONTEXT_KEY, EventContext
from aiogram.enums import ChatType
from aiogram.fsm.context import FSMContext
from aiogram.fsm.storage.base import BaseStorage, StorageKey
from aiogram.methods import AnswerCallbackQuery, TelegramMethod
from aiogram.types import TelegramObject, Update

from bot.speech import as_plain
from storage.database import Database, Tx
from storage.people.enrolment import Address
from storage.people.who import Arrival, load_arrival, mark_account
from storage.talk.dialogs import (
    Conversation,
    Waiting,
    current_conversation,
    dialog_key,
    open_dialog,
    write_dialog,
)
from storage.talk.intake import record_update

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]
Alongside = Callable[[Tx], Awaitable[None]]
_GROUPS: Final = frozenset({ChatType.GROUP, ChatType.SUPERGROUP, ChatType.CHANNEL})


@dataclass(slots=True)
class Taken:
    """How an update ended: what to say, and whether the journal holds it until it is said."""

    says: list[TelegramMethod[Any]] = field(default_factory=list)
    journaled: bool = False
    repeated: bool = False


class OneTransaction(BaseMiddleware):
    """Opens the update's transaction and commits effect, dialog and replies together.

    Gives handlers their ``state``, too: the dialog comes with the person, in one statement.

    Of someone who has not consented nothing is written: their dialog waits in memory.
    """

    def __init__(
        self,
        db: Database,
        dialogs: BaseStorage,
        channels: dict[int, str],
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._dialogs = dialogs
        self._channels = channels
        self._clock = clock
        self._waiting = Waiting()

    async def __call__(
        self, handler: Handler, event: TelegramObject, data: dict[str, Any]
    ) -> Taken:
        assert isinstance(event, Update)
        bot: Bot = data["bot"]
        where: EventContext = data[EVENT_CONTEXT_KEY]
        now = data["now"] = self._clock()
        if where.user is None or (where.chat is not None and where.chat.type in _GROUPS):
            async with self._db.write() as tx:
                data["tx"], data["who"] = tx, None
                return Taken(_listed(await handler(event, data)))
        chat_id = where.chat.id if where.chat is not None else where.user.id
        place = StorageKey(bot_id=bot.id, chat_id=chat_id, user_id=where.user.id)
        key = dialog_key(place)

        async def take(tx: Tx) -> Taken:
            arrival = await load_arrival(
                tx,
                bot_id=bot.id,
                chat_id=chat_id,
                update_id=event.update_id,
                dialog_key=key,
                now=now,
            )
            if arrival is not None and arrival.seen:
                return Taken(repeated=True)
            conversation = self._open(tx, arrival, key, now)
            if arrival is not None and arrival.account_state != "reachable" and _speaks(event):
                await mark_account(tx, arrival.who.account_id, "reachable", now)
            data["tx"], data["conversation"] = tx, conversation
            # As aiogram's FSM middleware has it, which would take a lock and look for it again.
            data["state"], data["raw_state"] = FSMContext(self._dialogs, place), conversation.state
            data["who"] = arrival.who if arrival is not None else None
            data["address"] = Address(self._channels[bot.id], bot.id, chat_id)
            open_now = current_conversation.set(conversation)
            try:
                says = _listed(await handler(event, data))
            finally:
                current_conversation.reset(open_now)
            await self._write(tx, conversation, bot.id, event.update_id, says, data, now)
            return Taken(says, journaled=conversation.known)

        if data.get("alongside") is None:
            return await self._db.write_shared(take)
        # It writes more than a shared transaction takes: it would all be done twice.
        async with self._db.write(together=True) as tx:
            return await take(tx)

    def _open(self, tx: Tx, arrival: Arrival | None, key: str, now: datetime) -> Conversation:
        if arrival is None:
            state, held = self._waiting.find(key, now)
            return Conversation(key, known=False, state=state, data=held)
        if arrival.has_dialog:
            return open_dialog(tx, key, arrival.state, arrival.data)
        return Conversation(key, known=True)

    async def _write(
        self,
        tx: Tx,
        conversation: Conversation,
        bot_id: int,
        update_id: int,
        says: Sequence[TelegramMethod[Any]],
        data: dict[str, Any],
        now: datetime,
    ) -> None:
        # In memory, too, only once the commit has succeeded: else the update comes again.
        tx.after_commit(lambda: self._settle_waiting(conversation, now))
        if not conversation.known:
            return
        await write_dialog(tx, conversation, now)
        alongside: Alongside | None = data.get("alongside")
        if alongside is not None:
            await alongside(tx)
        await record_update(
            tx,
            bot_id=bot_id,
            update_id=update_id,
            now=now,
            # The end of a button's waiting is of no use later: who comes after would leave it out.
            replies=[as_plain(one) for one in says if not isinstance(one, AnswerCallbackQuery)],
        )

    def _settle_waiting(self, conversation: Conversation, now: datetime) -> None:
        if conversation.known:
            self._waiting.drop(conversation.key)
        else:
            self._waiting.keep(conversation.key, conversation.state, conversation.data, now)


def _speaks(event: Update) -> bool:
    return event.message is not None or event.callback_query is not None


def _listed(says: Any) -> list[TelegramMethod[Any]]:
    """What a handler returned, as a list; an update that nobody handles says nothing."""
    if isinstance(says, TelegramMethod):
        return [says]
    if isinstance(says, Sequence):
        return [method for method in says if isinstance(method, TelegramMethod)]
    return []

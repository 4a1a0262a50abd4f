"""The way in: an update has had its effect, once, when :meth:`Intake.take` returns."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

import structlog
from aiogram import Bot, Dispatcher
from aiogram.methods import AnswerCallbackQuery, SendMessage, TelegramMethod
from aiogram.types import Update
from aiogram.utils.i18n import I18n
from sqlalchemy.exc import IntegrityError

from bot.metrics import Metrics
from bot.middlewares.transaction import Alongside, Taken
from bot.replies import Replies
from locales.catalogs import match_language
from storage.database import Database
from storage.engine.away import is_away
from storage.engine.problems import describe
from storage.people.who import load_who
from storage.talk.intake import record_update, was_seen

log: Final = structlog.get_logger(__name__)


class IntakeUnavailable(Exception):
    """The database could not be reached: nothing has happened, the update may come again."""


class Intake:
    """Feeds updates to the dispatcher, one at a time in a chat, and speaks after the commit."""

    def __init__(
        self,
        db: Database,
        dispatcher: Dispatcher,
        replies: Replies,
        i18n: I18n,
        metrics: Metrics,
        channels: Mapping[int, str],
        clock: Callable[[], datetime],
        committed: Callable[[], None] = lambda: None,
    ) -> None:
        self._db = db
        self._dispatcher = dispatcher
        self._replies = replies
        self._i18n = i18n
        self._channels = channels
        # Looked up once: the library's own way to a counter is longer than the counting.
        self._counter = cache(
            lambda bot_id, outcome: metrics.updates.labels(channels.get(bot_id, "?"), outcome)
        )
        self._clock = clock
        self._committed = committed
        self._turns: dict[tuple[int, int], list[asyncio.Event]] = {}

    async def take(self, bot: Bot, update: Update, *, alongside: Alongside | None = None) -> None:
        """Give the update its effect; returns after the commit.

        ``alongside`` writes in the same transaction, if the person is known at its end. Raises
        :class:`IntakeUnavailable` when the database cannot be reached. An update that a handler
        fails on is set aside, and the person is told.
        """
        chat_id = _chat_of(update)
        turn = (bot.id, chat_id)
        await self._wait_for(turn)
        try:
            taken = await self._feed(bot, update, chat_id, alongside)
            self._count(bot, taken)
            if not isinstance(taken, Taken):
                return
            self._committed()
            if taken.says:
                source = (bot.id, update.update_id) if taken.journaled else None
                self._replies.speak(bot, chat_id, taken.says, source)
        except Exception as problem:
            if is_away(problem):
                raise IntakeUnavailable from problem
            raise
        finally:
            self._pass_on(turn)

    async def _feed(
        self, bot: Bot, update: Update, chat_id: int, alongside: Alongside | None
    ) -> Any:
        try:
            return await self._dispatcher.feed_update(bot, update, alongside=alongside)
        except Exception as problem:
            if is_away(problem):
                raise
            if isinstance(problem, IntegrityError) and await self._repeated(bot, update):
                return Taken(repeated=True)
            return await self._set_aside(bot, update, chat_id, problem)

    def _count(self, bot: Bot, taken: Any) -> None:
        outcome = "repeated" if isinstance(taken, Taken) and taken.repeated else "done"
        self._counter(bot.id, outcome).inc()

    async def _repeated(self, bot: Bot, update: Update) -> bool:
        async with self._db.read() as tx:
            return await was_seen(tx, bot.id, update.update_id)

    async def _set_aside(self, bot: Bot, update: Update, chat_id: int, problem: Exception) -> Taken:
        """Nothing of the update has happened; it must not come for ever, and not go unnoticed."""
        log.error(
            "an update was set aside",
            update_id=update.update_id,
            channel=self._channels.get(bot.id, "?"),
            reason=describe(problem),
            exc_info=problem,
        )
        self._counter(bot.id, "set_aside").inc()
        try:
            async with self._db.write() as tx:
                who = await load_who(tx, bot.id, chat_id)
                # Of someone who has not consented nothing is written, not even this.
                if who is not None:
                    await record_update(
                        tx,
                        bot_id=bot.id,
                        update_id=update.update_id,
                        now=self._clock(),
                        problem=type(problem).__name__,
                    )
        except IntegrityError:
            return Taken(repeated=True)
        user = update.event.from_user if hasattr(update.event, "from_user") else None
        language = who.language if who else match_language(user.language_code if user else None)
        text = self._i18n.gettext(
            "Something went wrong on our side. Please try once more.",
            locale=language or self._i18n.default_locale,
        )
        says: list[TelegramMethod[Any]] = []
        if update.callback_query is not None:
            # Or the button would go on waiting.
            says.append(AnswerCallbackQuery(callback_query_id=update.callback_query.id))
        if chat_id > 0:
            says.append(SendMessage(chat_id=chat_id, text=text))
        return Taken(says)

    async def _wait_for(self, turn: tuple[int, int]) -> None:
        """Updates of one chat go one after another; the table holds only chats that are busy."""
        waiting = self._turns.get(turn)
        if waiting is None:
            self._turns[turn] = []
            return
        mine = asyncio.Event()
        waiting.append(mine)
        try:
            await mine.wait()
        except asyncio.CancelledError:
            if mine.is_set():
                self._pass_on(turn)
            else:
                waiting.remove(mine)
            raise

    def _pass_on(self, key: tuple[int, int]) -> None:
        waiting = self._turns[key]
        if waiting:
            waiting.pop(0).set()
        else:
            del self._turns[key]


def _chat_of(update: Update) -> int:
    # The usual ones first: aiogram tries two dozen kinds for a tap.
    event = update.message or update.callback_query or update.event
    chat = getattr(event, "chat", None) or getattr(getattr(event, "message", None), "chat", None)
    if chat is not None:
        return int(chat.id)
    user = getattr(event, "from_user", None)
    return int(user.id) if user is not None else 0

"""The dispatcher, put together in the one order that works."""

from collections.abc import Callable, Mapping
from datetime import datetime

from aiogram import Dispatcher
from aiogram.fsm.storage.base import BaseEventIsolation
from aiogram.fsm.storage.memory import DisabledEventIsolation
from aiogram.utils.i18n import I18n

from bot.middlewares.locale import Locale
from bot.middlewares.throttle import Throttle
from bot.middlewares.transaction import OneTransaction
from handlers.abilities import Abilities
from handlers.links import Links
from handlers.routes import conversations
from storage.database import Database
from storage.dialogs import DialogStorage


def make_dispatcher(
    db: Database,
    i18n: I18n,
    *,
    channels: dict[int, str],
    abilities: Mapping[int, Abilities],
    links: Links,
    clock: Callable[[], datetime],
) -> Dispatcher:
    """Handlers behind throttle, transaction, dialog and language, for the bots in ``channels``.

    The intake already takes a chat's updates one by one, so aiogram's own isolation is off.
    """
    # aiogram would register its FSM before the transaction that it must use: see below.
    isolation: BaseEventIsolation = DisabledEventIsolation()
    dispatcher = Dispatcher(storage=DialogStorage(db), events_isolation=isolation, disable_fsm=True)
    dispatcher.update.outer_middleware(Throttle(i18n))
    dispatcher.update.outer_middleware(OneTransaction(db, channels, clock))
    dispatcher.update.outer_middleware(dispatcher.fsm)
    dispatcher.update.outer_middleware(Locale(i18n))
    dispatcher.include_router(conversations())
    dispatcher["links"] = links
    dispatcher["abilities_of"] = abilities
    return dispatcher

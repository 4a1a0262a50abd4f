"""The dispatcher, put together in the one order that works."""

from collections.abc import Callable, Mapping
from datetime import datetime

from aiogram import Dispatcher
from aiogram.utils.i18n import I18n

from bot.middlewares.heard import Heard
from bot.middlewares.locale import Locale
from bot.middlewares.throttle import Throttle
from bot.middlewares.transaction import OneTransaction
from handlers.abilities import Abilities
from handlers.links import Links
from handlers.routes import conversations, register_everyday
from storage.database import Database
from storage.talk.dialogs import DialogStorage


def make_dispatcher(
    db: Database,
    i18n: I18n,
    *,
    channels: dict[int, str],
    abilities: Mapping[int, Abilities],
    links: Links,
    clock: Callable[[], datetime],
) -> Dispatcher:
    """Handlers behind throttle, transaction and language, for the bots in ``channels``.

    The intake takes a chat's updates one by one, so no lock of aiogram's is needed.
    """
    # aiogram would register its FSM before the transaction that it must use.
    dialogs = DialogStorage(db)
    dispatcher = Dispatcher(storage=dialogs, disable_fsm=True)
    dispatcher.update.outer_middleware(Throttle(i18n))
    dispatcher.update.outer_middleware(OneTransaction(db, dialogs, channels, clock))
    dispatcher.update.outer_middleware(Locale(i18n))
    dispatcher.update.outer_middleware(Heard())
    register_everyday(dispatcher)
    dispatcher.include_router(conversations())
    dispatcher["links"] = links
    dispatcher["abilities_of"] = abilities
    return dispatcher

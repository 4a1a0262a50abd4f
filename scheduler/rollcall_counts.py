"""Roll calls' figures in the messages of officers: changed as they change, every few seconds."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import TelegramMethod

from scheduler.outcomes import Kind, decide
from storage.database import Database
from storage.rhythm.rollcall_access import RollcallInfo, access_rollcall, figures_of
from storage.rhythm.rollcall_figures import Figures
from storage.rhythm.rollcall_views import (
    View,
    claim_view,
    drop_view,
    due_views,
    is_view_due,
    put_off_view,
)

_log = structlog.get_logger(__name__)
EVERY: Final = timedelta(seconds=3)
_TIMEOUT: Final = 20
_LATER: Final = timedelta(seconds=30)
# A larger one is not counted every few seconds: (asked at least, how long to wait).
_SIZES: Final = (
    (100_000, timedelta(seconds=60)),
    (20_000, timedelta(seconds=15)),
    (3_000, timedelta(seconds=6)),
)

Write = Callable[[View, RollcallInfo, Figures, datetime], TelegramMethod[Any]]
"""The edit that shows the figures, in the officer's language."""
Show = Callable[[datetime], Awaitable[int]]


def gap(asked: int) -> timedelta:
    """How long a message stays as it is at least, for a roll call of so many people."""
    return next((wait for least, wait in _SIZES if asked >= least), EVERY)


def shows_counts(db: Database, bots: Mapping[int, Bot], write: Write) -> Show:
    """What a tick calls: each message that officers watch and that shows other figures is edited.

    Noted first, then edited, outside any transaction; of two processes only one does it. What did
    not arrive is tried again; a message that is gone is followed no more.
    """

    async def show(now: datetime) -> int:
        async with db.read() as tx:
            if not await is_view_due(tx, now):
                return 0
            views = await due_views(tx, now, list(bots))
        edited = 0
        for view in views:
            edited += await _show_one(db, bots[view.bot_id], write, view, now)
        return edited

    return show


async def _show_one(db: Database, bot: Bot, write: Write, view: View, now: datetime) -> int:
    async with db.read() as tx:
        call = await access_rollcall(tx, view.person_id, view.rollcall_id)
        figures = Figures() if call is None else await figures_of(tx, call)
    if call is None:
        async with db.write() as tx:
            await drop_view(tx, view)
        return 0
    shown = figures.as_key() if call.is_open else "over"
    async with db.write() as tx:
        if not await claim_view(tx, view, shown, now + gap(figures.asked)):
            return 0
    if shown != view.shown and not await _edit(
        db, bot, write(view, call, figures, now), view, shown, now
    ):
        return 0
    if not call.is_open:
        async with db.write() as tx:
            await drop_view(tx, view)
    return int(shown != view.shown)


async def _edit(
    db: Database, bot: Bot, method: TelegramMethod[Any], view: View, shown: str, now: datetime
) -> bool:
    try:
        await bot(method, request_timeout=_TIMEOUT)
    except TelegramBadRequest as problem:
        if "not modified" in problem.message:
            return True
        _log.info("a roll call's message is followed no more", reason=problem.message)
        async with db.write() as tx:
            await drop_view(tx, view)
        return False
    except Exception as problem:  # noqa: BLE001  # the table has a row for every error
        decision = decide(problem)
        async with db.write() as tx:
            if decision.kind in (Kind.UNREACHABLE, Kind.REFUSED):
                await drop_view(tx, view)
            else:
                wait = max(_LATER, timedelta(seconds=decision.retry_after))
                await put_off_view(tx, view, shown, now + wait)
        return False
    return True

"""Updates fetched from Telegram; the offset moves only past those that had their effect."""

import asyncio
import contextlib
from typing import Any, Final

import structlog
from aiogram import Bot
from aiogram.exceptions import (
    AiogramError,
    TelegramConflictError,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.types import Update
from aiogram.types.update import UpdateTypeLookupError
from pydantic import ValidationError

from bot.intake import Intake, IntakeUnavailable
from bot.plain_update import build_plain

log: Final = structlog.get_logger(__name__)
_POLL: Final = 25
_AT_ONCE: Final = 100
_WAITS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
HEARD: Final = ["message", "edited_message", "callback_query", "my_chat_member"]


class RawUpdates(TelegramMethod[list[dict[str, Any]]]):
    """``getUpdates`` undecoded: one update that cannot be read must not hold up the others."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int | None = None
    limit: int | None = None
    timeout: int | None = None
    allowed_updates: list[str] | None = None


class Polling:
    """One bot's long polling. Chats run side by side, a chat's updates one after another."""

    def __init__(self, bot: Bot, intake: Intake) -> None:
        self._bot = bot
        self._intake = intake
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop fetching; updates in work are finished, or come again at the next start."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        offset: int | None = None
        failures = 0
        cleared = False
        while True:
            try:
                if not cleared:
                    await self._bot.delete_webhook(drop_pending_updates=False)
                    cleared = True
                fetched: list[dict[str, Any]] = await self._bot(
                    RawUpdates(
                        offset=offset,
                        limit=_AT_ONCE,
                        timeout=_POLL,
                        allowed_updates=HEARD,
                    ),
                    request_timeout=_POLL + 15,
                )
                failures = 0
            except AiogramError as problem:
                # Also an answer that is none of Telegram's, as a proxy gives.
                failures += 1
                await asyncio.sleep(self._wait(problem, failures))
                continue
            if fetched:
                await self._take_all(fetched)
                offset = max(int(update["update_id"]) for update in fetched) + 1

    def _wait(self, problem: AiogramError, failures: int) -> float:
        if isinstance(problem, TelegramUnauthorizedError):
            said = "Telegram refuses the token: check KINROOM_TELEGRAM_TOKEN"
        elif isinstance(problem, TelegramConflictError):
            said = "another program polls with this token: stop it, or use a token of its own"
        else:
            said = "Telegram cannot be reached; trying again"
        log.warning(said, reason=type(problem).__name__, failures=failures)
        if isinstance(problem, TelegramRetryAfter):
            return float(problem.retry_after)
        return _WAITS[min(failures, len(_WAITS)) - 1]

    async def _take_all(self, fetched: list[dict[str, Any]]) -> None:
        chats: dict[int, list[Update]] = {}
        for raw in fetched:
            update = parse_update(self._bot, raw)
            if update is not None:
                chats.setdefault(_chat(raw), []).append(update)
        await asyncio.gather(*(self._take_chat(updates) for updates in chats.values()))

    async def _take_chat(self, updates: list[Update]) -> None:
        for update in updates:
            failures = 0
            while True:
                try:
                    await self._intake.take(self._bot, update)
                except IntakeUnavailable as away:
                    failures += 1
                    log.warning(
                        "the database cannot be reached; updates wait",
                        reason=type(away.__cause__).__name__,
                    )
                    await asyncio.sleep(_WAITS[min(failures, len(_WAITS)) - 1])
                    continue
                except Exception:  # one update must not end the hearing of others
                    log.exception("an update was passed over", update_id=update.update_id)
                break


def parse_update(bot: Bot, raw: dict[str, Any]) -> Update | None:
    """The update, or ``None`` for one that this version cannot read: it is passed over, aloud."""
    plain = build_plain(bot, raw)
    if plain is not None:
        return plain
    try:
        update = Update.model_validate(raw, context={"bot": bot})
        # An event of a kind that is newer than this program leaves every known field empty.
        if update.event_type:
            return update
    except (ValidationError, UpdateTypeLookupError) as problem:
        # Without its traceback: that would quote the message.
        log.warning(
            "an update could not be read and was set aside",
            update_id=raw.get("update_id"),
            fields=sorted(key for key in raw if key != "update_id"),
            reason=type(problem).__name__,
        )
    return None


def _chat(raw: dict[str, Any]) -> int:
    """The chat an undecoded update belongs to; 0 where there is none."""
    for event in raw.values():
        if isinstance(event, dict):
            message = event.get("message")
            chat = event.get("chat") or (message or {}).get("chat") or event.get("from")
            if isinstance(chat, dict) and isinstance(chat.get("id"), int):
                return int(chat["id"])
    return 0

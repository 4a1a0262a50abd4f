"""What the renderer hands to delivery: a letter to send, or why there is none."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from aiogram import Bot
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramNotFound,
)
from aiogram.methods import TelegramMethod
from aiogram.types import BufferedInputFile, InputFile

from scheduler.outcomes import FetchFailed
from storage.database import Tx
from storage.outbox.claims import Claimed


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that someone sent to the bot ``bot_id``.

    That bot sends it on by its id; for another it is fetched there first. ``send`` makes the
    message around it; ``instead`` goes out when the file is gone or will not be taken, so that
    the rest of the letter still arrives.
    """

    bot_id: int
    file_id: str
    file_name: str
    send: Callable[[InputFile | str], TelegramMethod[Any]]
    instead: TelegramMethod[Any]


class Letter(NamedTuple):
    """One message to one person, in as many parts as the channel needs, sent in order.

    ``joins``: it may be joined with others to a text of so many UTF-16 units; 0: it goes alone.
    """

    parts: Sequence[TelegramMethod[Any] | Attached]
    joins: int = 0


@dataclass(frozen=True, slots=True)
class Withheld:
    """There is nothing to send: the message ends as ``state``, for ``reason``."""

    state: Literal["failed", "cancelled"]
    reason: str


class Ready(NamedTuple):
    """A claimed message that may leave; ``silent``: it is night there, so without a sound."""

    message: Claimed
    silent: bool = False


class Render(Protocol):
    """Makes the letters of a batch, by the messages' ids, in the transaction that claimed them.

    It never raises for one message: what cannot be written is :class:`Withheld`.
    """

    def __call__(
        self, tx: Tx, batch: Sequence[Ready], /
    ) -> Awaitable[Mapping[int, Letter | Withheld]]: ...


async def fetch(
    part: Attached, to: int, bots: Mapping[int, Bot], seconds: int
) -> TelegramMethod[Any]:
    """The message around the file, for the bot ``to``; outside any transaction.

    Raises :class:`FetchFailed` when it may work later.
    """
    if part.bot_id == to:
        return part.send(part.file_id)
    origin = bots.get(part.bot_id)
    if origin is None:
        return part.instead
    try:
        content = await origin.download(part.file_id, timeout=seconds)
    except (
        TelegramBadRequest,
        TelegramEntityTooLarge,
        TelegramForbiddenError,
        TelegramNotFound,
    ):
        return part.instead
    except Exception as error:
        # aiogram lets aiohttp's own errors through when it downloads.
        raise FetchFailed(str(part.bot_id)) from error
    if content is None:
        return part.instead
    return part.send(BufferedInputFile(content.read(), part.file_name))

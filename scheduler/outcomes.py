"""The one table that says what an error of a channel means for a message."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientSSLError,
    ConnectionTimeoutError,
    InvalidURL,
)

_REASON: Final = 80
_NEVER_MADE: Final = (ClientConnectorError, ClientSSLError, ConnectionTimeoutError, InvalidURL)


class Kind(StrEnum):
    """What is to be done."""

    AGAIN = "again"  # the channel said no for now, and did nothing
    THROTTLED = "throttled"  # too fast: the chat, or the lane, waits
    UNSENT = "unsent"  # the request never left: safe to repeat; the lane rests
    LOST = "lost"  # it may have arrived: the message's class decides
    REFUSED = "refused"  # it never will be accepted
    UNREACHABLE = "unreachable"  # not at this account: try another
    MOVED = "moved"  # the chat has a new id
    NO_ENTRY = "no entry"  # the token is wrong: the lane stops


@dataclass(frozen=True, slots=True)
class Decision:
    """``reason`` is in words an officer can read; ``retry_after`` in seconds.

    ``account``: the state the account is in now, ``blocked`` or ``gone``.
    """

    kind: Kind
    reason: str
    retry_after: float = 0
    account: str | None = None
    chat_id: int | None = None


class NotSent(TelegramNetworkError):
    """Nothing of the request has left: no connection, or one that had ended before.

    Its cause says why.
    """


class FetchFailed(Exception):
    """A file could not be brought from the channel it came through, for now."""


def decide(error: BaseException) -> Decision:
    """The first row of the table whose exception this is."""
    for kind, row in _TABLE:
        if isinstance(error, kind):
            return row(error)
    # A bug of ours, or of a channel: it cannot be known how far the request came.
    return Decision(Kind.LOST, f"error: {type(error).__name__}")


def _said(error: TelegramAPIError) -> str:
    words = error.message.removeprefix("Bad Request: ").removeprefix("Forbidden: ")
    return f"refused: {words}"[:_REASON]


def _forbidden(error: TelegramForbiddenError) -> Decision:
    words = error.message.lower()
    if "not enough rights" in words or "have no rights" in words:
        return Decision(Kind.REFUSED, _said(error))
    if any(sign in words for sign in ("deactivated", "kicked", "not a member", "deleted")):
        return Decision(Kind.UNREACHABLE, "gone", account="gone")
    # Blocked, or never written to the bot: both end when the person writes.
    return Decision(Kind.UNREACHABLE, "blocked", account="blocked")


def _bad_request(error: TelegramBadRequest) -> Decision:
    words = error.message.lower()
    gone = ("chat not found", "user not found", "peer_id_invalid", "chat was deactivated")
    if any(sign in words for sign in gone):
        return Decision(Kind.UNREACHABLE, "gone", account="gone")
    return Decision(Kind.REFUSED, _said(error))


def _network(error: TelegramNetworkError) -> Decision:
    # Whatever broke after the request began to leave may have broken after it arrived. Of what
    # goes through aiohttp, only a connection that was never made is proof that it did not.
    cause = error.__cause__
    if not isinstance(error, NotSent) and not isinstance(cause, _NEVER_MADE):
        return Decision(Kind.LOST, "no answer from the channel")
    if isinstance(cause, ssl.SSLError | ClientSSLError):
        return Decision(Kind.UNSENT, "no secure connection to the channel")
    if isinstance(cause, socket.gaierror | ClientConnectorDNSError):
        return Decision(Kind.UNSENT, "the channel's address was not found")
    return Decision(Kind.UNSENT, "no connection to the channel")


def _too_fast(error: TelegramRetryAfter) -> Decision:
    return Decision(Kind.THROTTLED, "slowed down by the channel", retry_after=error.retry_after)


def _moved(error: TelegramMigrateToChat) -> Decision:
    return Decision(Kind.MOVED, "the chat has moved", chat_id=error.migrate_to_chat_id)


def _always(kind: Kind, reason: str) -> Callable[[Any], Decision]:
    decision = Decision(kind, reason)
    return lambda _error: decision


# In this order: TelegramEntityTooLarge is a TelegramNetworkError, all are TelegramAPIErrors.
_TABLE: Final[tuple[tuple[type[BaseException], Callable[[Any], Decision]], ...]] = (
    (TelegramRetryAfter, _too_fast),
    (TelegramMigrateToChat, _moved),
    (TelegramEntityTooLarge, _always(Kind.REFUSED, "too large for the channel")),
    (TelegramForbiddenError, _forbidden),
    (TelegramBadRequest, _bad_request),
    (TelegramUnauthorizedError, _always(Kind.NO_ENTRY, "the channel refuses the bot's token")),
    # Telegram answers 404 to a token that is not one, and so does a wrong address.
    (TelegramNotFound, _always(Kind.NO_ENTRY, "the channel does not know the bot")),
    (TelegramConflictError, _always(Kind.AGAIN, "the channel is busy")),
    (TelegramServerError, _always(Kind.AGAIN, "the channel has trouble")),
    (TelegramNetworkError, _network),
    (TelegramAPIError, lambda error: Decision(Kind.REFUSED, _said(error))),
    (ClientDecodeError, _always(Kind.LOST, "the channel's answer could not be read")),
    (FetchFailed, _always(Kind.AGAIN, "a file could not be fetched yet")),
)

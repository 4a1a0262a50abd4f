"""Each row of the table: what an error of a channel means for a message."""

import aiohttp
import pytest
from aiogram import exceptions as said
from aiogram.methods import SendMessage
from aiohttp.client_reqrep import ConnectionKey

from scheduler.outcomes import Decision, FetchFailed, Kind, decide

METHOD = SendMessage(chat_id=5, text="?")
KEY = ConnectionKey("host", 443, True, True, None, None, None)


def network(cause: Exception) -> said.TelegramNetworkError:
    error = said.TelegramNetworkError(METHOD, "it broke")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind", "account"),
    [
        (said.TelegramRetryAfter(METHOD, "Too Many Requests", 7), Kind.THROTTLED, None),
        (said.TelegramMigrateToChat(METHOD, "upgraded", -100), Kind.MOVED, None),
        (said.TelegramEntityTooLarge(METHOD, "too large"), Kind.REFUSED, None),
        (
            said.TelegramForbiddenError(METHOD, "Forbidden: bot was blocked by the user"),
            Kind.UNREACHABLE,
            "blocked",
        ),
        (
            said.TelegramForbiddenError(METHOD, "Forbidden: user is deactivated"),
            Kind.UNREACHABLE,
            "gone",
        ),
        (
            said.TelegramForbiddenError(METHOD, "Forbidden: bot was kicked from the group chat"),
            Kind.UNREACHABLE,
            "gone",
        ),
        (
            said.TelegramForbiddenError(
                METHOD, "Forbidden: bot can't initiate conversation with a user"
            ),
            Kind.UNREACHABLE,
            "blocked",
        ),
        (
            said.TelegramForbiddenError(METHOD, "Forbidden: not enough rights to send text"),
            Kind.REFUSED,
            None,
        ),
        (
            said.TelegramBadRequest(METHOD, "Bad Request: chat not found"),
            Kind.UNREACHABLE,
            "gone",
        ),
        (
            said.TelegramBadRequest(METHOD, "Bad Request: message is too long"),
            Kind.REFUSED,
            None,
        ),
        (
            said.TelegramBadRequest(METHOD, "Bad Request: can't parse entities"),
            Kind.REFUSED,
            None,
        ),
        (said.TelegramUnauthorizedError(METHOD, "Unauthorized"), Kind.NO_ENTRY, None),
        (said.TelegramNotFound(METHOD, "Not Found"), Kind.NO_ENTRY, None),
        (said.TelegramConflictError(METHOD, "Conflict"), Kind.AGAIN, None),
        (said.TelegramServerError(METHOD, "Internal Server Error"), Kind.AGAIN, None),
        (said.RestartingTelegram(METHOD, "restart"), Kind.AGAIN, None),
        (
            network(aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "refused"))),
            Kind.UNSENT,
            None,
        ),
        (network(aiohttp.ConnectionTimeoutError()), Kind.UNSENT, None),
        (network(aiohttp.ServerDisconnectedError()), Kind.LOST, None),
        (network(aiohttp.ClientOSError(104, "reset by peer")), Kind.LOST, None),
        (network(TimeoutError()), Kind.LOST, None),
        (said.TelegramAPIError(METHOD, "I'm a teapot"), Kind.REFUSED, None),
        (said.ClientDecodeError("?", ValueError(), "<html>"), Kind.LOST, None),
        (FetchFailed("1"), Kind.AGAIN, None),
        (KeyError("a bug"), Kind.LOST, None),
    ],
)
def test_row(error: Exception, kind: Kind, account: str | None) -> None:
    decision = decide(error)
    assert (decision.kind, decision.account) == (kind, account)
    assert 0 < len(decision.reason) <= 80
    assert "\n" not in decision.reason


def test_what_comes_with_it() -> None:
    assert decide(said.TelegramRetryAfter(METHOD, "Too Many Requests", 7)).retry_after == 7
    assert decide(said.TelegramMigrateToChat(METHOD, "upgraded", -100)).chat_id == -100
    assert decide(said.TelegramBadRequest(METHOD, "Bad Request: message is too long")) == Decision(
        Kind.REFUSED, "refused: message is too long"
    )

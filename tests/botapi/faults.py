"""Faults that a test scripts: which calls they strike, what they do, how many times."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from .errors import ApiError, bad_request, forbidden, too_many_requests
from .log import Call


@dataclass(frozen=True)
class Refuse:
    """Answer with an error; the call has no effect."""

    error: ApiError


@dataclass(frozen=True)
class Delay:
    """Wait this many seconds before the effect, or with `after` between effect and answer."""

    seconds: float
    after: bool = False


@dataclass(frozen=True)
class Hold:
    """Wait for `gate` before the effect, or with `after` between effect and answer."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    after: bool = False


@dataclass(frozen=True)
class Disconnect:
    """Close the connection without an answer: before the effect, or `after` it."""

    after: bool = False


@dataclass(frozen=True)
class Garble:
    """Answer with a body that is no Bot API answer, such as a proxy's error page."""

    status: int = 502
    body: str = "<html><h1>502 Bad Gateway</h1></html>"
    after: bool = False


Action = Refuse | Delay | Hold | Disconnect | Garble


class Cut(Exception):
    """Close the connection without an answer."""


class Garbled(Exception):
    """Answer with `garble`."""

    def __init__(self, garble: Garble) -> None:
        super().__init__(garble.body)
        self.garble = garble


@dataclass(eq=False)
class Fault:
    """Strikes calls of `method` (None: any) in `chat_id` (None: any) for which `when` holds.

    It is spent after `times` strikes (None: never), or `lasts` seconds after the first: a
    flood wait is `add(flood(2), times=None, lasts=2)`. `struck` counts.
    """

    action: Action
    method: str | None = None
    chat_id: int | None = None
    when: Callable[[Call], bool] | None = None
    times: int | None = 1
    lasts: float | None = None
    struck: int = 0
    first_struck: float = 0.0  # seconds, monotonic

    def strikes(self, call: Call) -> bool:
        return (
            (self.times is None or self.struck < self.times)
            and (not self.lasts or not self.struck or call.at < self.first_struck + self.lasts)
            and self.method in {None, call.method}
            and self.chat_id in {None, call.chat_id}
            and (self.when is None or self.when(call))
        )


class Faults(list[Fault]):
    """The faults in force, tried in order. Delays add up; the first other one decides.

    getMe and the methods that fetch updates or set the webhook are struck only when a
    fault names them.
    """

    def add(
        self,
        action: Action,
        method: str | None = None,
        chat_id: int | None = None,
        *,
        when: Callable[[Call], bool] | None = None,
        times: int | None = 1,
        lasts: float | None = None,
    ) -> Fault:
        """Append a fault and return it."""
        self.append(fault := Fault(action, method, chat_id, when, times, lasts))
        return fault

    def plan(self, call: Call) -> list[Action]:
        """What strikes `call`; each fault that does is one strike nearer its end."""
        actions: list[Action] = []
        for fault in list(self):
            if fault.method is None and call.method in SPARED:
                continue
            if fault.strikes(call):
                fault.first_struck = fault.first_struck or call.at
                fault.struck += 1
                actions.append(fault.action)
                if not isinstance(fault.action, Delay | Hold):
                    break
        return actions


SPARED = {"getMe", "getUpdates", "setWebhook", "deleteWebhook", "getWebhookInfo"}


async def apply(actions: list[Action], *, after: bool) -> None:
    """Do what belongs before or after the effect. Raises ApiError, Cut or Garbled."""
    for action in actions:
        if getattr(action, "after", False) is not after:
            continue
        if isinstance(action, Delay):
            await asyncio.sleep(action.seconds)
        elif isinstance(action, Hold):
            await action.gate.wait()
        elif isinstance(action, Refuse):
            raise action.error
        elif isinstance(action, Disconnect):
            raise Cut
        else:
            raise Garbled(action)


def flood(retry_after: int = 1) -> Refuse:
    """429; `retry_after` in seconds."""
    return Refuse(too_many_requests(retry_after))


def blocked() -> Refuse:
    """403 as from a person who blocked the bot."""
    return Refuse(forbidden("bot was blocked by the user"))


def deactivated() -> Refuse:
    """403 as from a person who deleted their account."""
    return Refuse(forbidden("user is deactivated"))


def refused(text: str) -> Refuse:
    """400 with this text after `Bad Request: `."""
    return Refuse(bad_request(text))


def broken(code: int = 500, text: str = "Internal Server Error") -> Refuse:
    """5xx in the Bot API's form."""
    return Refuse(ApiError(code, text))

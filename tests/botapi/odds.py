"""Faults at random, by a seed: the same calls meet the same faults again."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .faults import (
    SPARED,
    Action,
    Delay,
    Disconnect,
    Garble,
    blocked,
    broken,
    deactivated,
    refused,
)
from .log import Call

if TYPE_CHECKING:
    from .server import BotApi


class Odds:
    """`shares` of all calls that meet each kind of fault, by the names in `KINDS`.

    What a call meets depends on the seed, on its method and chat, and on how many such calls
    came before it: not on what other chats do meanwhile. `struck` counts.
    """

    def __init__(self, server: BotApi, seed: int, shares: Mapping[str, float]) -> None:
        if unknown := set(shares) - set(KINDS):
            raise ValueError(f"no such fault: {sorted(unknown)}; there are {sorted(KINDS)}")
        if sum(shares.values()) > 1:
            raise ValueError("the shares come to more than 1")
        self.server = server
        self.seed = seed
        self.shares = dict(shares)
        self.struck: Counter[str] = Counter()
        self._calls: Counter[tuple[str, int | None]] = Counter()

    def draw(self, call: Call) -> list[Action]:
        """What strikes `call`. A flood wait begins here and is told by the limits."""
        if not self.shares or call.method in SPARED:
            return []
        place = (call.method, call.chat_id)
        self._calls[place] += 1
        drawn = zlib.crc32(f"{self.seed}:{place}:{self._calls[place]}".encode())
        at = drawn / 2**32
        for kind, share in self.shares.items():
            if at < share:
                self.struck[kind] += 1
                return KINDS[kind](self.server, call, random.Random(drawn))
            at -= share
        return []


def _chat_flood(server: BotApi, call: Call, chance: random.Random) -> list[Action]:
    if call.chat_id is not None:
        server.limits.hold_chat(call.chat_id, call.at + chance.randint(1, 3))
    return []


def _bot_flood(server: BotApi, call: Call, chance: random.Random) -> list[Action]:
    server.limits.hold_bot(call.bot.id, call.at + chance.randint(1, 2))
    return []


def _broken(_server: BotApi, _call: Call, chance: random.Random) -> list[Action]:
    kinds: list[Action] = [Garble(502), broken(500), broken(503, "Service Unavailable")]
    return [chance.choice(kinds)]


def _slow(_server: BotApi, _call: Call, chance: random.Random) -> list[Action]:
    return [Delay(chance.uniform(0.2, 2.0), after=chance.random() < 0.5)]


def _shut(server: BotApi, _call: Call, chance: random.Random) -> list[Action]:
    server.refuse_for(chance.uniform(0.2, 1.0))
    return []


def _always(action: Action) -> Callable[[BotApi, Call, random.Random], list[Action]]:
    return lambda _server, _call, _chance: [action]


KINDS: dict[str, Callable[[BotApi, Call, random.Random], list[Action]]] = {
    "chat_flood": _chat_flood,  # 429 to this chat for 1 to 3 s
    "bot_flood": _bot_flood,  # 429 to everything for 1 or 2 s
    "blocked": _always(blocked()),
    "deactivated": _always(deactivated()),
    "no_chat": _always(refused("chat not found")),
    "refused": _always(refused("message can't be sent")),
    "broken": _broken,  # 500, 503, or a proxy's 502
    "slow": _slow,  # up to 2 s, before or after the effect
    "dropped": _always(Disconnect()),
    "lost": _always(Disconnect(after=True)),
    "shut": _shut,  # no new connection for up to 1 s
}

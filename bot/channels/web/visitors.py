"""Which browser this is, and which conversation it holds."""

import base64
import re
import secrets
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from bot.channels.web.conversations import Conversations
from storage.talk.conversation import Standing, find_by_device, find_chat
from storage.vault import Vault

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{32}\Z")
MOST_CHAT_ID: Final = 2**52 - 1  # as Telegram says of its own ids
COOKIE_SECONDS: Final = 400 * 24 * 3600


SEATS: Final = tuple(map(str, range(1, 7)))


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser and its conversation. ``standing`` is ``None`` while nothing of it is stored.

    ``tag`` names the conversation to its own pages, so that what was written in one is never
    sent in another; it opens nothing.
    """

    chat_id: int
    cookie_key: str
    tag: str
    standing: Standing | None


class Visitors:
    """Conversations by cookie. The chat id follows from the cookie: nothing is stored for it.

    A browser may hold several, each in a seat with a cookie of its own: a family shares a phone,
    and a demo shows a worker and a liaison side by side.
    """

    def __init__(self, conversations: Conversations, vault: Vault, *, secure: bool) -> None:
        self._conversations = conversations
        self._vault = vault
        self._secure = secure

    async def find(self, request: web.Request, seat: str | None = None) -> Visitor | None:
        """The visitor in the seat that the request names; ``None`` without a cookie of ours."""
        return await self.find_by_token(self.token_of(request, seat or seat_of(request)))

    def token_of(self, request: web.Request, seat: str) -> str:
        return request.cookies.get(self._cookie(seat), "")

    async def find_by_token(self, token: str) -> Visitor | None:
        if not _TOKEN.match(token):
            return None
        key = self._vault.lookup("web cookie", token)
        conversations = self._conversations
        held = conversations.memory.chat_of(key)
        own = held or self._own_chat(token)
        async with conversations.db.read() as tx:
            standing = await find_by_device(tx, key)
            if standing is None and held is None and await find_chat(tx, own) is not None:
                return None  # this browser was let go of: it may not come back by arithmetic
        chat_id = standing.chat_id if standing else own
        conversations.memory.see(chat_id, key, conversations.clock())
        return Visitor(chat_id, key, self._tag(chat_id), standing)

    async def welcome(self) -> tuple[str, Visitor]:
        """A new browser: its cookie's token, and a conversation nobody has."""
        while True:
            token = secrets.token_urlsafe(24)
            visitor = await self.find_by_token(token)
            if visitor is not None:
                return token, visitor

    def set_cookie(self, response: web.StreamResponse, token: str, seat: str) -> None:
        response.set_cookie(
            self._cookie(seat),
            token,
            path="/",
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=self._secure,
        )

    def _cookie(self, seat: str) -> str:
        name = "kinroom_chat" if seat == SEATS[0] else f"kinroom_chat{seat}"
        return f"__Host-{name}" if self._secure else name

    def _own_chat(self, token: str) -> int:
        digest = self._vault.lookup("web chat", token)
        number: int = int.from_bytes(base64.urlsafe_b64decode(digest + "="))
        return 1 + number % MOST_CHAT_ID

    def _tag(self, chat_id: int) -> str:
        return self._vault.lookup("web chat tag", str(chat_id))[:16]


def seat_of(request: web.Request) -> str:
    """The seat named in ``?seat=``, or the first."""
    seat = request.query.get("seat", SEATS[0])
    return seat if seat in SEATS else SEATS[0]

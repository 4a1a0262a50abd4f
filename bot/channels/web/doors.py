"""What a page's message becomes: one update, taken in once, with its bubble beside it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

from aiogram import Bot
from aiogram.types import Update
from aiogram.utils.i18n import gettext as _
from aiohttp import web

from bot.channels.web.address import address_of
from bot.channels.web.channel import WebChannel
from bot.channels.web.flood import Buckets
from bot.channels.web.memory import Talk
from bot.channels.web.refusals import Refusal, check_origin
from bot.channels.web.session import BOT_ID
from bot.channels.web.update import message_update
from bot.channels.web.visitors import Visitor
from bot.channels.web.words import pick_language
from storage.database import Tx
from storage.talk.conversation import Body, Bubble, StoredFile

BOT_USER: Final = {"id": BOT_ID, "is_bot": True, "first_name": "Kinroom"}
_CLIENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{16,64}\Z")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028-\u202e]")


class Take(Protocol):
    """``Intake.take``: returns after the update's commit."""

    def __call__(
        self,
        bot: Bot,
        update: Update,
        *,
        alongside: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> Awaitable[None]: ...


class Doors:
    """The way in, shared by text, taps, places and files.

    ``unavailable`` is what ``take`` raises when nothing happened and the page should try again.
    """

    def __init__(self, channel: WebChannel, take: Take, unavailable: type[Exception]) -> None:
        self.channel = channel
        self._take = take
        self._unavailable = unavailable
        self._by_chat = Buckets(burst=20, rate=1)
        self._by_address = Buckets(burst=240, rate=8)

    async def admit(
        self, request: web.Request, *, client_id: str, tag: str, cost: float = 1
    ) -> Visitor:
        """The visitor, if they may write now. Raises :class:`Refusal`."""
        if not _CLIENT_ID.match(client_id):
            raise malformed()
        now = asyncio.get_running_loop().time()
        self.check_address(request, cost)
        visitor = await self.visitor(request, tag)
        self._check_pace(self._by_chat, str(visitor.chat_id), now, cost)
        return visitor

    @asynccontextmanager
    async def turn(
        self, request: web.Request, visitor: Visitor, tag: str
    ) -> AsyncIterator[Visitor]:
        """The visitor, alone with their conversation."""
        async with self.channel.turn(visitor.chat_id):
            # The message before this one may have been the consent that made them known.
            yield visitor if visitor.standing else await self.visitor(request, tag)

    async def visitor(self, request: web.Request, tag: str) -> Visitor:
        """Who asks, if their page still shows the conversation their browser holds."""
        visitor = await self.channel.visitors.find(request)
        if visitor is None:
            raise Refusal(
                401,
                lambda: _("This browser keeps no cookies, so we can't tell you apart from others."),
                lost=True,
            )
        if tag != visitor.tag:
            raise Refusal(
                409, lambda: _("This browser now shows another conversation."), moved=True
            )
        return visitor

    async def say(
        self,
        request: web.Request,
        visitor: Visitor,
        client_id: str,
        body: Body | None,
        *,
        text: str | None = None,
        location: dict[str, float] | None = None,
        replied: Bubble | None = None,
        files: tuple[StoredFile, ...] = (),
    ) -> dict[str, Any]:
        """Take in what the person wrote; ``body`` is ``None`` when no bubble shall show it."""
        chat_id = visitor.chat_id
        if body is not None:
            body = {**body, "me": True, "client": client_id}
        update = message_update(
            chat_id,
            client_id,
            self._foresee(visitor, body or {}),
            BOT_USER,
            language=pick_language(request.headers.get("Accept-Language")),
            text=text,
            location=location,
            replied=replied,
        )
        return await self.take(visitor, client_id, update, body, files)

    async def take(
        self,
        visitor: Visitor,
        client_id: str,
        update: Update,
        body: Body | None = None,
        files: tuple[StoredFile, ...] = (),
    ) -> dict[str, Any]:
        """Give the update to the intake. Of someone not known, only memory keeps anything.

        ``{"ok", "shown"}``: ``shown`` is false when the conversation holds no bubble of it now,
        as after the word that erased it.
        """
        conversations = self.channel.conversations
        chat_id, now = visitor.chat_id, self.channel.clock()
        memory = conversations.memory
        if not memory.take(chat_id, client_id):
            return {"ok": True, "shown": True}
        talk = None if visitor.standing else memory.begin(chat_id, now)
        held = None
        recorded = False
        if talk is not None:
            # Before the replies come, so that it stands above them.
            held = talk.add(body, now) if body is not None else None
            talk.files.update({file.ref: file for file in files})
            memory.used(talk, now)
            conversations.live.wake(chat_id)

        async def record(tx: Tx) -> None:
            nonlocal recorded
            recorded = True
            if held is not None:
                await conversations.keep(tx, chat_id)
            elif body is not None:
                await conversations.add_within(tx, chat_id, body, files)
            elif talk is not None:
                await conversations.keep(tx, chat_id)

        try:
            await self._take(self.channel.bot, update, alongside=record)
        except self._unavailable:
            self._take_back(chat_id, client_id, talk, held)
            raise away() from None
        except BaseException:
            self._take_back(chat_id, client_id, talk, held)
            raise
        return {"ok": True, "shown": recorded or held is not None}

    def _take_back(
        self, chat_id: int, client_id: str, talk: Talk | None, held: Bubble | None
    ) -> None:
        self.channel.conversations.memory.give_back(chat_id, client_id)
        if talk is not None and held is not None:
            talk.change(held.message_id, None)
            self.channel.live.wake(chat_id)

    def _foresee(self, visitor: Visitor, body: Body) -> Bubble:
        # The number the bubble will have unless the bot speaks in between; nothing rests on it.
        now = self.channel.clock()
        talk = self.channel.conversations.memory.find(visitor.chat_id, now)
        last = visitor.standing or talk
        return Bubble(last.last_message_id + 1 if last else 1, 0, now, body)

    def check_address(self, request: web.Request, cost: float = 1) -> None:
        """That not too much comes from where the request does. Raises :class:`Refusal` 429."""
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
        address = address_of(request.remote or "", forwarded, self.channel.public_url)
        self._check_pace(self._by_address, address, asyncio.get_running_loop().time(), cost)

    def _check_pace(self, buckets: Buckets, key: str, now: float, cost: float) -> None:
        wait = buckets.wait(key, now, cost)
        if wait:
            raise Refusal(
                429,
                lambda: _("That was a lot at once. It goes on in a moment."),
                wait=max(1, round(wait + 0.5)),
            )


def away() -> Refusal:
    return Refusal(503, lambda: _("We can't take messages right now. Yours is kept and sent soon."))


def malformed() -> Refusal:
    return Refusal(400, lambda: _("This could not be understood. Please load the page again."))


async def read_json(request: web.Request, public_url: str, most: int = 32_768) -> dict[str, Any]:
    """The request's JSON object, at most ``most`` bytes. Raises :class:`Refusal`."""
    check_origin(request, public_url)
    if request.content_type != "application/json":
        raise malformed()
    payload = json_object(await read_body(request, most))
    if payload is None:
        raise malformed()
    return payload


async def read_body(request: web.Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_chunked(65_536):
        body += chunk
        if len(body) > most:
            raise Refusal(
                413,
                lambda: _("That file is too big. At most {size} MB can be sent.").format(
                    size=max(1, most // 1_048_576)
                ),
            )
    return bytes(body)


def json_object(raw: bytes) -> dict[str, Any] | None:
    try:
        payload = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


def clean(text: str) -> str:
    """Without what no keyboard types: control and direction-override characters."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))

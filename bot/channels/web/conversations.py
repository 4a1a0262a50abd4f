"""The conversations of the web chat: stored for those who are known, in memory for others."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.channels.web.live import Live
from bot.channels.web.memory import Memory, Talk
from storage.database import Database, Tx
from storage.talk.conversation import (
    Body,
    Bubble,
    StoredFile,
    add_device,
    add_file,
    add_message,
    change_message,
    changes_since,
    find_chat,
    find_file,
    find_message,
    is_known,
    lock_chat,
    messages_before,
    open_chat,
)

PAGE: Final = 40
_AT_ONCE: Final = 200
_STEPS_BACK: Final = 6
_LAST: Final = 2**31 - 1


class NoChat(Exception):
    """Nobody is, or was lately, behind this chat id."""


class NoMessage(Exception):
    """The conversation holds no such message."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How much of a conversation a page has: ``life`` tells one conversation from the next."""

    life: int
    revision: int

    def __str__(self) -> str:
        return f"{self.life}-{self.revision}"

    @classmethod
    def parse(cls, text: str) -> "Mark":
        """As :meth:`__str__` gives it; anything else is the mark of a page that has nothing."""
        life, _, revision = text.partition("-")
        if life.isdecimal() and revision.isdecimal() and len(text) < 40:
            return cls(int(life), int(revision))
        return cls(-1, 0)


@dataclass(frozen=True, slots=True)
class News:
    """What a page lacks. ``reset``: forget what is shown. ``more``: there is more before it.

    ``keyboard``: the message before these that left the reply keyboard as it is.
    """

    mark: Mark
    bubbles: Sequence[Bubble]
    reset: bool = False
    more: bool = False
    keyboard: Bubble | None = None


def _life(since: datetime) -> int:
    return int(since.timestamp() * 1000)


class Conversations:
    """Reads and writes bubbles wherever the conversation lives, and wakes open pages."""

    def __init__(
        self,
        db: Database,
        memory: Memory,
        live: Live,
        *,
        bot_id: int,
        clock: Callable[[], datetime],
    ) -> None:
        self.db = db
        self.memory = memory
        self.live = live
        self.bot_id = bot_id
        self.clock = clock
        self._storing: set[asyncio.Task[None]] = set()

    async def add(self, chat_id: int, body: Body, files: Sequence[StoredFile] = ()) -> Bubble:
        """Say something in a chat, in a transaction of its own. Raises :class:`NoChat`."""
        now = self.clock()
        async with self.db.write() as tx:
            bubble = await self.add_within(tx, chat_id, body, files)
        if bubble is not None:
            return bubble
        with self._talk(chat_id, now) as talk:
            talk.files.update({file.ref: file for file in files})
            talk.size += sum(len(file.content) for file in files)
            return talk.add(body, now)

    async def add_within(
        self, tx: Tx, chat_id: int, body: Body, files: Sequence[StoredFile] = ()
    ) -> Bubble | None:
        """As :meth:`add`, in the caller's transaction; ``None`` when nothing may be stored."""
        now = self.clock()
        if self.memory.find(chat_id, now) is not None and not await self.keep(tx, chat_id):
            return None
        bubble = await add_message(tx, chat_id, body, now)
        if bubble is None:
            if not await self.keep(tx, chat_id):
                return None
            bubble = await add_message(tx, chat_id, body, now)
        for file in files:
            await add_file(tx, file, now)
        tx.after_commit(lambda: self.live.wake(chat_id))
        return bubble

    async def keep(self, tx: Tx, chat_id: int) -> bool:
        """Begin to store the conversation if the person is known by now; memory lets go of it."""
        if not await is_known(tx, self.bot_id, chat_id):
            return False
        now = self.clock()
        talk = self.memory.find(chat_id, now)
        if talk is None:
            await open_chat(tx, chat_id, now)
            for device in self.memory.devices_at(chat_id):
                await add_device(tx, chat_id, device, now)
            return True
        revision, bubbles = talk.revision, list(talk.bubbles.values())
        if await open_chat(tx, chat_id, talk.since, bubbles, revision):
            talk.kept = revision
        for device in talk.devices:
            await add_device(tx, chat_id, device, now)
        files = dict(talk.files)
        for file in files.values():
            await add_file(tx, file, now)
        tx.after_commit(lambda: self._hand_over(talk, files))
        tx.after_commit(lambda: self.live.wake(chat_id))
        return True

    def _hand_over(self, talk: Talk, files: Mapping[str, StoredFile]) -> None:
        """Let go of a talk that is stored now, and store what was said in it meanwhile.

        On PostgreSQL another transaction may not yet have seen that the person is known.
        """
        if self.memory.find(talk.chat_id, self.clock()) is not talk:
            return
        self.memory.drop(talk.chat_id)
        late = talk.since_revision(talk.kept)
        if late:
            more = [file for ref, file in talk.files.items() if ref not in files]
            task = asyncio.create_task(self._store_late(talk.chat_id, late, more))
            self._storing.add(task)
            task.add_done_callback(self._storing.discard)

    async def _store_late(
        self, chat_id: int, late: Sequence[Bubble], files: Sequence[StoredFile]
    ) -> None:
        async with self.db.write() as tx:
            for bubble in late:
                if await find_message(tx, chat_id, bubble.message_id) is None:
                    if bubble.body is not None:
                        await add_message(tx, chat_id, bubble.body, bubble.at)
                elif (revision := await lock_chat(tx, chat_id)) is not None:
                    await change_message(tx, chat_id, replace(bubble, revision=revision))
            for file in files:
                await add_file(tx, file, self.clock())
            tx.after_commit(lambda: self.live.wake(chat_id))

    async def settle(self) -> None:
        """Until what was said while a conversation began to be stored is stored too."""
        await asyncio.gather(*self._storing, return_exceptions=True)

    async def change(
        self, chat_id: int, message_id: int, change: Callable[[Body], Body | None]
    ) -> Bubble:
        """Change a message, or delete it with a ``change`` that gives ``None``.

        What ``change`` raises leaves everything as it was. Raises :class:`NoChat`,
        :class:`NoMessage`.
        """
        now = self.clock()
        async with self.db.write() as tx:
            revision = await lock_chat(tx, chat_id)
            if revision is not None:
                bubble = await find_message(tx, chat_id, message_id)
                body = change(_present(bubble))
                assert bubble is not None  # _present has raised otherwise
                changed = Bubble(message_id, revision, bubble.at, body)
                await change_message(tx, chat_id, changed)
                tx.after_commit(lambda: self.live.wake(chat_id))
                return changed
        with self._talk(chat_id, now) as talk:
            return talk.change(message_id, change(_present(talk.bubbles.get(message_id))))

    async def find(self, chat_id: int, message_id: int) -> Bubble | None:
        """A message that is still there."""
        talk = self.memory.find(chat_id, self.clock())
        if talk is not None:
            bubble = talk.bubbles.get(message_id)
        else:
            async with self.db.read() as tx:
                bubble = await find_message(tx, chat_id, message_id)
        return None if bubble is None or bubble.body is None else bubble

    async def find_file(self, ref: str) -> StoredFile | None:
        held = self.memory.find_file(ref)
        if held is not None:
            return held
        async with self.db.read() as tx:
            return await find_file(tx, ref)

    async def news(self, chat_id: int, mark: Mark) -> News | None:
        """What a page with ``mark`` lacks; ``None`` when it has everything."""
        talk = self.memory.find(chat_id, self.clock())
        if talk is not None:
            return _news_of(talk, mark)
        async with self.db.read() as tx:
            standing = await find_chat(tx, chat_id)
            if standing is None:
                return None if mark.life == 0 else News(Mark(0, 0), (), reset=True)
            life = _life(standing.since)
            if mark == Mark(life, standing.revision):
                return None
            if mark.life != life or mark.revision > standing.revision:
                bubbles = await messages_before(tx, chat_id, _LAST, PAGE)
                here = Mark(life, standing.revision)
                more = len(bubbles) == PAGE
                deciding = await _keyboard_before(tx, chat_id, bubbles) if more else None
                return News(here, bubbles, reset=True, more=more, keyboard=deciding)
            changed = await changes_since(tx, chat_id, mark.revision, _AT_ONCE)
        return News(Mark(life, changed[-1].revision if changed else standing.revision), changed)

    async def before(self, chat_id: int, message_id: int) -> list[Bubble]:
        """The page of messages before this one, oldest first."""
        talk = self.memory.find(chat_id, self.clock())
        if talk is not None:
            older = [b for b in talk.bubbles.values() if b.message_id < message_id and b.body]
            return older[-PAGE:]
        async with self.db.read() as tx:
            return await messages_before(tx, chat_id, min(message_id, _LAST), PAGE)

    @contextlib.contextmanager
    def _talk(self, chat_id: int, now: datetime) -> Iterator[Talk]:
        talk = self.memory.begin(chat_id, now)
        if talk is None:
            raise NoChat
        yield talk
        self.memory.used(talk, now)
        self.live.wake(chat_id)


async def _keyboard_before(tx: Tx, chat_id: int, bubbles: list[Bubble]) -> Bubble | None:
    for _step in range(_STEPS_BACK):
        for bubble in reversed(bubbles):
            if bubble.body is not None and "keyboard" in bubble.body:
                return bubble
        if len(bubbles) < PAGE:
            return None
        bubbles = await messages_before(tx, chat_id, bubbles[0].message_id, _AT_ONCE)
    return None


def _present(bubble: Bubble | None) -> Body:
    if bubble is None or bubble.body is None:
        raise NoMessage
    return bubble.body


def _news_of(talk: Talk, mark: Mark) -> News | None:
    here = Mark(_life(talk.since), talk.revision)
    if mark == here:
        return None
    if mark.life != here.life or mark.revision > here.revision:
        return News(here, [b for b in talk.bubbles.values() if b.body], reset=True)
    return News(here, talk.since_revision(mark.revision))

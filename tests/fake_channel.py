"""A channel for tests: a session that answers as it is told and keeps what it took."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.methods import GetFile, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import Chat, File, Message

Answer = Exception | Callable[[], Awaitable[None]]


class FakeSession(BaseSession):
    """``say(chat_id, error, …)`` queues answers for a chat; without one a message is taken.

    An answer that is a coroutine function is awaited before the message is taken.
    """

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[tuple[int, TelegramMethod[Any]]] = []
        self.tried: list[int] = []
        self.files: dict[str, bytes] = {}
        self._answers: dict[int, list[Answer]] = {}
        self._always: Callable[[TelegramMethod[Any]], Exception | None] = lambda _method: None

    def say(self, chat_id: int, *answers: Answer) -> None:
        self._answers.setdefault(chat_id, []).extend(answers)

    def always(self, answer: Callable[[TelegramMethod[Any]], Exception | None]) -> None:
        self._always = answer

    def texts(self) -> list[tuple[int, str]]:
        return [(chat, getattr(method, "text", "") or "") for chat, method in self.taken]

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[TelegramType],
        timeout: int | None = None,  # noqa: ASYNC109  # aiogram's signature
    ) -> TelegramType:
        if isinstance(method, GetFile):
            file = File(file_id=method.file_id, file_unique_id="u", file_path=method.file_id)
            return cast("TelegramType", file)
        chat_id = int(method.chat_id)  # type: ignore[attr-defined]  # every send has it
        self.tried.append(chat_id)
        if (general := self._always(method)) is not None:
            raise general
        queued = self._answers.get(chat_id, [])
        if queued:
            answer = queued.pop(0)
            if isinstance(answer, Exception):
                raise answer
            await answer()
        self.taken.append((chat_id, method))
        message = Message(
            message_id=len(self.taken),
            date=datetime(2026, 1, 1, tzinfo=UTC),
            chat=Chat(id=chat_id, type="private"),
        )
        return cast("TelegramType", message)

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,  # noqa: ASYNC109  # aiogram's signature
        chunk_size: int = 65536,
        raise_for_status: bool = True,
    ) -> AsyncGenerator[bytes, None]:
        yield self.files[url.rpartition("/")[2]]

    async def close(self) -> None:
        """Nothing is open."""


def fake_bot(bot_id: int) -> tuple[Bot, FakeSession]:
    session = FakeSession()
    return Bot(f"{bot_id}:{'x' * 35}", session=session), session


class Times:
    """Both clocks of a delivery, moved by hand and together."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.passed = 0.0

    def clock(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.passed

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.passed += seconds


class Gate:
    """An answer that waits until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._open = asyncio.Event()

    async def __call__(self) -> None:
        self.reached.set()
        await self._open.wait()

    def open(self) -> None:
        self._open.set()

"""A session that answers every request at once: what is measured is not the network."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.methods import TelegramMethod
from aiogram.methods.base import TelegramType


class InstantSession(BaseSession):
    """``said`` counts the requests."""

    def __init__(self) -> None:
        super().__init__()
        self.said = 0
        self._awaited = 0
        self._heard = asyncio.Event()

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[TelegramType],
        timeout: int | None = None,  # noqa: ASYNC109  # aiogram's signature
    ) -> TelegramType:
        self.said += 1
        if self.said == self._awaited:
            self._heard.set()
        return True  # type: ignore[return-value]  # nobody looks at the answer

    async def hear(self, total: int) -> None:
        """Wait until ``total`` requests have come since the beginning."""
        if self.said < total:
            self._awaited = total
            self._heard.clear()
            await self._heard.wait()

    async def close(self) -> None:
        """Nothing is open."""

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,  # noqa: ASYNC109  # aiogram's signature
        chunk_size: int = 65536,
        raise_for_status: bool = True,
    ) -> AsyncGenerator[bytes, None]:
        raise NotImplementedError
        yield b""

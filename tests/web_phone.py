"""A phone's real browser, and what the page's tests do with it."""

import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
)
from playwright.async_api import (
    Browser,
    BrowserContext,
    Page,
    async_playwright,
    expect,
)

from storage.database import Database
from tests.web_room import WebRoom, open_room

CHROMIUM: Final = os.environ.get("KINROOM_TEST_CHROMIUM") or shutil.which("chromium")
needs_chromium: Final = pytest.mark.skipif(
    CHROMIUM is None, reason="NO CHROMIUM: the chat page was not tried in a browser"
)

PHONE: Final = {"width": 320, "height": 568}
PIXEL: Final = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\nIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82"
)
LONG: Final = "Deutschland-Versicherungsangelegenheiten-und-sonstige-Fragen-dazu " * 3


@pytest.fixture
async def room(sqlite_db: Database, tmp_path: Path) -> AsyncIterator[WebRoom]:
    folder = tmp_path / "words"
    folder.mkdir()
    async with open_room(sqlite_db, folder) as ready:
        yield ready


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        quiet = ["--no-sandbox", "--use-fake-device-for-media-stream"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield browser
        await browser.close()


class Phone:
    """One browser context; what went wrong in it, and where it asked, is kept."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.problems: list[str] = []
        self.asked: list[str] = []

    async def open(self, address: str) -> Page:
        page = await self.context.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._note)
        page.on("request", lambda request: self.asked.append(request.url))
        await page.goto(address)
        await expect(page.locator("#state")).to_have_text(re.compile("Connected|已连上"))
        return page

    def _note(self, message: Any) -> None:
        lost = "net::ERR_INTERNET_DISCONNECTED" in message.text or "503" in message.text
        if message.type in {"error", "warning"} and not lost:
            self.problems.append(message.text)


async def new_phone(chromium: Browser, **options: Any) -> Phone:
    given: dict[str, Any] = {"viewport": PHONE, "locale": "en-US", "has_touch": True} | options
    return Phone(await chromium.new_context(**given))


@pytest.fixture
async def phone(chromium: Browser) -> AsyncIterator[Phone]:
    ready = await new_phone(chromium)
    yield ready
    assert not ready.problems


async def joined(room: WebRoom, phone: Phone, *, language: str = "en") -> Page:
    """A page of someone the room knows."""
    page = await phone.open(room.url)
    await write(page, "hello")
    await expect(page.get_by_text("You said: hello")).to_be_visible()
    async with room.db.write() as tx:
        await room.join(tx, room.chat_id, language=language)
    return page


async def write(page: Page, text: str) -> None:
    await page.locator("#write").fill(text)
    await page.locator("#write").press("Enter")


def buttons(*rows: list[str]) -> InlineKeyboardMarkup:
    keys = [[InlineKeyboardButton(text=word, callback_data=word[:20]) for word in r] for r in rows]
    return InlineKeyboardMarkup(inline_keyboard=keys)


def keyboard(*rows: list[str], once: bool = False) -> ReplyKeyboardMarkup:
    keys = [[KeyboardButton(text=word) for word in row] for row in rows]
    return ReplyKeyboardMarkup(keyboard=keys, one_time_keyboard=once)

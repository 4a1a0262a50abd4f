"""The chat page in a real browser, on a small phone: by touch, by keyboard, on a bad line."""

import os
import re
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    MessageEntity,
    ReplyKeyboardMarkup,
)
from playwright.async_api import (
    Browser,
    BrowserContext,
    FilePayload,
    Page,
    async_playwright,
    expect,
)

from storage.database import Database
from storage.invites import make_invite
from tests.web_room import WebRoom, open_room

CHROMIUM: Final = os.environ.get("KINROOM_TEST_CHROMIUM") or shutil.which("chromium")
pytestmark = pytest.mark.skipif(
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


class TestTalking:
    async def test_an_invite_begins_the_talk_and_a_tap_changes_the_question(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await phone.open(f"{room.url}?start=wAAAAAAAAAAAAAAAAAAAAA")
        await page.get_by_role("button", name="Agree").click()
        await expect(page.locator(".msg")).to_have_count(1)
        await expect(page.locator(".msg .text")).to_have_text("Done: agree")
        await expect(page.locator(".toast")).to_have_text("Noted")
        await expect(page.locator("h1")).to_have_text("南对河村")
        # The token is out of sight, so that a reload does not use it again.
        assert "start" not in page.url
        await page.reload()
        await expect(page.locator(".msg .text")).to_have_text("Done: agree")
        assert sum(update.message is not None for update in room.updates) == 1

    async def test_without_an_invite_there_is_one_thing_to_do(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await phone.open(room.url)
        await expect(page.get_by_text("Nothing has been said here yet.")).to_be_visible()
        await page.get_by_role("button", name="Begin").click()
        await expect(page.get_by_text("May we keep this?")).to_be_visible()
        await expect(page.get_by_role("button", name="Begin")).to_be_hidden()

    async def test_what_is_written_shows_its_way(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        await write(page, "平安 👋")
        mine = page.locator(".msg.me").last
        await expect(mine.locator(".text")).to_have_text("平安 👋")
        await expect(mine.get_by_role("img", name="Received")).to_be_visible()
        await expect(page.locator(".msg")).to_have_count(4)
        assert await page.locator("#write").input_value() == ""

    async def test_a_reload_and_a_second_device_show_it(
        self, room: WebRoom, phone: Phone, chromium: Browser
    ) -> None:
        page = await joined(room, phone)
        await write(page, "kept")
        await expect(page.get_by_text("You said: kept")).to_be_visible()
        await page.reload()
        await expect(page.get_by_text("You said: kept")).to_be_visible()
        async with room.db.write() as tx:
            token = await make_invite(
                tx, kind="device", person_id=room.person_ids[room.chat_id], uses=1,
                expires_at=None, by=None, now=datetime.now(UTC),
            )  # fmt: skip
        second = await new_phone(chromium)
        other = await second.open(f"{room.url}?start={token}")
        await expect(other.get_by_text("You said: kept")).to_be_visible()
        await write(other, "from the second")
        await expect(page.get_by_text("You said: from the second")).to_be_visible()
        assert not second.problems

    async def test_the_bar_of_choices_sends_their_words(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        await write(page, "menu")
        await page.get_by_role("button", name="I'm fine").click()
        await expect(page.get_by_text("You said: I'm fine")).to_be_visible()
        await expect(page.locator("#keyboard")).to_be_visible()
        await page.get_by_role("button", name="Hide the choices").click()
        await expect(page.locator("#keyboard")).to_be_hidden()
        once = keyboard(["Skip"], once=True)
        await room.channel.bot.send_message(room.chat_id, "City?", reply_markup=once)
        await page.get_by_role("button", name="Skip").click()
        await expect(page.locator("#keyboard")).to_be_hidden()

    async def test_one_message_is_answered(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        await room.channel.bot.send_message(room.chat_id, "Case 7: my wages")
        await page.locator(".msg", has_text="Case 7").get_by_role("button", name="Reply").click()
        await expect(page.locator("#replying")).to_contain_text("Case 7: my wages")
        await write(page, "call them")
        await expect(page.get_by_text("You said: call them (to Case 7: my wages)")).to_be_visible()
        await expect(page.locator(".msg.me .quote").last).to_have_text("Case 7: my wages")
        await expect(page.locator("#replying")).to_be_hidden()

    async def test_words_of_a_stranger_stay_words(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        evil = '<img src=x onerror="document.title=1"><b>bold</b> https://example.org/a?b=1.'
        style = [MessageEntity(type="italic", offset=0, length=4)]
        await room.channel.bot.send_message(room.chat_id, evil, entities=style)
        text = page.locator(".msg .text").last
        await expect(text).to_have_text(evil)
        assert await text.locator("img, b").count() == 0
        assert await text.locator("i").inner_text() == "<img"
        link = text.locator("a")
        assert await link.get_attribute("href") == "https://example.org/a?b=1"
        assert await link.get_attribute("rel") == "noopener noreferrer"

    async def test_typing_is_shown_and_passes(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        await room.channel.bot.send_chat_action(room.chat_id, "typing")
        await expect(page.locator("#typing")).to_be_visible()
        await room.channel.bot.send_message(room.chat_id, "here")
        await expect(page.locator("#typing")).to_be_hidden()

    async def test_older_messages_come_when_asked_for(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        for number in range(45):
            await room.channel.bot.send_message(room.chat_id, f"number {number}")
        await page.reload()
        await expect(page.get_by_text("number 44")).to_be_in_viewport()
        await page.get_by_role("button", name="Earlier messages").click()
        await expect(page.get_by_text("You said: hello")).to_be_attached()
        texts = await page.locator(".msg .text").all_inner_texts()
        assert texts == ["hello", "You said: hello", *(f"number {n}" for n in range(45))]
        await expect(page.get_by_role("button", name="Earlier messages")).to_be_hidden()

    async def test_a_deleted_message_goes_and_an_erased_talk_is_reset(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        sent = await room.channel.bot.send_message(room.chat_id, "a mistake")
        await expect(page.get_by_text("a mistake")).to_be_visible()
        await sent.delete()
        await expect(page.get_by_text("a mistake")).to_have_count(0)
        await write(page, "erase")
        await expect(page.locator(".msg .text")).to_have_text(["It's all gone."])


class TestFiles:
    async def test_a_picture_of_a_code_is_shown_and_saved(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        code = BufferedInputFile(PIXEL, "invite.png")
        await room.channel.bot.send_photo(room.chat_id, code, caption="Your invite")
        picture = page.locator("img.photo")
        await expect(picture).to_be_visible()
        await expect(picture).to_have_js_property("naturalWidth", 1)
        async with page.expect_download() as saved:
            await page.get_by_role("link", name="Download").click()
        assert (await saved.value).suggested_filename == "invite.png"

    async def test_a_photo_from_the_phone_is_made_small_and_arrives(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        await page.get_by_role("button", name="Send a photo or file").click()
        file = FilePayload(name="a.png", mimeType="image/png", buffer=PIXEL)
        await page.locator("#photo").set_input_files([file])
        await expect(page.get_by_text("Got it.")).to_be_visible()
        message = room.updates[-1].message
        assert message is not None
        assert message.photo is not None
        held = await room.channel.bot.download(message.photo[-1].file_id)
        assert held is not None
        assert held.read(3) == b"\xff\xd8\xff"  # drawn anew: where it was taken is not in it
        await expect(page.locator(".msg.me img.photo")).to_have_js_property("naturalWidth", 1)

    async def test_a_voice_is_recorded_and_arrives(self, room: WebRoom, chromium: Browser) -> None:
        phone = await new_phone(chromium, permissions=["microphone"])
        page = await joined(room, phone)
        await page.get_by_role("button", name="Record a voice message").click()
        await expect(page.get_by_role("button", name="Stop and send")).to_be_visible()
        await expect(page.locator("#write")).to_have_attribute("placeholder", re.compile("1 s"))
        await page.get_by_role("button", name="Stop and send").click()
        await expect(page.get_by_text("Got it.")).to_be_visible()
        message = room.updates[-1].message
        assert message is not None
        assert message.voice is not None
        assert message.voice.duration >= 1
        await expect(page.locator(".msg.me audio")).to_be_visible()
        assert not phone.problems

    async def test_a_place_is_sent_rough_after_a_yes(
        self, room: WebRoom, chromium: Browser
    ) -> None:
        phone = await new_phone(
            chromium,
            permissions=["geolocation"],
            geolocation={"latitude": 24.88012, "longitude": 102.83345},
        )
        page = await joined(room, phone)
        bodies: list[str] = []
        page.on("request", lambda request: bodies.append(request.post_data or ""))
        await page.get_by_role("button", name="Send a photo or file").click()
        await page.get_by_role("button", name="Where I am").click()
        await expect(page.get_by_text("Only the rough area is sent")).to_be_visible()
        await page.get_by_role("button", name="Send my rough place").click()
        await expect(page.get_by_text("Got it.")).to_be_visible()
        assert not any("24.88" in body for body in bodies)
        assert any('"latitude":24.9' in body for body in bodies)


class TestBadLine:
    async def test_what_is_written_offline_is_kept_and_arrives_once(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        await phone.context.set_offline(True)
        await expect(page.get_by_text("You are offline.")).to_be_visible()
        await write(page, "first")
        await write(page, "second")
        waiting = page.get_by_role("img", name="Waiting to be sent")
        await expect(waiting).to_have_count(2)
        await phone.context.set_offline(False)
        await expect(page.get_by_text("You said: second")).to_be_visible()
        await expect(waiting).to_have_count(0)
        await expect(page.get_by_text("You are offline.")).to_have_count(0)
        texts = await page.locator(".msg.me .text").all_inner_texts()
        assert texts == ["hello", "first", "second"]

    async def test_it_outlives_a_closed_page(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        room.failures = 1000
        await write(page, "kept in the phone")
        await expect(page.get_by_text("Yours is kept and sent soon.")).to_be_visible()
        await page.close()
        room.failures = 0
        page = await phone.open(room.url)
        await expect(page.get_by_text("You said: kept in the phone")).to_be_visible()
        said = [update.message.text for update in room.updates if update.message]
        assert said.count("kept in the phone") == 1

    async def test_an_answer_that_was_lost_makes_no_second_message(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        lost = 0

        async def lose(route: Any) -> None:
            nonlocal lost
            lost += 1
            await route.fetch()  # it arrives, and the answer does not
            await route.abort()

        await page.route("**/chat/send?*", lose, times=1)
        await write(page, "once")
        await expect(page.get_by_text("You said: once")).to_be_visible()
        await expect(page.get_by_role("img", name="Waiting to be sent")).to_have_count(0)
        phone.problems = [text for text in phone.problems if "ERR_FAILED" not in text]
        assert lost == 1
        assert await page.locator(".msg.me").count() == 2
        said = [update.message.text for update in room.updates if update.message]
        assert said.count("once") == 1

    async def test_a_tap_made_offline_arrives(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        await room.channel.bot.send_message(
            room.chat_id, "How was your week?", reply_markup=buttons(["I'm fine"])
        )
        button = page.get_by_role("button", name="I'm fine")
        await expect(button).to_be_visible()
        await phone.context.set_offline(True)
        await expect(page.get_by_text("You are offline.")).to_be_visible()
        await button.click()
        await phone.context.set_offline(False)
        await expect(page.get_by_text("Done: I'm fine")).to_be_visible()

    async def test_what_was_said_meanwhile_arrives_in_order(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        await phone.context.set_offline(True)
        await expect(page.get_by_text("You are offline.")).to_be_visible()
        for number in range(3):
            await room.channel.bot.send_message(room.chat_id, f"meanwhile {number}")
        await phone.context.set_offline(False)
        await expect(page.get_by_text("meanwhile 2")).to_be_visible()
        texts = await page.locator(".msg.bot .text").all_inner_texts()
        assert texts[-3:] == [f"meanwhile {number}" for number in range(3)]

    async def test_what_is_refused_says_why_and_what_to_do(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await phone.open(room.url)
        await write(page, "hello")
        await expect(page.get_by_text("You said: hello")).to_be_visible()
        await page.get_by_role("button", name="Send a photo or file").click()
        file = FilePayload(name="a.txt", mimeType="text/plain", buffer=b"hello")
        await page.locator("#file").set_input_files([file])
        failed = page.locator(".msg.failed")
        await expect(failed).to_contain_text("can be sent once you have joined")
        await failed.get_by_role("button", name="Remove").click()
        await expect(failed).to_have_count(0)
        phone.problems = [text for text in phone.problems if "403" not in text]

    async def test_a_browser_that_moved_on_shows_where_it_is(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        await phone.context.clear_cookies()
        other = await phone.open(room.url)
        await write(page, "for whom?")
        await expect(page.get_by_text("Nothing has been said here yet.")).to_be_visible()
        await expect(other.get_by_text("for whom?")).to_have_count(0)
        phone.problems = [text for text in phone.problems if "409" not in text]


class TestForEveryone:
    async def test_nothing_is_asked_of_another_host(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        await page.reload()
        base = room.url.removesuffix("/chat/")
        assert phone.asked
        assert all(url.startswith((base, "blob:", "data:")) for url in phone.asked)

    @pytest.mark.parametrize("scale", [100, 200])
    async def test_no_sideways_scroll_at_320(self, room: WebRoom, phone: Phone, scale: int) -> None:
        page = await joined(room, phone)
        await page.evaluate(f"document.documentElement.style.fontSize = '{scale}%'")
        bot, chat = room.channel.bot, room.chat_id
        await bot.send_message(chat, LONG, reply_markup=buttons([LONG], ["One", "Two", "Three"]))
        await bot.send_photo(chat, BufferedInputFile(PIXEL, "a.png"), caption=LONG.replace("-", ""))
        document = BufferedInputFile(b"a", "a-very-long-file-name-that-nobody-would-choose.csv")
        await bot.send_document(chat, document)
        bar = keyboard([LONG, "My news"], ["Notices and services", "My data"])
        await bot.send_message(chat, "Menu", reply_markup=bar)
        await expect(page.get_by_role("button", name="My data")).to_be_visible()
        wide = await page.evaluate(_WIDE)
        assert wide == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320
        # The field to write in is still on the screen.
        await expect(page.locator("#write")).to_be_in_viewport()

    async def test_what_can_be_touched_is_large_enough(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        bot = room.channel.bot
        await bot.send_message(room.chat_id, "?", reply_markup=buttons(["A", "B", "C"]))
        await bot.send_message(room.chat_id, "Menu", reply_markup=keyboard(["I'm fine"]))
        await expect(page.get_by_role("button", name="I'm fine")).to_be_visible()
        await page.get_by_role("button", name="Send a photo or file").click()
        small = await page.evaluate(_SMALL)
        assert small == []

    async def test_by_keyboard_alone(self, room: WebRoom, phone: Phone) -> None:
        page = await phone.open(f"{room.url}?start=wAAAAAAAAAAAAAAAAAAAAA")
        await expect(page.get_by_role("button", name="Agree")).to_be_visible()
        await page.keyboard.press("Tab")
        await expect(page.get_by_text("Go to the message box")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#write")).to_be_focused()
        for _ in range(20):
            await page.keyboard.press("Shift+Tab")
            if await page.evaluate("document.activeElement.textContent") == "Agree":
                break
        await page.keyboard.press("Enter")
        # The button is gone; the reader stays at the message it stood under.
        await expect(page.locator(".msg", has_text="Done: agree")).to_be_focused()
        await page.locator("#write").focus()
        await page.keyboard.type("one")
        await page.keyboard.press("Shift+Enter")
        await page.keyboard.type("two")
        await page.keyboard.press("Enter")
        await expect(page.locator(".msg.me .text")).to_have_text("one\ntwo")

    async def test_everything_has_a_name_and_a_role(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        await room.channel.bot.send_photo(room.chat_id, BufferedInputFile(PIXEL, "a.png"))
        await room.channel.bot.send_message(room.chat_id, "?", reply_markup=buttons(["A"]))
        await expect(page.get_by_role("button", name="A", exact=True)).to_be_visible()
        log = page.get_by_role("log")
        assert await log.get_attribute("aria-live") == "polite"
        assert await log.get_attribute("aria-busy") == "false"
        assert await page.evaluate("document.documentElement.lang") == "en"
        assert await page.get_by_role("heading", level=1).count() == 1
        nameless = await page.evaluate(_NAMELESS)
        assert nameless == []
        assert await page.locator("img:not([alt])").count() == 0
        twice = await page.evaluate(_TWICE)
        assert twice == []

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    async def test_words_stand_out_from_their_ground(
        self, room: WebRoom, chromium: Browser, scheme: str
    ) -> None:
        phone = await new_phone(chromium, color_scheme=scheme)
        page = await joined(room, phone)
        bot, chat = room.channel.bot, room.chat_id
        danger = InlineKeyboardButton(text="Erase", callback_data="e", style="danger")
        main = InlineKeyboardButton(text="Keep", callback_data="k", style="primary")
        link = InlineKeyboardButton(text="Open", url="https://example.org/")
        markup = InlineKeyboardMarkup(inline_keyboard=[[danger, main, link]])
        await bot.send_message(chat, "https://example.org/", reply_markup=markup)
        await bot.send_message(chat, "Menu", reply_markup=keyboard(["I'm fine"]))
        await page.get_by_role("button", name="Send a photo or file").click()
        await page.get_by_role("button", name="Where I am").click()
        await page.evaluate("document.getElementById('demo').hidden = false")
        await expect(page.get_by_role("button", name="I'm fine")).to_be_visible()
        weak = await page.evaluate(_CONTRAST)
        assert weak == []

    async def test_it_speaks_chinese_and_follows_the_person(
        self, room: WebRoom, chromium: Browser
    ) -> None:
        chinese = {"Connected": "已连上", "Send": "发送", "Write a message": "写点什么"}
        room.channel.i18n.locales["zh"]._sentences.update(chinese)  # type: ignore[attr-defined]
        phone = await new_phone(chromium, locale="zh-CN")
        page = await phone.open(room.url)
        assert await page.evaluate("document.documentElement.lang") == "zh-CN"
        await expect(page.locator("#write")).to_have_attribute("placeholder", "写点什么")
        await write(page, "你好")
        await expect(page.get_by_text("You said: 你好")).to_be_visible()
        async with room.db.write() as tx:
            await room.join(tx, room.chat_id, language="en")
        await write(page, "hello")
        await expect(page.locator("#write")).to_have_attribute("placeholder", "Write a message")
        assert await page.evaluate("document.documentElement.lang") == "en"

    async def test_a_demo_says_so(
        self, sqlite_db: Database, tmp_path: Path, chromium: Browser
    ) -> None:
        folder = tmp_path / "words"
        folder.mkdir()
        async with open_room(sqlite_db, folder, demo=True) as room:
            page = await (await new_phone(chromium)).open(room.url)
            await expect(page.get_by_text("Demo: everyone here is made up.")).to_be_visible()


_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((node) => !node.closest(".unseen, .skip"))
  .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
  .map((node) => node.outerHTML.slice(0, 120))"""

_SMALL = """() => [...document.querySelectorAll("button, label, textarea")]
  .filter((node) => node.offsetParent)
  .map((node) => [node.getBoundingClientRect(), node.outerHTML.slice(0, 90)])
  .filter(([box]) => box.width < 43.5 || box.height < 43.5)
  .map(([, html]) => html)"""

_NAMELESS = """() => [...document.querySelectorAll("button, a, input, textarea, audio")]
  .filter((node) => node.offsetParent)
  .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim()
    || node.labels?.[0]?.textContent.trim()))
  .map((node) => node.outerHTML)"""

_TWICE = """() => [...document.querySelectorAll("[id]")].map((node) => node.id)
  .filter((id, place, all) => all.indexOf(id) !== place)"""

# For every visible text: its colour against the nearest ground behind it (WCAG 2, 4.5 : 1).
_CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const weak = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || !node.offsetParent || node.closest(".unseen, .skip, script, noscript")) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(ground(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) weak.push(`${ratio.toFixed(2)} ${node.outerHTML.slice(0, 100)}`);
  }
  return weak;
}"""

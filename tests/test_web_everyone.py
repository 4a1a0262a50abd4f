"""The chat page for every eye, hand and voice, and asking nothing of another host."""

from pathlib import Path

import pytest
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
)
from playwright.async_api import (
    Browser,
    expect,
)

from storage.database import Database
from tests import web_phone
from tests.web_phone import LONG, PIXEL, Phone, buttons, joined, keyboard, new_phone, write
from tests.web_room import WebRoom, open_room

pytestmark = web_phone.needs_chromium
room, chromium, phone = web_phone.room, web_phone.chromium, web_phone.phone


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
